import type { Row, Size, Span, Token } from './text/span.js';
import { row, span } from './text/span.js';
import { cutTo, truncateEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';

/** Cells of a run of spans. */
export function spansWidth(spans: readonly Span[]): number {
  let width = 0;
  for (const { text } of spans) width += stringWidth(text);
  return width;
}

/** The spans in at most `width` cells; what is cut ends in the ellipsis (pass '' for a bare cut). */
export function cutSpans(spans: readonly Span[], width: number, ellipsis = ''): Span[] {
  const kept: Span[] = [];
  let room = width;
  for (const [index, piece] of spans.entries()) {
    const cells = stringWidth(piece.text);
    const more = index < spans.length - 1;
    if (
      cells <= room &&
      !(cells === room && more && ellipsis !== '' && spansWidth(spans.slice(index + 1)) > 0)
    ) {
      if (piece.text !== '') kept.push(piece);
      room -= cells;
      continue;
    }
    const text =
      room <= 0 ? '' : ellipsis === '' ? cutTo(piece.text, room) : truncated(piece.text, room, ellipsis);
    if (text !== '') kept.push({ text, token: piece.token });
    break;
  }
  return kept;
}

/** With an ellipsis even where the piece itself would fit: something after it does not. */
function truncated(text: string, room: number, ellipsis: string): string {
  return stringWidth(text) > room
    ? truncateEnd(text, room, ellipsis)
    : truncateEnd(`${text} `, room, ellipsis);
}

/** Row of spans, never wider than `width`. */
export function fitRow(spans: readonly Span[], width: number, ellipsis = ''): Row {
  return { spans: cutSpans(spans, width, ellipsis) };
}

/** Spans at the left and at the right edge; the left ones give way. */
export function justify(left: readonly Span[], right: readonly Span[], width: number, ellipsis = '…'): Row {
  const rightWidth = spansWidth(right);
  if (rightWidth >= width) return fitRow(right, width, ellipsis);
  const leftRoom = rightWidth === 0 ? width : width - rightWidth - 1;
  const shown = cutSpans(left, leftRoom, ellipsis);
  const gap = width - rightWidth - spansWidth(shown);
  return rightWidth === 0 ? { spans: shown } : { spans: [...shown, span(' '.repeat(gap)), ...right] };
}

/** One row of text, cut. */
export function textRow(text: string, token: Token, width: number, ellipsis = '…'): Row {
  return row(span(truncateEnd(text, width, ellipsis), token));
}

/** At most as many rows as there is room. */
export function cutRows(rows: readonly Row[], size: Size): readonly Row[] {
  return rows.length <= size.height ? rows : rows.slice(0, Math.max(0, size.height));
}

/** The first of the visible items such that `selected` is among them, for lists that hold no position of their own. */
export function windowStart(selected: number, count: number, height: number): number {
  if (count <= height) return 0;
  return Math.max(0, Math.min(count - height, selected - Math.floor(height / 2)));
}
