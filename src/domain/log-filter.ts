import { LOG_LEVELS, type LogLevel, type LogLine } from './log.js';
import { matchesPattern, type LogPattern } from './log-pattern.js';
import { ringLength, timeAt, visitLines, type LogRing } from './log-ring.js';
import { isInSpan, requestOf, type LogSpan } from './log-span.js';

/** Lines that one call of `extendView` looks at: some milliseconds, well inside a frame. */
export const LINES_PER_STEP = 4000;

export interface LogFilter {
  /** Lines below this level are hidden; a line without a level counts as info. */
  readonly level: LogLevel;
  /** Null: every source. */
  readonly source: string | null;
  readonly pattern: LogPattern | null;
  /** Show the lines that the pattern does not match. */
  readonly inverse: boolean;
  /** Only what was logged while a request was worked on; absent: at any time. */
  readonly span?: SpanFilter;
}

export interface SpanFilter {
  readonly span: LogSpan;
  /** Lines of these requests are left out (`otherRequests`). */
  readonly others: ReadonlySet<string>;
}

/** Which lines of a ring pass a filter. Immutable; extended as lines come instead of computed anew. */
export interface LogView {
  readonly filter: LogFilter;
  /** Numbers of the lines that pass, by time; null when every line passes and they stand by time as they came. */
  readonly numbers: readonly number[] | null;
  /** Lines before this number have been looked at. */
  readonly scanned: number;
  /** The part of the ring that the view knows. */
  readonly first: number;
  readonly end: number;
}

/** A view that has looked at nothing yet. Make a new one only when the filter changes. */
export function emptyView(filter: LogFilter): LogView {
  return { filter, numbers: takesAll(filter) ? null : [], scanned: 0, first: 0, end: 0 };
}

function takesAll(filter: LogFilter): boolean {
  return filter.level === 'debug' && filter.source === null && !filter.pattern && !filter.span;
}

/** Whether a line passes. `time`: by which it stands among the others, epoch ms. */
export function passes(filter: LogFilter, line: LogLine, time = line.at ?? 0): boolean {
  if (filter.span && !isInSpan(filter.span.span, time)) return false;
  if (filter.span && filter.span.others.has(requestOf(line) ?? '')) return false;
  if (filter.source !== null && line.source !== filter.source) return false;
  if (LOG_LEVELS.indexOf(line.level ?? 'info') < LOG_LEVELS.indexOf(filter.level)) return false;
  return filter.pattern === null || matchesPattern(filter.pattern, line.text) !== filter.inverse;
}

/**
 * Takes up to `most` lines that the view has not seen and forgets lines that the ring dropped. While `isBehind`, call it again in the
 * next frame. `isLate` ends a step early, so that a slow expression costs one line's time more than the frame has.
 */
export function extendView(
  view: LogView,
  ring: LogRing,
  most: number = LINES_PER_STEP,
  isLate?: () => boolean,
): LogView {
  if (view.first === ring.first && view.scanned === ring.end) return view;
  const everyLine = takesAll(view.filter);
  if (view.numbers === null && ring.inOrder)
    return { ...view, scanned: ring.end, first: ring.first, end: ring.end };
  // Lines of several sources came mixed for the first time: from now on their numbers are needed.
  const known = view.numbers ?? [];
  const kept =
    view.first === ring.first
      ? known
      : ring.inOrder
        ? known.slice(firstIndex(known.length, (i) => (known[i] ?? 0) >= ring.first))
        : known.filter((number) => number >= ring.first);
  const fresh: number[] = [];
  let scanned = view.numbers === null ? ring.first : Math.max(view.scanned, ring.first);
  // Without anything to be looked at a line costs next to nothing.
  let left = everyLine ? Infinity : most;
  visitLines(ring, scanned, (line, number, time) => {
    if (left-- <= 0 || (!everyLine && isLate?.())) return false;
    if (everyLine || passes(view.filter, line, time)) fresh.push(number);
    scanned = number + 1;
    return true;
  });
  const numbers = ring.inOrder ? [...kept, ...fresh] : merged(kept, fresh, ring);
  return { filter: view.filter, numbers, scanned, first: ring.first, end: ring.end };
}

/** Puts lines among those that stand by time already; mostly they belong at or near the end. */
function merged(kept: readonly number[], fresh: number[], ring: LogRing): readonly number[] {
  const timeOf = (number: number): number => timeAt(ring, number) ?? 0;
  const isBefore = (a: number, b: number): boolean => {
    const [timeA, timeB] = [timeOf(a), timeOf(b)];
    return timeA === timeB ? a < b : timeA < timeB;
  };
  fresh.sort((a, b) => timeOf(a) - timeOf(b) || a - b);
  const [earliest] = fresh;
  if (earliest === undefined) return kept;
  const from = firstIndex(kept.length, (i) => isBefore(earliest, kept[i] ?? 0));
  const numbers = kept.slice(0, from);
  let next = 0;
  for (let i = from; i < kept.length; i++) {
    const number = kept[i] ?? 0;
    for (let f = fresh[next]; f !== undefined && isBefore(f, number); f = fresh[++next]) numbers.push(f);
    numbers.push(number);
  }
  for (; next < fresh.length; next++) numbers.push(fresh[next] ?? 0);
  return numbers;
}

/** Lines wait that the view has not looked at. */
export function isBehind(view: LogView): boolean {
  return view.scanned < view.end;
}

/** Number of lines that pass. */
export function viewLength(view: LogView, ring: LogRing): number {
  return view.numbers === null ? ringLength(ring) : view.numbers.length;
}

/** The number of the line at a position of the view, 0 being the oldest. */
export function viewNumberAt(view: LogView, ring: LogRing, index: number): number | undefined {
  if (view.numbers !== null) return view.numbers[index];
  return index >= 0 && index < ringLength(ring) ? ring.first + index : undefined;
}

/**
 * The position of the last line of the view that stands up to where the line with this number does; -1 when there is none, also when it
 * was dropped. For a held log.
 */
export function viewIndexOf(view: LogView, ring: LogRing, number: number): number {
  if (view.numbers === null) return Math.min(number, ring.end - 1) - ring.first;
  const { numbers } = view;
  if (ring.inOrder) return firstIndex(numbers.length, (i) => (numbers[i] ?? 0) > number) - 1;
  if (number >= ring.end) return numbers.length - 1;
  const time = timeAt(ring, number);
  if (time === undefined) return -1;
  return (
    firstIndex(numbers.length, (i) => {
      const other = numbers[i] ?? 0;
      const otherTime = timeAt(ring, other) ?? 0;
      return otherTime === time ? other > number : otherTime > time;
    }) - 1
  );
}

/** The position of the first line of the view at or behind a time, epoch ms; the length of the view when there is none. */
export function viewIndexAtTime(view: LogView, ring: LogRing, at: number): number {
  return firstIndex(
    viewLength(view, ring),
    (i) => (timeAt(ring, viewNumberAt(view, ring, i) ?? -1) ?? Infinity) >= at,
  );
}

/** The first index from 0 up to `length` for which it holds; it holds for all behind. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
