import { gauge, sparkline } from './gauge.js';
import type { Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { padEnd, padStart } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import type { Glyphs } from './widget.js';

export const LABEL_COLUMNS = 5;
const BAR_CELLS = 11;
const WIDE_BAR_CELLS = 24;

/** ` CPU  ▕████▊      ▏ 41 %  ▁▂▃▅▃▂▂▃▅ `: the value's column is as wide as its widest, so that the history stands still. */
export function gaugeLine(
  label: string,
  fraction: number | null,
  value: string,
  history: readonly (number | null)[] | null,
  width: number,
  glyphs: Glyphs,
): Span[] {
  const cells = barCells(width);
  const token: Token =
    fraction === null ? 'muted' : fraction >= 0.95 ? 'bad' : fraction >= 0.85 ? 'warn' : 'gaugeFill';
  const spans = [span(` ${padEnd(label, LABEL_COLUMNS)}`, 'muted')];
  if (cells > 0) spans.push(...gauge(fraction, cells, glyphs, token));
  const percent = value.endsWith('%');
  const valueColumns = width >= 60 ? 17 : percent ? 7 : stringWidth(value) + 2;
  const room = width - LABEL_COLUMNS - 1 - (cells > 0 ? cells + 2 : 0) - 1 - valueColumns - 1;
  const charted = history !== null && room >= 4;
  const text = percent ? padStart(value, 5) : value;
  // Blanks at the end would be cut with an ellipsis where they do not fit.
  spans.push(span(` ${charted ? padEnd(text, valueColumns) : text}`));
  if (charted) spans.push(span(sparkline(history, room, glyphs), 'accent'));
  return spans;
}

/** Cells of the bar in a pane of this width. */
export function barCells(width: number): number {
  if (width >= 60) return WIDE_BAR_CELLS;
  return width >= 30 ? BAR_CELLS : 0;
}

export function ratio(used: number | null, total: number | null): number | null {
  return used === null || total === null || total <= 0 ? null : used / total;
}

/** Everything of old readings is faint but the warning that says so. */
export function dimmed(piece: Span): Span {
  return piece.token === 'warn' && piece.text.startsWith(' no new') ? piece : { ...piece, token: 'muted' };
}
