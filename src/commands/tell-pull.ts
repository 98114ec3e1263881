import { formatBytes, formatCountdown, formatDuration, formatUsage } from '../../widgets/text/format.js';
import type { PullProgress } from '../domain/model.js';
import { metered, NEW_METER, pullFigures, type PullFigures, type PullMeter } from '../domain/pull-meter.js';
import type { Work } from './with-work.js';

const BAR_CELLS = 20;
/** Reports come every 60 ms and layer. */
const TOLD_EVERY_MS = 250;

/** A pull that has ended well. */
export interface ToldPull {
  /** Tells the end of it: an object for programs, or for people this, with its size and its time. */
  say(text: string): void;
}

/** Tells the reports of a pull as they come. Null: they ended before it was done. `onProgress`: ` at 63 %`, or empty. */
export async function tellPull(
  work: Work,
  name: string,
  reports: AsyncIterable<PullProgress> | readonly PullProgress[],
  onProgress: (at: string) => void,
): Promise<ToldPull | null> {
  const { clock } = work.context.ports;
  const started = clock.monotonic();
  let meter = NEW_METER;
  let told = -Infinity;
  let cancel: (() => void) | null = null;
  const tellNow = (): void => {
    cancel?.();
    cancel = null;
    told = clock.monotonic();
    const figures = pullFigures(meter, told);
    work.tell(progressEvent(meter, figures));
    work.status.show(progressLine(name, meter, figures));
  };
  try {
    for await (const progress of reports) {
      const now = clock.monotonic();
      const fresh = meter.progress?.phase !== progress.phase;
      meter = metered(meter, progress, now);
      const { fraction } = pullFigures(meter, now);
      onProgress(fraction === null ? '' : ` at ${Math.round(fraction * 100)} %`);
      if (fresh || now - told >= TOLD_EVERY_MS) tellNow();
      // The next report may be long in coming.
      else cancel ??= clock.after(TOLD_EVERY_MS, tellNow);
    }
  } finally {
    cancel?.();
  }
  if (meter.progress?.phase !== 'done') return null;
  const { totalBytes } = pullFigures(meter, clock.monotonic());
  const ms = clock.monotonic() - started;
  return {
    say(text) {
      work.tell({ type: 'ended', outcome: 'complete', name, totalBytes, ms: Math.round(ms), fault: null });
      const size = totalBytes === null ? '' : `: ${formatBytes(totalBytes)}`;
      work.say(`${text}${size} in ${formatDuration(ms)}`);
    },
  };
}

function progressEvent(
  { progress }: PullMeter,
  { fraction, completedBytes, totalBytes, bytesPerSecond, leftMs }: PullFigures,
): Readonly<Record<string, unknown>> {
  return {
    type: 'progress',
    phase: progress?.phase ?? null,
    status: progress?.status ?? null,
    fraction,
    completedBytes,
    totalBytes,
    bytesPerSecond: bytesPerSecond === null ? null : Math.round(bytesPerSecond),
    leftMs: leftMs === null ? null : Math.round(leftMs),
    layers: progress?.layers ?? [],
  };
}

function progressLine(name: string, { progress }: PullMeter, figures: PullFigures): string {
  const { fraction, completedBytes, totalBytes, bytesPerSecond, leftMs } = figures;
  if (progress?.phase !== 'downloading') return `${name}  ${progress?.status ?? ''}`;
  const full = Math.round((fraction ?? 0) * BAR_CELLS);
  const bar = `[${'#'.repeat(full)}${' '.repeat(BAR_CELLS - full)}]`;
  const percent = fraction === null ? '  —' : String(Math.floor(fraction * 100)).padStart(3);
  const speed = bytesPerSecond === null ? '' : `  ${formatBytes(bytesPerSecond)}/s`;
  const left = leftMs === null ? '' : `  ${formatCountdown(leftMs)} left`;
  return `${name}  ${percent} % ${bar} ${formatUsage(completedBytes, totalBytes)}${speed}${left}`;
}
