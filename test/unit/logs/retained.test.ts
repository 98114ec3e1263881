import { describe, expect, it } from '@jest/globals';
import v8 from 'node:v8';
import vm from 'node:vm';
import { appendText, EMPTY_TEXT, settledText, type GrowingText } from '../../../src/domain/text.js';
import { appendLines, EMPTY_RING, RING_CAP_BYTES } from '../../../src/domain/log-ring.js';
import { createLineParser } from '../../../src/logs/parse.js';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

/** Bytes of the heap that what `make` returns holds. */
function heldBytes(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = [make()];
  collect();
  const held = process.memoryUsage().heapUsed - before;
  return kept.length === 1 ? held : 0;
}

describe('what is kept of a log', () => {
  it('does not hold what stood before the text of a line', () => {
    const parser = createLineParser('server.log');
    const padding = 'x'.repeat(60_000);
    const held = heldBytes(() =>
      parser.parse(
        Array.from(
          { length: 500 },
          (_, i) =>
            `time=2026-11-23T20:49:52.000Z level=INFO source=${padding}${i} msg=a_message_of_some_length_${i}`,
        ),
        0,
        false,
      ),
    );
    // 30 MB of lines came in.
    expect(held).toBeLessThan(2_000_000);
  });

  it('is no more than the cap of the ring, however many lines come', () => {
    const parser = createLineParser('server.log');
    const held = heldBytes(() => {
      let ring = EMPTY_RING;
      for (let batch = 0; batch < 400; batch++)
        ring = appendLines(
          ring,
          parser.parse(
            Array.from(
              { length: 500 },
              (_, i) =>
                `time=2026-11-23T20:49:52.000Z level=INFO source=sched.go:1 msg="line ${i} of ${batch}" size=${i}`,
            ),
            0,
            false,
          ),
        );
      return ring;
    });
    expect(held).toBeLessThan(1.5 * RING_CAP_BYTES);
  });
});

describe('what is kept of an answer', () => {
  it('is its text, not the tree of the pieces that it came in', () => {
    const answer = (): GrowingText => {
      let text = EMPTY_TEXT;
      for (let i = 0; i < 5_000; i++) text = appendText(text, ` w${i % 97}`);
      return settledText(text);
    };
    const chars = 50 * answer().length;
    const held = heldBytes(() => Array.from({ length: 50 }, answer));
    expect(held).toBeLessThan(2.5 * chars);
  });
});
