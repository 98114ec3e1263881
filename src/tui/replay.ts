import { LmappError, messageOf } from '../errors.js';
import { readRecord, unstamped } from '../events/record.js';
import type { AppEvent, Stamped } from '../events/catalogue.js';
import type { ReplayFault } from './replay-watch.js';

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
 * Publishes the events of a record with their pauses divided by `speed` (0: without pauses). `onNext` is told the
 * recorded number and clocks and the line before each event, so that ids and elapsed times are as they were. It ends when `isOver` says so.
 */
export async function replay(
  file: string,
  speed: number,
  publish: (event: AppEvent) => void,
  onNext: (event: Stamped, line: number) => void,
  isOver: () => boolean = () => false,
): Promise<void> {
  let previous: Stamped | null = null;
  let due = performance.now();
  let sinceBreak = 0;
  for await (const { line, event } of readRecord(file)) {
    if (previous && speed > 0) {
      due += Math.min(LONGEST_PAUSE_MS, Math.max(0, event.mono - previous.mono)) / speed;
      const wait = due - performance.now();
      if (wait > 1) await new Promise((done) => setTimeout(done, wait));
    } else if (++sinceBreak % 500 === 0) await new Promise((done) => setImmediate(done));
    if (isOver()) return;
    previous = event;
    onNext(event, line);
    if (!NOT_REPLAYED.has(event.type)) publish(unstamped(event));
  }
}

/** Tells of a line that is none: what came before it stays on the screen. */
export function stoppedReplay(error: unknown): AppEvent {
  const hint = error instanceof LmappError ? error.hint : null;
  return { type: 'notice.raised', level: 'bad', text: messageOf(error), hint };
}

/**
 * The error that tells of a fault. Many events may have come before the frame that failed: they are folded and painted again, one by one,
 * with `show`, which throws at the one that is meant.
 */
export async function replayError(
  file: string,
  { first, last, cause }: ReplayFault,
  show: (event: Stamped, paints: boolean) => void,
): Promise<LmappError> {
  const line = first === last ? last : await lineThatFails(file, first, last, show);
  const place = line === null ? `${file}: one of the lines ${first} to ${last}` : `${file}:${line}`;
  return new LmappError('record', `${place} cannot be replayed: ${messageOf(cause)}`, {
    hint: 'The file was changed, or another version of lmapp wrote it: take the line out, or record anew.',
    cause,
  });
}

async function lineThatFails(
  file: string,
  first: number,
  last: number,
  show: (event: Stamped, paints: boolean) => void,
): Promise<number | null> {
  for await (const { line, event } of readRecord(file)) {
    if (line > last) break;
    if (NOT_REPLAYED.has(event.type)) continue;
    try {
      show(event, line >= first);
    } catch {
      return line;
    }
  }
  return null;
}
