import { LOG_LEVELS, type LogLevel, type LogLine } from './log.js';
import { matchesPattern, type LogPattern } from './log-pattern.js';
import { ringLength, visitLines, type LogRing } from './log-ring.js';

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
}

/** Which lines of a ring pass a filter. Immutable; extended as lines come instead of computed anew. */
export interface LogView {
  readonly filter: LogFilter;
  /** Numbers of the lines that pass, ascending; null when every line passes. */
  readonly numbers: readonly number[] | null;
  /** Lines before this number have been looked at. */
  readonly scanned: number;
  /** The part of the ring that the view knows. */
  readonly first: number;
  readonly end: number;
}

/** A view that has looked at nothing yet. Make a new one only when the filter changes. */
export function emptyView(filter: LogFilter): LogView {
  const all = filter.level === 'debug' && filter.source === null && filter.pattern === null;
  return { filter, numbers: all ? null : [], scanned: 0, first: 0, end: 0 };
}

/** Whether a line passes. */
export function passes(filter: LogFilter, line: LogLine): boolean {
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
  if (view.numbers === null) return { ...view, scanned: ring.end, first: ring.first, end: ring.end };
  const numbers = view.numbers.slice(lowerBound(view.numbers, ring.first));
  let scanned = Math.max(view.scanned, ring.first);
  let left = most;
  visitLines(ring, scanned, (line, number) => {
    if (left-- <= 0 || isLate?.()) return false;
    if (passes(view.filter, line)) numbers.push(number);
    scanned = number + 1;
    return true;
  });
  return { filter: view.filter, numbers, scanned, first: ring.first, end: ring.end };
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

/** The position of the last line of the view with a number up to `number`; -1 when there is none. For a held log. */
export function viewIndexOf(view: LogView, ring: LogRing, number: number): number {
  if (view.numbers === null) return Math.min(number, ring.end - 1) - ring.first;
  return lowerBound(view.numbers, number + 1) - 1;
}

function lowerBound(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
