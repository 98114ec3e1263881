import v8 from 'node:v8';

/**
 * Asks V8 for less memory rather than for the least work. Its nursery grows to 2 x 16 MB under any load, though what a dashboard makes
 * dies young in one of 2 x 2 MB as well (that costs a thousandth of a core at 500 tok/s); and it lets old garbage grow to several times of what
 * is alive before it looks for it. Both are read at each collection, so they may be set while the program runs; the size that was reached
 * stays. A flag that a later V8 does not know is ignored.
 */
export function keepHeapSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  v8.setFlagsFromString('--heap-growing-percent=30');
}
