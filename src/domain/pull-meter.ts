import type { PullLayer, PullProgress } from './model.js';

/** Measures a pull from the reports of its server. */
export interface PullMeter {
  /** The last report. */
  readonly progress: PullProgress | null;
  /** Fetched since this pull began; what the server had before is not in it. */
  readonly receivedBytes: number;
  /** Of the last seconds, oldest first. */
  readonly samples: readonly PullSample[];
}

export interface PullSample {
  /** Monotonic time in ms. */
  readonly mono: number;
  readonly receivedBytes: number;
}

/** What is told of a pull. Null: not known (yet). */
export interface PullFigures {
  /** 0..1 of what is known to be fetched; it may fall when a further layer becomes known. */
  readonly fraction: number | null;
  readonly completedBytes: number | null;
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
}

/** The speed is that of so long ago until now. */
const WINDOW_MS = 10_000;
/** A speed of less time than this says nothing. */
const SHORTEST_MS = 1000;
const SAMPLE_EVERY_MS = 250;
/** Longer than this nobody waits: the connection hangs, and the figure would be noise. */
const LONGEST_LEFT_MS = 100 * 3600_000;

export const NEW_METER: PullMeter = { progress: null, receivedBytes: 0, samples: [] };

/** The meter after one more report. `mono`: now. */
export function metered(meter: PullMeter, progress: PullProgress, mono: number): PullMeter {
  const receivedBytes = meter.receivedBytes + receivedBetween(meter.progress, progress);
  const samples =
    progress.completedBytes === null ? meter.samples : sampled(meter.samples, { mono, receivedBytes });
  return { progress, receivedBytes, samples };
}

/** `mono`: now. The speed is our own measure, since servers tell none; of a pull that stopped it means nothing. */
export function pullFigures({ progress, samples }: PullMeter, mono: number): PullFigures {
  const totalBytes = progress?.totalBytes ?? null;
  const completedBytes = clamped(progress?.completedBytes ?? null, totalBytes);
  const whole = progress?.phase === 'verifying' || progress?.phase === 'done';
  const bytesPerSecond = progress?.phase === 'downloading' ? speedOf(samples, mono) : null;
  const leftMs =
    bytesPerSecond === null || bytesPerSecond <= 0 || totalBytes === null || completedBytes === null
      ? null
      : ((totalBytes - completedBytes) / bytesPerSecond) * 1000;
  return {
    fraction: whole ? 1 : fractionOf(completedBytes, totalBytes),
    completedBytes,
    totalBytes,
    bytesPerSecond,
    leftMs: leftMs !== null && leftMs <= LONGEST_LEFT_MS ? leftMs : null,
  };
}

/**
 * What came between two reports, layer by layer: a layer that becomes known with a part of it there was fetched before. A layer that
 * shrank is fetched anew, so what it then grows by did come.
 */
function receivedBetween(before: PullProgress | null, now: PullProgress): number {
  if (now.layers.length === 0) {
    const had = before?.completedBytes ?? null;
    return had === null || now.completedBytes === null ? 0 : Math.max(0, now.completedBytes - had);
  }
  return now.layers.reduce((sum, layer) => sum + grownBy(before?.layers ?? [], layer), 0);
}

function grownBy(before: readonly PullLayer[], layer: PullLayer): number {
  const had = before.find(({ id }) => id === layer.id);
  return had ? Math.max(0, layer.completedBytes - had.completedBytes) : 0;
}

function sampled(samples: readonly PullSample[], sample: PullSample): readonly PullSample[] {
  const [before, last] = [samples.at(-2), samples.at(-1)];
  const dense = before && last && last.mono - before.mono < SAMPLE_EVERY_MS;
  const all = [...(dense ? samples.slice(0, -1) : samples), sample];
  // One from before the window stays: the speed is counted from it.
  const first = all.findLastIndex(({ mono }) => mono <= sample.mono - WINDOW_MS);
  return first > 0 ? all.slice(first) : all;
}

function speedOf(samples: readonly PullSample[], mono: number): number | null {
  const last = samples.at(-1);
  if (!last) return null;
  const now = Math.max(mono, last.mono);
  const from = samples.findLast((sample) => sample.mono <= now - WINDOW_MS) ?? samples[0] ?? last;
  const span = now - from.mono;
  return span < SHORTEST_MS ? null : (Math.max(0, last.receivedBytes - from.receivedBytes) / span) * 1000;
}

function clamped(completed: number | null, total: number | null): number | null {
  if (completed === null) return null;
  return Math.max(0, total === null ? completed : Math.min(completed, total));
}

function fractionOf(completed: number | null, total: number | null): number | null {
  return completed === null || total === null || total <= 0 ? null : completed / total;
}
