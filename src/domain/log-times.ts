import type { LogLine } from './log.js';

/** A time of a line may be ahead of our clock by so much; more is another clock. */
const MOST_AHEAD_MS = 2000;

/**
 * The times by which lines of one source stand among those of the others. The order within a source is that in which it was written and
 * is never changed; a line without a time of its own stands with the line before it when it was written long ago (`past`), else with the
 * next one of its batch that has a time, else where it came. A clock that is ahead of ours counts as ours.
 * @param last time of the last line of this source; null: there was none.
 * @param arrivedAt epoch ms.
 */
export function timesOf(
  lines: readonly LogLine[],
  last: number | null,
  arrivedAt: number,
  past: boolean,
): readonly number[] {
  const times: number[] = Array.from({ length: lines.length }, () => arrivedAt);
  let next: number | null = null;
  for (let i = lines.length - 1; i >= 0; i--) {
    const own = lines[i]?.at ?? null;
    if (own !== null && own <= arrivedAt + MOST_AHEAD_MS) next = own;
    times[i] = next ?? (past ? (last ?? -Infinity) : arrivedAt);
  }
  let before = last ?? -Infinity;
  for (let i = 0; i < times.length; i++) {
    const at = lines[i]?.at ?? null;
    // Of what was written long ago nothing but its neighbours tells the time.
    const wanted = at === null && past && before > -Infinity ? before : (times[i] ?? arrivedAt);
    before = Math.max(before, wanted === -Infinity ? arrivedAt : wanted);
    times[i] = before;
  }
  return times;
}
