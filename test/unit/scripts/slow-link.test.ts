import { afterEach, expect, jest, test } from '@jest/globals';
import { slowLink } from '../../../scripts/bench/slow-link.js';

afterEach(() => void jest.useRealTimers());

test('bytes of a slow line arrive whole, in order, and no sooner than its rate and delay allow', () => {
  jest.useFakeTimers();
  const arrived: Buffer[] = [];
  const sent = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
  const link = slowLink(
    { bytesPerSecond: 20_000, delayMs: 15, bufferBytes: 1e6 },
    (bytes) => arrived.push(bytes),
    () => undefined,
  );
  link.send(sent.subarray(0, 600));
  link.send(sent.subarray(600));
  // 50 ms on the line and 15 of delay.
  jest.advanceTimersByTime(64);
  expect(Buffer.concat(arrived).length).toBeLessThan(sent.length);
  jest.advanceTimersByTime(2);
  expect(Buffer.concat(arrived).equals(sent)).toBe(true);
});

test('a full buffer stops the program, and lets it go on when half of it is gone', async () => {
  const said: boolean[] = [];
  await new Promise<void>((emptied) => {
    const link = slowLink(
      { bytesPerSecond: 100_000, delayMs: 0, bufferBytes: 1_000 },
      () => undefined,
      (full) => {
        said.push(full);
        if (!full) emptied();
      },
    );
    link.send(Buffer.alloc(3_000));
    expect(link.queuedBytes).toBeGreaterThan(2_000);
  });
  expect(said).toEqual([true, false]);
});
