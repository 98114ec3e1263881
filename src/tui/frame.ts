import type { Clock } from '../ports.js';

export interface Frames {
  /** Something to be shown changed. Urgent (a key): painted now; else with the next frame. */
  request(urgent: boolean): void;
  /** The link can take a frame again. */
  resume(): void;
  stop(): void;
  /** Frames painted so far. */
  readonly painted: number;
}

export interface FramesOptions {
  readonly clock: Clock;
  readonly framesPerSecond: number;
  /** Paints the newest state and writes it; false when the link is busy, and then `resume` comes. */
  readonly paint: () => boolean;
}

/**
 * The one place that decides when the screen is painted. Facts are never coalesced, frames are: at most N a second, at once after a
 * key, and none while the link is busy, where only "dirty" is remembered.
 */
export function createFrames(options: FramesOptions): Frames {
  const { clock, paint } = options;
  const intervalMs = 1000 / options.framesPerSecond;
  let dirty = false;
  let blocked = false;
  let stopped = false;
  let painted = 0;
  let lastMono = -Infinity;
  let cancelTimer: (() => void) | null = null;

  function run(): void {
    cancelTimer?.();
    cancelTimer = null;
    if (!dirty || blocked || stopped) return;
    dirty = false;
    painted++;
    lastMono = clock.monotonic();
    if (!paint()) {
      dirty = true;
      blocked = true;
    }
  }

  return {
    request(urgent) {
      dirty = true;
      if (stopped || blocked) return;
      const due = lastMono + intervalMs - clock.monotonic();
      if (urgent || due <= 0) run();
      else cancelTimer ??= clock.after(due, run);
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
