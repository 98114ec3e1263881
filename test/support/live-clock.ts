import type { Clock } from '../../src/ports.js';

/** Real time that can be moved on: waits of seconds pass at once, sockets and files keep their own pace. */
export interface LiveClock extends Clock {
  /** So much time is over at once; what was due meanwhile runs, in its order. What that starts counts from now. */
  skip(ms: number): void;
  /** Ends all timers. */
  stop(): void;
}

export function createLiveClock(): LiveClock {
  let skipped = 0;
  let stopped = false;
  const timers = new Map<object, { readonly at: number; readonly run: () => void; handle: NodeJS.Timeout }>();
  const monotonic = (): number => performance.now() + skipped;

  return {
    now: () => Date.now() + skipped,
    monotonic,
    after(delayMs, run) {
      const key = {};
      if (stopped) return () => undefined;
      const fire = (): void => {
        timers.delete(key);
        run();
      };
      timers.set(key, { at: monotonic() + delayMs, run: fire, handle: setTimeout(fire, delayMs) });
      return () => {
        clearTimeout(timers.get(key)?.handle);
        timers.delete(key);
      };
    },
    skip(ms) {
      skipped += ms;
      const now = monotonic();
      const due = [...timers.entries()].filter(([, { at }]) => at <= now).sort(([, a], [, b]) => a.at - b.at);
      for (const [key, timer] of due) {
        // One that ran before may have cancelled it.
        if (!timers.has(key)) continue;
        clearTimeout(timer.handle);
        timer.run();
      }
      // The others are due so much sooner.
      for (const timer of timers.values()) {
        clearTimeout(timer.handle);
        timer.handle = setTimeout(timer.run, Math.max(0, timer.at - monotonic()));
      }
    },
    stop() {
      stopped = true;
      for (const { handle } of timers.values()) clearTimeout(handle);
      timers.clear();
    },
  };
}
