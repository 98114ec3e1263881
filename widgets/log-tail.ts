import { fitRow, textRow } from './rows.js';
import { formatClockSeconds, formatCount } from './text/format.js';
import type { Row, Size, Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { cutTo, padEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

/** One line of a log; sanitised, without line breaks. */
export interface LogTailLine {
  /** Epoch ms; null when the line has no time. */
  readonly at: number | null;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | null;
  readonly source: string;
  readonly text: string;
}

export interface LogTailProps {
  /** The lines that end with the last visible one; more than fit are not looked at. Filtered already. */
  readonly lines: readonly LogTailLine[];
  /** Long lines go on in the next row; else they are cut. */
  readonly wrap: boolean;
  /** What the filter found in a text, from left to right: first and behind last character. It is marked. */
  readonly marksOf: ((text: string) => readonly (readonly [start: number, end: number])[]) | null;
  /** Shown when there is no line. */
  readonly empty: string;
  /** Said below the lines; null for nothing to say. */
  readonly note?: string | null;
}

const LEVELS: Readonly<Record<'debug' | 'info' | 'warn' | 'error', readonly [string, Token]>> = {
  debug: ['DEBUG', 'muted'],
  info: ['INFO', 'text'],
  warn: ['WARN', 'warn'],
  error: ['ERROR', 'bad'],
};
const TIME_COLUMNS = 8;
const LEVEL_COLUMNS = 5;
const MIN_SOURCE_COLUMNS = 6;
const MAX_SOURCE_COLUMNS = 14;
/** A line is matched and wrapped only so far: it is a line of a log, not a file. */
const MAX_LINE_CHARS = 8192;

export interface LogTailInstance extends WidgetInstance<LogTailProps> {
  /** Lines of the last view that are on the screen, the first one perhaps in part. */
  readonly visibleLines: number;
}

export const logTail = {
  name: 'log-tail',
  create(glyphs: Glyphs): LogTailInstance {
    /** The line of each row of the last view, to see how far they moved. */
    let shownBefore: readonly LogTailLine[] = [];
    return {
      get visibleLines() {
        return new Set(shownBefore).size;
      },
      view(props, size) {
        const { rows, shown } = logRows(props, size, glyphs);
        const scrolledBy = props.wrap ? 0 : movedUp(shownBefore, shown);
        shownBefore = shown;
        return scrolledBy === 0 ? { rows } : { rows, scrolledBy };
      },
    } satisfies { view(props: LogTailProps, size: Size): View; visibleLines: number };
  },
} satisfies Widget<LogTailProps>;

function logRows(
  props: LogTailProps,
  { width, height }: Size,
  glyphs: Glyphs,
): { rows: Row[]; shown: LogTailLine[] } {
  if (width <= 0 || height <= 0) return { rows: [], shown: [] };
  if (props.lines.length === 0) return { rows: wordRows(props.empty, width, height, glyphs), shown: [] };
  const below = props.note ? wordRows(props.note, width, Math.max(0, height - 1), glyphs) : [];
  const room = height - below.length;
  const lines = props.lines.slice(-room);
  const sourceColumns = columnsForSources(lines, width);
  const rows: Row[] = [];
  const shown: LogTailLine[] = [];
  // From the end: the last line is the one that must be seen.
  for (let i = lines.length - 1; i >= 0 && rows.length < room; i--) {
    const line = lines[i];
    if (line === undefined) break;
    const drawn = lineRows(line, props, width, sourceColumns, glyphs);
    for (let r = drawn.length - 1; r >= 0 && rows.length < room; r--) {
      rows.push(drawn[r] ?? { spans: [] });
      shown.push(line);
    }
  }
  return { rows: [...rows.reverse(), ...below], shown: shown.reverse() };
}

/** Words of the program, which are read whole. */
function wordRows(text: string, width: number, most: number, glyphs: Glyphs): Row[] {
  return wrapText(text, Math.max(1, width - 2))
    .slice(0, most)
    .map((part) => textRow(` ${part}`, 'muted', width, glyphs.ellipsis));
}

/** Wide enough for the sources in view; none in a pane that has no room for them. */
function columnsForSources(lines: readonly LogTailLine[], width: number): number {
  if (width < 50) return 0;
  let columns = MIN_SOURCE_COLUMNS;
  for (const { source } of lines) columns = Math.max(columns, stringWidth(source.slice(0, 64)));
  return Math.min(MAX_SOURCE_COLUMNS, columns);
}

function lineRows(
  line: LogTailLine,
  props: LogTailProps,
  width: number,
  sourceColumns: number,
  glyphs: Glyphs,
): Row[] {
  const [word, token]: readonly [string, Token] = line.level === null ? ['', 'muted'] : LEVELS[line.level];
  const head: Span[] = [];
  if (width >= 30) head.push(span(` ${padEnd(formatClockSeconds(line.at, ''), TIME_COLUMNS)}`, 'muted'));
  if (width >= 16) head.push(span(` ${padEnd(word, LEVEL_COLUMNS)}`, token));
  if (sourceColumns > 0)
    head.push(span(` ${padEnd(line.source, sourceColumns, glyphs.ellipsis)}  `, 'muted'));
  else head.push(span(' '));
  const indent =
    (width >= 30 ? TIME_COLUMNS + 1 : 0) +
    (width >= 16 ? LEVEL_COLUMNS + 1 : 0) +
    (sourceColumns > 0 ? sourceColumns + 3 : 1);
  const room = Math.max(0, width - indent - (width > 16 ? 1 : 0));
  const textToken: Token = line.level === 'debug' ? 'muted' : 'text';
  const text =
    line.text.length > MAX_LINE_CHARS ? cutTo(line.text.slice(0, MAX_LINE_CHARS), MAX_LINE_CHARS) : line.text;
  const marked = markMatches(text, textToken, props.marksOf?.(text) ?? []);
  if (!props.wrap || room < 8)
    return [fitRow([...head, ...fitRow(marked, room, glyphs.ellipsis).spans], width)];
  let at = 0;
  return wrapText(text.replaceAll('\t', ' '), room).map((part, i) => {
    const start = Math.max(at, text.indexOf(part, at));
    at = start + part.length;
    const spans = sliceSpans(marked, start, at);
    return fitRow([...(i === 0 ? head : [span(' '.repeat(indent))]), ...spans], width);
  });
}

function markMatches(
  text: string,
  token: Token,
  marks: readonly (readonly [start: number, end: number])[],
): Span[] {
  // As many characters as before, so that the marks stay where they are.
  const flat = text.replaceAll('\t', ' ');
  const spans: Span[] = [];
  let from = 0;
  for (const [start, end] of marks) {
    if (start > from) spans.push(span(flat.slice(from, start), token));
    if (end > start) spans.push(span(flat.slice(start, end), 'match'));
    from = Math.max(from, end);
  }
  if (from < flat.length || spans.length === 0) spans.push(span(flat.slice(from), token));
  return spans;
}

function sliceSpans(spans: readonly Span[], start: number, end: number): Span[] {
  const kept: Span[] = [];
  let at = 0;
  for (const piece of spans) {
    const text = piece.text.slice(Math.max(0, start - at), Math.max(0, end - at));
    if (text !== '') kept.push({ text, token: piece.token });
    at += piece.text.length;
  }
  return kept;
}

function movedUp(before: readonly LogTailLine[], now: readonly LogTailLine[]): number {
  const first = now[0];
  const firstBefore = before[0];
  if (first === undefined || firstBefore === undefined || first === firstBefore) return 0;
  const up = before.indexOf(first);
  if (up > 0) return up;
  return -Math.max(0, now.indexOf(firstBefore));
}

export interface LogTitleProps {
  /** Only what was logged while an answer was made, epoch ms; `to` null: it runs. Null: everything. */
  readonly turn: { readonly from: number; readonly to: number | null } | null;
  /** What is shown: `ollama.service`, `all sources`; empty for nothing to say. */
  readonly source: string;
  /** Null: there is no end that could be followed. */
  readonly following: boolean | null;
  /** New lines below while the position is held. */
  readonly below: number;
  /** A source that cannot be read: `ollama refused`; null for none. */
  readonly trouble: string | null;
  /** `warn`: that and above; null for all. */
  readonly level: string | null;
  /** The filter's pattern; null for none. `unused`: it cannot be used, and nothing is filtered by it. */
  readonly pattern: string | null;
  readonly unused: boolean;
  readonly inverse: boolean;
  readonly lines: number;
  readonly skipped: number;
}

/** `Log ── ollama.service · following · warn and above · /timeout/ · 1,204 lines · 3 skipped`. */
export function logTitle(props: LogTitleProps, glyphs: Glyphs): Row {
  const parts: Span[] = [];
  const count = span(`${formatCount(props.lines)} ${props.lines === 1 ? 'line' : 'lines'}`, 'muted');
  // In a narrow pane the end is cut off: what is asked for comes first.
  if (props.turn !== null) parts.push(span(turnText(props.turn, glyphs), 'match'), count);
  if (props.source !== '') parts.push(span(props.source, 'text'));
  if (props.following) parts.push(span('following', 'text'));
  else if (props.following === false)
    parts.push(span(props.below > 0 ? `held ${formatCount(props.below)} ${glyphs.down}` : 'held', 'warn'));
  if (props.trouble !== null) parts.push(span(props.trouble, 'warn'));
  if (props.level !== null) parts.push(span(`${props.level} and above`, 'text'));
  if (props.pattern !== null) {
    const pattern = `${props.inverse ? '!' : ''}/${props.pattern}/`;
    parts.push(props.unused ? span(`${pattern} not used`, 'warn') : span(pattern, 'match'));
  }
  if (props.turn === null) parts.push(count);
  if (props.skipped > 0) parts.push(span(`${formatCount(props.skipped)} skipped`, 'warn'));
  const spans: Span[] = [span('Log', 'title'), span(` ${glyphs.dash}${glyphs.dash} `, 'border')];
  for (const [i, part] of parts.entries()) {
    if (i > 0) spans.push(span(` ${glyphs.dot} `, 'muted'));
    spans.push(part);
  }
  return { spans };
}

function turnText(
  { from, to }: { readonly from: number; readonly to: number | null },
  glyphs: Glyphs,
): string {
  if (to === null) return `turn since ${formatClockSeconds(from)}`;
  return `turn ${formatClockSeconds(from)}${glyphs.ascii ? '-' : '\u2013'}${formatClockSeconds(to)}`;
}
