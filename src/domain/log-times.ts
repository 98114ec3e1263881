import type { LogLine } from './log.js';

/** A time of a line may be ahead of our clock by so much; more is another clock. */
const MOST_AHEAD_MS = 2000;
/** So long may a line be on its way; one that is older goes by another clock, and would be put where nobody looks. */
const MOST_LATE_MS = 10_000;

/**
 * The times by which lines of one source stand among those of the others. The order within a source is that in which it was written and
 * is never changed; a line without a time of its own stands with the line before it when it was written long ago (`past`), else with the
 * next one of its batch that has a time, else where it came. The times of another clock than ours count for nothing.
 * @param last time of the last line of this source; null: there was none.
 * @param arrivedAt epoch ms.
 */
export function timesOf(
  lines: readonly LogLine[],
  last: number | null,
  arrivedAt: number,
  past: boolean,
): readonly number[] {
  const isOurs = (at: number): boolean =>
    at <= arrivedAt + MOST_AHEAD_MS && (past || at >= arrivedAt - MOST_LATE_MS);
  const times: number[] = Array.from({ length: lines.length }, () => arrivedAt);
  let next: number | null = null;
  for (let i = lines.length - 1; i >= 0; i--) {
    const own = lines[i]?.at ?? null;
    // Long ago a line of another clock stands with its neighbours, too.
    if (own !== null && (isOurs(own) || !past)) next = isOurs(own) ? own : null;
    times[i] = next ?? (past ? (last ?? -Infinity) : arrivedAt);
  }
  let before = last ?? -Infinity;
  for (let i = 0; i < times.length; i++) {
    const at = lines[i]?.at ?? null;
    // Of what was written long ago nothing but its neighbours tells the time.
    const wanted = at === null && past && before > -Infinity ? before : (times[i] ?? arrivedAt);
    before = Math.max(before, wanted);
    if (before === -Infinity) before = arrivedAt;
    times[i] = before;
  }
  return times;
}
