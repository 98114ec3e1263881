/**
 * How many threads calculate, from what they got of the processors. Threads of the engine wait for each other by spinning, hundreds of times
 * a token: one that has to share its core with somebody else's work lets all the others burn theirs, and an answer takes a hundred times as
 * long. With fewer threads there is less to wait for.
 */
export interface ThreadPace {
  readonly threads: number;
  /** Before work, with what was since the last: what nobody used then, and what was used here, is there now. True: `threads` has changed. */
  begins(use: ProcessorUse): boolean;
  /** After some work of these threads alone; true: `threads` has changed. */
  worked(use: ProcessorUse): boolean;
}

/** Over one stretch of time, in milliseconds. */
export interface ProcessorUse {
  readonly wallMs: number;
  /** Of this process, over all its threads. */
  readonly ownMs: number;
  /** Of all processors together, not used by anybody. */
  readonly idleMs: number;
}

/** Shorter stretches say nothing: the system counts its idle time in steps of 10 ms. */
const STRETCH_MS = 200;
/** A thread that gets less of a core shares it. */
const LEAST_SHARE = 0.75;
/** So much of a core has nothing to do when there is room for one thread more. */
const IDLE_CORES = 0.8;
/** Stretches until more is tried; doubled each time it was too much. */
const PATIENCE = { first: 2, most: 64 } as const;

/** Begins with `most`. */
export function createThreadPace(most: number): ThreadPace {
  let threads = most;
  let patience: number = PATIENCE.first;
  let calm = 0;
  let raised = false;
  let sum = { wallMs: 0, ownMs: 0, idleMs: 0 };

  function judge(): boolean {
    const own = sum.ownMs / sum.wallMs;
    const idle = sum.idleMs / sum.wallMs;
    sum = { wallMs: 0, ownMs: 0, idleMs: 0 };
    const before = threads;
    if (own < threads * LEAST_SHARE && threads > 1) {
      // It was more than there is room for: try again later and later.
      patience = raised ? Math.min(patience * 2, PATIENCE.most) : PATIENCE.first;
      threads = Math.max(1, Math.min(threads - 1, Math.floor(own + 1 - LEAST_SHARE)));
      calm = 0;
      raised = false;
    } else if (threads < most && idle >= IDLE_CORES && ++calm >= patience) {
      threads++;
      calm = 0;
      raised = true;
    }
    return threads !== before;
  }

  return {
    get threads() {
      return threads;
    },
    begins({ wallMs, ownMs, idleMs }) {
      if (wallMs < STRETCH_MS) return false;
      const before = threads;
      const free = (ownMs + idleMs) / wallMs;
      threads = Math.max(1, Math.min(most, Math.floor(free + 1 - LEAST_SHARE)));
      calm = 0;
      raised = false;
      return threads !== before;
    },
    worked({ wallMs, ownMs, idleMs }) {
      sum = { wallMs: sum.wallMs + wallMs, ownMs: sum.ownMs + ownMs, idleMs: sum.idleMs + idleMs };
      return sum.wallMs >= STRETCH_MS && judge();
    },
  };
}
