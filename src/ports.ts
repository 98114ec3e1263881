/**
 * The outside world that is not a file, a socket or a child process. Files, sockets and children are used directly (tests use real
 * ones in temporary folders and on loopback); what a test must be able to steer stands here.
 */

/** Time. Wall-clock time is only for showing and storing; every duration comes from the monotonic clock. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  /**
   * Calls `run` once after `delayMs`; 0: as soon as all that came together is done with, before anything is waited for. Returns a function
   * that cancels it. The timer does not keep the process alive.
   */
  after(delayMs: number, run: () => void): () => void;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What differs between this machine and a test. */
export interface Ports {
  readonly clock: Clock;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** The real clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Not performance.now(): the first use of it loads node:perf_hooks, 1 ms before the first frame.
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  after(delayMs, run) {
    if (delayMs <= 0) {
      // A timer of zero would be one of 1 ms: the process would sleep and be woken up for it.
      const immediate = setImmediate(run);
      immediate.unref();
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Milliseconds until the next beat of this period, which is the same for all: what is done once a second is done together, in one wake-up
 * and one frame. One that is closer than half a period is left out.
 */
export function untilBeat(clock: Pick<Clock, 'monotonic'>, periodMs: number): number {
  const left = Math.ceil(periodMs - (clock.monotonic() % periodMs));
  return left < periodMs / 2 ? left + periodMs : left;
}
