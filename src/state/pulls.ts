import type { Fault } from '../domain/fault.js';
import type { PullLayer, PullProgress } from '../domain/model.js';

/** A model that is being fetched by a server. It is listed until the server lists the model, or until it is taken away by hand. */
export interface Pull {
  readonly id: string;
  readonly backendId: string;
  /** As typed. */
  readonly name: string;
  /**
   * waiting: others are fetched first. stopped: by the user or by a fault; pulled again it goes on where it was. done: the server has the
   * model and did not list it yet.
   */
  readonly state: 'waiting' | 'running' | 'stopped' | 'done';
  readonly progress: PullProgress | null;
  /** Fetched since this pull began; what the server had before is not in it. */
  readonly receivedBytes: number;
  /** Of the last seconds, oldest first. */
  readonly samples: readonly PullSample[];
  readonly startedMono: number;
  /** Since when the phase lasts: verifying says nothing for minutes. */
  readonly phaseMono: number;
  readonly fault: Fault | null;
}

export interface PullSample {
  readonly mono: number;
  readonly receivedBytes: number;
}

/** What the screen tells of a pull. Null: not known (yet). */
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

export function newPull(id: string, backendId: string, name: string, mono: number): Pull {
  return {
    id,
    backendId,
    name,
    state: 'waiting',
    progress: null,
    receivedBytes: 0,
    samples: [],
    startedMono: mono,
    phaseMono: mono,
    fault: null,
  };
}

/** The pull after one more report of its server. */
export function progressed(pull: Pull, progress: PullProgress, mono: number): Pull {
  const receivedBytes = pull.receivedBytes + receivedBetween(pull.progress, progress);
  return {
    ...pull,
    state: 'running',
    progress,
    receivedBytes,
    samples: progress.completedBytes === null ? pull.samples : sampled(pull.samples, { mono, receivedBytes }),
    phaseMono: pull.progress?.phase === progress.phase ? pull.phaseMono : mono,
  };
}

/** `mono`: now. Our own measure, since servers tell no speed. */
export function pullFigures(pull: Pull, mono: number): PullFigures {
  const { progress } = pull;
  const totalBytes = progress?.totalBytes ?? null;
  const completedBytes = clamped(progress?.completedBytes ?? null, totalBytes);
  const whole = progress?.phase === 'verifying' || progress?.phase === 'done';
  const bytesPerSecond =
    pull.state === 'running' && progress?.phase === 'downloading' ? speedOf(pull.samples, mono) : null;
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
