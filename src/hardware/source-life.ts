import type { SourceState } from '../domain/hardware.js';
import type { Clock } from '../ports.js';

/**
 * The life of one source of readings, the same for all: unknown → probing → live → stale → failed(reason, next try) → probing …
 *
 * A probe says what it sees, this says what that means and when to try again:
 *
 * - `probing()` before each start or question that may take long. Cancels a waiting try.
 * - `live(nextWithinMs)` on each answer. When the next does not come within that time it turns `stale` by itself.
 * - `stale(reason)` when it still runs but says nothing any more. The next `live()` ends it. One that never answered stays as it is.
 * - `failed(reason, hint)` when it ended, was refused or was given up. `retry` is called after 5, 10, 30, then every 60 s; a life of a
 *   minute begins again with 5 s.
 * - `absent()` when the program or the files are not on this machine: not a fault, looked for again after 5 minutes.
 * - `stop()` when nobody looks. It is `unknown` again, without telling it; how often it failed is kept.
 *
 * `tell` hears every change once; what is the same is not told again.
 */
export interface SourceLife {
  readonly state: SourceState;
  probing(): void;
  live(nextWithinMs?: number): void;
  stale(reason: string): void;
  failed(reason: string, hint?: string): void;
  absent(): void;
  stop(): void;
}

export interface SourceLifeOptions {
  readonly clock: Clock;
  readonly tell: (state: SourceState) => void;
  /** Starts the source again; called from the clock. */
  readonly retry: () => void;
  /** Pauses before it is tried again; the last one repeats. */
  readonly backOffMs?: readonly number[];
  readonly absentMs?: number;
  /** So long it must have lived for its failures to be forgotten. */
  readonly goodLifeMs?: number;
  /** 0..1, spreads the tries of many dashboards over a fifth of the pause. */
  readonly random?: () => number;
}

const BACK_OFF_MS: readonly number[] = [5000, 10_000, 30_000, 60_000];
const ABSENT_MS = 5 * 60_000;
const GOOD_LIFE_MS = 60_000;
const JITTER = 0.2;

export function createSourceLife(options: SourceLifeOptions): SourceLife {
  const { clock, random = Math.random, absentMs = ABSENT_MS, goodLifeMs = GOOD_LIFE_MS } = options;
  const backOffMs = options.backOffMs ?? BACK_OFF_MS;
  let state: SourceState = { state: 'unknown' };
  let failures = 0;
  let liveSince: number | null = null;
  let cancelRetry: (() => void) | null = null;
  let cancelSilence: (() => void) | null = null;

  function become(next: SourceState): void {
    if (isSame(state, next)) return;
    state = next;
    options.tell(next);
  }

  function quiet(): void {
    cancelSilence?.();
    cancelSilence = null;
    cancelRetry?.();
    cancelRetry = null;
  }

  function retryIn(ms: number): void {
    cancelRetry = clock.after(ms, () => {
      cancelRetry = null;
      options.retry();
    });
  }

  function stale(reason: string): void {
    cancelSilence?.();
    cancelSilence = null;
    if (state.state === 'live' || state.state === 'stale') become({ state: 'stale', reason });
  }

  return {
    get state() {
      return state;
    },
    probing() {
      quiet();
      liveSince = null;
      become({ state: 'probing' });
    },
    live(nextWithinMs) {
      cancelSilence?.();
      cancelSilence =
        nextWithinMs === undefined
          ? null
          : clock.after(nextWithinMs, () => stale(`no answer for ${Math.round(nextWithinMs / 1000)} s`));
      liveSince ??= clock.monotonic();
      if (state.state !== 'live') become({ state: 'live' });
    },
    stale,
    failed(reason, hint) {
      quiet();
      const goodLife = liveSince !== null && clock.monotonic() - liveSince >= goodLifeMs;
      failures = goodLife ? 1 : failures + 1;
      liveSince = null;
      const pause = backOffMs[Math.min(failures, backOffMs.length) - 1] ?? ABSENT_MS;
      const ms = pause * (1 + JITTER * random());
      retryIn(ms);
      become({
        state: 'failed',
        reason,
        ...(hint !== undefined && { hint }),
        // Only for showing.
        nextTryMs: Math.round(clock.now() + ms),
      });
    },
    absent() {
      quiet();
      liveSince = null;
      retryIn(absentMs);
      become({ state: 'absent' });
    },
    stop() {
      quiet();
      liveSince = null;
      state = { state: 'unknown' };
    },
  };
}

function isSame(a: SourceState, b: SourceState): boolean {
  if (a.state !== b.state) return false;
  if (a.state === 'stale' && b.state === 'stale') return a.reason === b.reason;
  // A new failure has a new time of the next try.
  return a.state !== 'failed';
}
