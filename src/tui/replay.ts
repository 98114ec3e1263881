import { readRecord, unstamped } from '../events/record.js';
import type { Stamp } from '../events/bus.js';
import type { AppEvent, Stamped } from '../events/catalogue.js';

/** Longest pause of a replay; a record that was left alone for an hour is not waited for. */
const LONGEST_PAUSE_MS = 5000;

/** Events that belong to this screen and this program, not to the recorded ones. */
const NOT_REPLAYED: ReadonlySet<AppEvent['type']> = new Set([
  'app.stopping',
  'panes.shown',
  'screen.resized',
  'screen.focused',
]);

/**
 * Publishes the events of a record with their pauses divided by `speed` (0: without pauses). `setStamp` is told the
 * recorded number and clocks before each event, so that ids and elapsed times are as they were.
 */
export async function replay(
  file: string,
  speed: number,
  publish: (event: AppEvent) => void,
  setStamp: (stamp: Stamp) => void,
): Promise<void> {
  let previous: Stamped | null = null;
  let due = performance.now();
  let sinceBreak = 0;
  for await (const event of readRecord(file)) {
    if (previous && speed > 0) {
      due += Math.min(LONGEST_PAUSE_MS, Math.max(0, event.mono - previous.mono)) / speed;
      const wait = due - performance.now();
      if (wait > 1) await new Promise((done) => setTimeout(done, wait));
    } else if (++sinceBreak % 500 === 0) await new Promise((done) => setImmediate(done));
    previous = event;
    setStamp(event);
    if (!NOT_REPLAYED.has(event.type)) publish(unstamped(event));
  }
}
