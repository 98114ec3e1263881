import { nextRowStart } from './wrap.js';

export { columnAt, printableRow } from './wrap.js';

/** Rows of a text that is edited anywhere: an edit re-wraps from the row before it to where the old breaks fit again. */
export interface EditedWrapping {
  readonly width: number;
  readonly rowCount: number;
  /** Characters looked at so far: what a test counts instead of time. */
  readonly charsWrapped: number;
  update(text: string): void;
  /** The row of an offset; between two rows of one line it is the second. */
  rowAt(offset: number): number;
  rowStart(index: number): number;
  rowEnd(index: number): number;
}

export function createEditedWrapping(width: number): EditedWrapping {
  let text = '';
  let starts: number[] = [0];
  let charsWrapped = 0;

  function update(next: string): void {
    if (next === text) return;
    const prefix = commonPrefix(text, next);
    const suffix = commonSuffix(text, next, prefix);
    const shift = next.length - text.length;
    // The break before a row hangs on the word at its start, so the row above the edit's row may change too; one more for clusters.
    const from = Math.max(0, rowAt(prefix) - 2);
    const old = starts;
    const fresh = old.slice(0, from + 1);
    let known = from + 1;
    let at = fresh[from] ?? 0;
    for (;;) {
      const end = nextRowStart(next, at, width);
      charsWrapped += end - at;
      const last = end >= next.length;
      if (last && !(end > at && next.charCodeAt(end - 1) === 10)) break;
      fresh.push(end);
      at = end;
      if (last) break;
      if (end <= next.length - suffix) continue;
      while (known < old.length && (old[known] ?? 0) + shift < end) known++;
      if ((old[known] ?? -1) + shift !== end) continue;
      // From an equal break on, equal text wraps equally.
      for (let i = known + 1; i < old.length; i++) fresh.push((old[i] ?? 0) + shift);
      break;
    }
    starts = fresh;
    text = next;
  }

  function rowAt(offset: number): number {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    width,
    update,
    rowAt,
    get rowCount() {
      return starts.length;
    },
    get charsWrapped() {
      return charsWrapped;
    },
    rowStart: (index) => starts[index] ?? text.length,
    rowEnd: (index) => starts[index + 1] ?? text.length,
  };
}

function commonPrefix(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

function commonSuffix(a: string, b: string, prefix: number): number {
  const length = Math.min(a.length, b.length) - prefix;
  let count = 0;
  while (count < length && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count++;
  return count;
}
