import type { Clock } from '../ports.js';
import { createLineCutter, countLines } from './line-cutter.js';
import type { LogSink } from './log-source.js';
import { createLineParser, type LineParserOptions } from './parse.js';

export interface LineIntakeOptions {
  readonly clock: Clock;
  readonly sink: LogSink;
  readonly source: string;
  readonly envelope?: LineParserOptions['envelope'];
  readonly limits?: Partial<IntakeLimits>;
  /** Who waits for all of it gets all of it: a full batch is handed on at once. */
  readonly whole?: boolean;
  /** Lines whose envelope tells this place were shown already. */
  readonly after?: string | null;
}

export interface IntakeLimits {
  /** What comes within this is one batch. */
  readonly batchMs: number;
  /** What is more in a batch is counted, not parsed: the log pane would drop it unseen, and keys would wait. */
  readonly batchBytes: number;
}

const LIMITS: IntakeLimits = { batchMs: 100, batchBytes: 512 * 1024 };

const NEWLINE = 10;
/** Of what is more than a batch the end is shown: it is the newest. */
const KEPT_BYTES = 64 * 1024;

/** The bytes of a child cut into lines, parsed and handed on in batches. */
export interface LineIntake {
  /** One of the two outputs, which may break off in the middle of a line each. */
  push(bytes: Buffer, output: 'stdout' | 'stderr', past: boolean): void;
  /** Hands on what waits, with last lines without a line break. */
  end(): void;
  /** Where to go on behind the last line. */
  readonly place: string | null;
}

/** What came when a batch was full. */
interface Surplus {
  /** The line in which it begins; `told`: it was shown, cut, and does not count any more. */
  open: 'waits' | 'told' | null;
  kept: Buffer[];
  keptBytes: number;
}

export function createLineIntake(options: LineIntakeOptions): LineIntake {
  const { clock, sink, source, after } = options;
  const { batchMs, batchBytes } = { ...LIMITS, ...options.limits };
  const parserOptions = options.envelope ? { envelope: options.envelope } : {};
  const parser = createLineParser(source, parserOptions);
  const progressParser = createLineParser(source, parserOptions);
  const cutters = { stdout: createLineCutter(), stderr: createLineCutter() };
  const surplus: Record<'stdout' | 'stderr', Surplus | null> = { stdout: null, stderr: null };
  let raws: string[] = [];
  let taken = 0;
  let skipped = 0;
  let allPast = true;
  let shownProgress: string | null = null;
  let cancel: (() => void) | null = null;

  const take = (line: string): void => void raws.push(line);

  function flush(): void {
    cancel?.();
    cancel = null;
    taken = 0;
    const past = allPast;
    allPast = true;
    // What has ended is not shown beside its end.
    if (progressNow() === null) tellProgress();
    handOn(past);
    for (const output of ['stdout', 'stderr'] as const) {
      takeUp(output);
      handOn(past);
    }
    tellProgress();
  }

  function handOn(past: boolean): void {
    if (raws.length === 0 && skipped === 0) return;
    const [waiting, count] = [raws, skipped];
    raws = [];
    skipped = 0;
    const fresh = parser.parse(waiting, clock.now(), !past);
    const lines = after === null || after === undefined ? fresh : fresh.slice(seenBefore(waiting, after));
    if (lines.length > 0 || count > 0) sink.onLines(lines, count, past);
  }

  const progressNow = (): string | null => cutters.stdout.progress() ?? cutters.stderr.progress();

  function tellProgress(): void {
    const text = progressNow();
    if (text === shownProgress) return;
    shownProgress = text;
    const [line] = text === null ? [] : progressParser.parse([text], clock.now(), true);
    sink.onProgress?.(line ?? null);
  }

  /** The end of what was too much goes the usual way, from its first whole line. */
  function takeUp(output: 'stdout' | 'stderr'): void {
    const more = surplus[output];
    if (!more) return;
    surplus[output] = null;
    const bytes = Buffer.concat(more.kept);
    const from = more.open === null ? 0 : bytes.indexOf(NEWLINE) + 1;
    if (more.open !== null && from === 0) {
      // One line that has no end yet.
      if (more.open === 'waits') skipped++;
      return cutters[output].reset(true);
    }
    count(bytes.subarray(0, from), more);
    cutters[output].push(bytes.subarray(from), take);
  }

  function count(bytes: Buffer, more: Surplus): void {
    const lines = countLines(bytes);
    skipped += lines > 0 && more.open === 'told' ? lines - 1 : lines;
    if (bytes.length === 0) return;
    if (bytes.at(-1) === NEWLINE) more.open = null;
    else if (lines > 0 || more.open === null) more.open = 'waits';
  }

  return {
    push(bytes, output, past) {
      if (options.whole === true && taken > batchBytes) flush();
      cancel ??= clock.after(batchMs, flush);
      if (!past) allPast = false;
      const cutter = cutters[output];
      if (taken <= batchBytes) {
        taken += bytes.length;
        return cutter.push(bytes, take);
      }
      const more = (surplus[output] ??= { open: cutter.open, kept: [], keptBytes: 0 });
      if (more.keptBytes === 0) cutter.reset(false);
      more.kept.push(Buffer.from(bytes));
      more.keptBytes += bytes.length;
      while (more.kept.length > 1 && more.keptBytes - (more.kept[0]?.length ?? 0) >= KEPT_BYTES) {
        const [oldest = Buffer.alloc(0)] = more.kept.splice(0, 1);
        more.keptBytes -= oldest.length;
        count(oldest, more);
      }
    },
    end() {
      flush();
      for (const cutter of [cutters.stdout, cutters.stderr]) {
        cutter.end(take);
        cutter.reset(false);
      }
      flush();
    },
    get place() {
      return parser.place;
    },
  };
}

/** docker goes on with the line that was the last one. */
function seenBefore(raws: readonly string[], after: string): number {
  let count = 0;
  while (count < raws.length && raws[count]?.startsWith(after)) count++;
  return count;
}
