import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Asks V8 for less memory rather than for the least work. Its nursery grows to 2 x 16 MB under any load, though what a dashboard makes
 * dies young in one of 2 x 2 MB as well (that costs a thousandth of a core at 500 tok/s); and it lets old garbage grow to several times of what
 * is alive before it looks for it. Both are read at each collection, so they may be set while the program runs; the size that was reached
 * stays.
 */
export function keepHeapSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  v8.setFlagsFromString('--heap-growing-percent=30');
}

export interface IdleCollector {
  /** To be called now and then while nobody waits for anything: gives back what was let go since the last time, if it is worth it. */
  collect(): void;
}

/** Less is left to V8. */
const WORTH_BYTES = 2 * 1024 * 1024;
/** Gauges and polls alone make that much every few seconds, which may lie for a while; more than this is given back at once. */
const MUCH_BYTES = 6 * 1024 * 1024;
const REST_MS = 30_000;

/**
 * A dashboard stands open for days, mostly idle, and V8 collects only when something is made: without this the garbage of the last long
 * answer stays until the next one. A collection takes some 10 ms, at a moment when nothing runs.
 */
export function createIdleCollector(monotonic: () => number): IdleCollector {
  v8.setFlagsFromString('--expose-gc');
  const gc: unknown = vm.runInNewContext('globalThis.gc');
  let usedBefore = 0;
  // Pages that one collection emptied are given back by the next.
  let again = false;
  let lastMono = -Infinity;
  return {
    collect() {
      const made = v8.getHeapStatistics().used_heap_size - usedBefore;
      const worth = made >= (monotonic() - lastMono >= REST_MS ? WORTH_BYTES : MUCH_BYTES);
      if (typeof gc !== 'function' || !(worth || again)) return;
      again = worth;
      lastMono = monotonic();
      gc();
      usedBefore = v8.getHeapStatistics().used_heap_size;
    },
  };
}
