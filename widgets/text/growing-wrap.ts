import { nextRowStart, printableRow } from './wrap.js';

/**
 * Wrapping that never does work twice. A row is remembered as the offset of its first character; the text itself stays where it is. All
 * breaks but those of the last row are final, so appending re-wraps only from there.
 */

/** The shape of src/domain/text.ts: text that grows at its end without being copied. */
export interface WrappableText {
  readonly blocks: readonly string[];
  readonly tail: string;
  readonly length: number;
}

/** Lines up to this length are laid out anew when they grow, so a rule may change its mind about them. */
export const HEAD_CHARS = 256;

const LINE_FEED = 10;

/** How a rule wants a line laid out. */
export interface LineShape {
  /** The rule's own mark, kept for every row of the line. */
  readonly kind: number;
  /** Columns taken from the width. */
  readonly indent: number;
  /** The line has no row at all. */
  readonly hidden: boolean;
  /** The rule's state for the next line. */
  readonly after: number;
}

/** Looks at the first HEAD_CHARS of a line; `complete` says that this is all of it and that its line break has arrived. */
export type LineRule = (head: string, complete: boolean, state: number) => LineShape;

const PLAIN: LineShape = { kind: 0, indent: 0, hidden: false, after: 0 };
const plainRule: LineRule = () => PLAIN;

export interface Wrapping {
  /** Takes the text as it is now; costs only what is new when it grew at its end. */
  update(text: WrappableText): void;
  readonly rowCount: number;
  /** Characters looked at so far: what a test counts instead of time. */
  readonly charsWrapped: number;
  rowText(index: number): string;
  rowKind(index: number): number;
  rowStart(index: number): number;
  rowEnd(index: number): number;
  /** Whether the row is the first of its line. */
  isLineStart(index: number): boolean;
  /** First row of the last line: rows before it never change again. */
  readonly openRow: number;
  /** Grows when a text came that was not the last one with more at its end: nothing known of rows holds then. */
  readonly generation: number;
  slice(start: number, end: number): string;
}

export function createWrapping(width: number, rule: LineRule = plainRule): Wrapping {
  let text: WrappableText = { blocks: [], tail: '', length: 0 };
  let blockStarts: number[] = [];
  let starts: number[] = [];
  let ends: number[] = [];
  /** kind * 2 + 1 for the first row of a line. */
  let kinds: number[] = [];
  let line = { start: 0, row: 0, state: 0, shape: PLAIN };
  let charsWrapped = 0;
  let generation = 0;

  function update(next: WrappableText): void {
    if (next === text) return;
    const grown = grewFrom(text, next);
    if (grown && next.length === text.length) {
      text = next;
      return;
    }
    if (!grown) {
      generation++;
      blockStarts = [];
      starts = [];
      ends = [];
      kinds = [];
      line = { start: 0, row: 0, state: 0, shape: PLAIN };
    }
    let from = line.start;
    let resume = false;
    const lastStart = starts[starts.length - 1];
    if (
      text.length - line.start > HEAD_CHARS &&
      grown &&
      lastStart !== undefined &&
      starts.length > line.row
    ) {
      from = lastStart;
      resume = true;
    }
    text = next;
    for (let i = blockStarts.length; i < next.blocks.length; i++) {
      const before = blockStarts[i - 1];
      blockStarts.push(before === undefined ? 0 : before + (next.blocks[i - 1]?.length ?? 0));
    }
    const keep = resume ? starts.length - 1 : line.row;
    starts.length = keep;
    ends.length = keep;
    kinds.length = keep;
    wrapFrom(from, resume);
  }

  function wrapFrom(from: number, resume: boolean): void {
    const rest = slice(from, text.length);
    charsWrapped += rest.length;
    let at = 0;
    let inLine = resume;
    while (at < rest.length) {
      if (!inLine) beginLine(rest, at, from);
      const next = nextRowStart(rest, at, width - line.shape.indent);
      if (!line.shape.hidden) {
        starts.push(from + at);
        ends.push(from + next);
        kinds.push(line.shape.kind * 2 + (inLine ? 0 : 1));
      }
      inLine = rest.charCodeAt(next - 1) !== LINE_FEED;
      at = next;
    }
    // A line break at the very end: the empty row that the next text goes to.
    if (!inLine) {
      if (text.length > 0) beginLine(rest, rest.length, from);
      starts.push(text.length);
      ends.push(text.length);
      kinds.push(line.shape.kind * 2 + 1);
    }
  }

  function beginLine(rest: string, at: number, from: number): void {
    const state = from + at === line.start ? line.state : line.shape.after;
    const head = rest.slice(at, at + HEAD_CHARS);
    const breakAt = head.indexOf('\n');
    const shape = rule(breakAt < 0 ? head : head.slice(0, breakAt), breakAt >= 0, state);
    line = { start: from + at, row: starts.length, state, shape };
  }

  function slice(start: number, end: number): string {
    const tailStart = text.length - text.tail.length;
    if (start >= tailStart) return text.tail.slice(start - tailStart, end - tailStart);
    let low = 0;
    let high = blockStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((blockStarts[middle] ?? 0) <= start) low = middle;
      else high = middle - 1;
    }
    let piece = '';
    for (let i = low; i < text.blocks.length; i++) {
      const blockStart = blockStarts[i] ?? 0;
      if (blockStart >= end) return piece;
      piece += (text.blocks[i] ?? '').slice(Math.max(0, start - blockStart), end - blockStart);
    }
    return end > tailStart ? piece + text.tail.slice(0, end - tailStart) : piece;
  }

  wrapFrom(0, false);
  return {
    update,
    slice,
    get rowCount() {
      return starts.length;
    },
    get charsWrapped() {
      return charsWrapped;
    },
    get openRow() {
      return line.row;
    },
    get generation() {
      return generation;
    },
    rowText(index) {
      const start = starts[index];
      const end = ends[index];
      if (start === undefined || end === undefined) return '';
      return printableRow(slice(start, end), 0, end - start, Math.max(0, width));
    },
    rowKind: (index) => (kinds[index] ?? 0) >> 1,
    rowStart: (index) => starts[index] ?? text.length,
    rowEnd: (index) => ends[index] ?? text.length,
    isLineStart: (index) => ((kinds[index] ?? 1) & 1) === 1,
  };
}

/** Whether `next` is `text` with more at its end. Blocks are compared by identity of the last one: they are never changed in place. */
function grewFrom(text: WrappableText, next: WrappableText): boolean {
  const shared = text.blocks.length;
  if (next.length < text.length || next.blocks.length < shared) return false;
  if (shared > 0 && next.blocks[shared - 1] !== text.blocks[shared - 1]) return false;
  return (next.blocks.length > shared ? (next.blocks[shared] ?? '') : next.tail).startsWith(text.tail);
}
