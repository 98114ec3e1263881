import type { Span, Token } from './text/span.js';
import type { LineRule, LineShape, Wrapping } from './text/growing-wrap.js';

/** Light markdown: fenced code, headings, bold and inline code. Anything else is shown as it was written. */

/** Columns before a line of code: its number and a gap. */
export const CODE_INDENT = 5;

const TEXT = 0;
const HEADING = 1;
/** Lines of code carry their number on top of it. */
const CODE = 2;

/** Longer lines are shown as written: marks are looked for in what is visible, not in megabytes. */
const MAX_MARKED_CHARS = 4096;
const MAX_LINE_ROWS = 64;

const TEXT_SHAPE: LineShape = { kind: TEXT, indent: 0, hidden: false, after: 0 };
const HEADING_SHAPE: LineShape = { kind: HEADING, indent: 0, hidden: false, after: 0 };

/**
 * The state is 0 outside of code, inside it 1 + the number of lines so far, negative for a fence of tildes. A fence is hidden only when
 * its line break has arrived: before, it could still become something else.
 */
export const markdownRule: LineRule = (head, complete, state) => {
  if (state !== 0) {
    const fence = state < 0 ? /^ {0,3}~{3,}\s*$/ : /^ {0,3}`{3,}\s*$/;
    if (complete && fence.test(head)) return { kind: TEXT, indent: 0, hidden: true, after: 0 };
    const number = Math.abs(state);
    return { kind: CODE + number, indent: CODE_INDENT, hidden: false, after: state + Math.sign(state) };
  }
  if (complete) {
    const opening = /^ {0,3}(`{3,}[^`]*|~{3,}.*)$/.exec(head);
    if (opening) return { kind: TEXT, indent: 0, hidden: true, after: opening[1]?.startsWith('~') ? -1 : 1 };
  }
  return /^ {0,3}#{1,6}\s/.test(head) ? HEADING_SHAPE : TEXT_SHAPE;
};

/** The spans of one row of a text wrapped with the markdown rule. */
export function markdownSpans(wrapping: Wrapping, index: number): Span[] {
  const kind = wrapping.rowKind(index);
  const text = wrapping.rowText(index);
  if (kind > CODE) {
    const number = wrapping.isLineStart(index) ? String(kind - CODE) : '';
    return [
      { text: `${number.padStart(3)}  `, token: 'muted' },
      { text, token: 'code' },
    ];
  }
  if (kind === HEADING) return [{ text: text.replace(/^ {0,3}#{1,6}\s+/, ''), token: 'strong' }];
  return inlineSpans(wrapping, index, text);
}

function inlineSpans(wrapping: Wrapping, index: number, text: string): Span[] {
  let first = index;
  while (first > 0 && !wrapping.isLineStart(first))
    if (index - --first > MAX_LINE_ROWS) return [{ text, token: 'text' }];
  let last = index;
  while (last + 1 < wrapping.rowCount && !wrapping.isLineStart(last + 1) && last - index < MAX_LINE_ROWS)
    last++;
  const lineStart = wrapping.rowStart(first);
  const line = wrapping.slice(lineStart, wrapping.rowEnd(last));
  if (line.length > MAX_MARKED_CHARS || !/[*`]/.test(line)) return [{ text, token: 'text' }];
  return sliceRuns(
    markedRuns(line),
    line,
    wrapping.rowStart(index) - lineStart,
    wrapping.rowStart(index) - lineStart + text.length,
  );
}

interface Run {
  readonly start: number;
  readonly end: number;
  readonly token: Token;
}

/** The marked stretches of a line without their marks; what lies between is plain, and marks without a partner stay. */
function markedRuns(line: string): Run[] {
  const runs: Run[] = [];
  let plainFrom = 0;
  for (const found of line.matchAll(/(`+)([^`]+)\1(?!`)|\*\*(?=\S)([^*]+?)(?<=\S)\*\*/g)) {
    const mark = found[1]?.length ?? 2;
    const end = found.index + found[0].length;
    if (found.index > plainFrom) runs.push({ start: plainFrom, end: found.index, token: 'text' });
    runs.push({
      start: found.index + mark,
      end: end - mark,
      token: found[1] === undefined ? 'strong' : 'code',
    });
    plainFrom = end;
  }
  runs.push({ start: plainFrom, end: line.length, token: 'text' });
  return runs;
}

function sliceRuns(runs: readonly Run[], line: string, start: number, end: number): Span[] {
  const spans: Span[] = [];
  for (const run of runs) {
    const from = Math.max(start, run.start);
    const to = Math.min(end, run.end);
    // Tabs were counted when wrapping; here each is at least one cell, so the row cannot grow too wide.
    if (from < to) spans.push({ text: line.slice(from, to).replace(/[\t\n]/g, ' '), token: run.token });
  }
  return spans;
}
