import type { Clock } from '../../src/ports.js';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Lets time pass; timers fire in their order. */
  advance(ms: number): void;
  /** Wall-clock time jumps without any time passing. */
  jump(ms: number): void;
}

export function createManualClock(startAt = Date.UTC(2026, 0, 1, 12, 0, 0)): ManualClock {
  let mono = 0;
  let offset = startAt;
  let id = 0;
  const timers = new Map<number, { at: number; run: () => void }>();
  return {
    now: () => offset + mono,
    monotonic: () => mono,
    after(delayMs, run) {
      const key = id++;
      timers.set(key, { at: mono + Math.max(0, delayMs), run });
      return () => timers.delete(key);
    },
    advance(ms) {
      const end = mono + ms;
      for (;;) {
        const due = [...timers]
          .filter(([, t]) => t.at <= end)
          .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (!due) break;
        timers.delete(due[0]);
        mono = due[1].at;
        due[1].run();
      }
      mono = end;
    },
    jump(ms) {
      offset += ms;
    },
  };
}
