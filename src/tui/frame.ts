import type { Clock } from '../ports.js';

export interface Frames {
  /** Something to be shown changed. Urgent (a key): painted now; else with the next frame. */
  request(urgent: boolean): void;
  /** Does what a key asks for and paints what came of it, once, as urgent. */
  urgently(run: () => void): void;
  /** The link can take a frame again. */
  resume(): void;
  stop(): void;
  /** Frames painted so far. */
  readonly painted: number;
}

export interface FramesOptions {
  readonly clock: Clock;
  readonly framesPerSecond: number;
  /** Paints the newest state and writes it, as far as the link takes it; false when it does not take all, and then `resume` comes. */
  readonly paint: (urgent: boolean) => boolean;
}

/**
 * The one place that decides when the screen is painted. Facts are never coalesced, frames are: at most N a second, one for all that came
 * together, at once after a key, and none while the link is busy, where only "dirty" is remembered.
 */
export function createFrames(options: FramesOptions): Frames {
  const { clock, paint } = options;
  const intervalMs = 1000 / options.framesPerSecond;
  let dirty = false;
  let blocked = false;
  let urgent = false;
  let holding = false;
  let painting = false;
  let stopped = false;
  let painted = 0;
  /** When the next frame is due at an even pace. One frame may come before: what arrives between two ticks must not put all later frames off. */
  let dueMono = -Infinity;
  let cancelTimer: (() => void) | null = null;

  function run(): void {
    cancelTimer?.();
    cancelTimer = null;
    if (!dirty || stopped || (blocked && !urgent)) return;
    dirty = false;
    const now = clock.monotonic();
    const hurry = urgent;
    urgent = false;
    painted++;
    dueMono = Math.min(Math.max(dueMono, now) + intervalMs, now + 2 * intervalMs);
    painting = true;
    const taken = paint(hurry);
    painting = false;
    if (taken) return;
    dirty = true;
    blocked = true;
  }

  function request(now: boolean): void {
    dirty = true;
    if (now) urgent = true;
    if (stopped || holding || (blocked && !urgent)) return;
    const wait = painting ? intervalMs : dueMono - intervalMs - clock.monotonic();
    if (urgent && !painting) run();
    else cancelTimer ??= clock.after(Math.max(0, wait), run);
  }

  return {
    request,
    urgently(change) {
      holding = true;
      try {
        change();
      } finally {
        holding = false;
      }
      request(true);
    },
    resume() {
      blocked = false;
      if (dirty) run();
    },
    stop() {
      stopped = true;
      cancelTimer?.();
    },
    get painted() {
      return painted;
    },
  };
}
