import { describe, expect, it } from '@jest/globals';
import { createLineIntake } from '../../../src/logs/line-intake.js';
import { CUT_MARK } from '../../../src/logs/line-cutter.js';

interface Taken {
  readonly texts: string[];
  skipped: number;
  calls: number;
}

/** An intake whose batches end when told. */
function intake(batchBytes: number): {
  readonly taken: Taken;
  readonly push: (text: string | Buffer, output?: 'stdout' | 'stderr') => void;
  readonly tick: () => void;
  readonly end: () => void;
} {
  const taken: Taken = { texts: [], skipped: 0, calls: 0 };
  let due: (() => void) | null = null;
  const one = createLineIntake({
    clock: {
      now: () => 1000,
      monotonic: () => 0,
      after(_ms, run) {
        due = run;
        return () => (due = null);
      },
    },
    source: 'x',
    limits: { batchBytes },
    sink: {
      onLines(lines, skipped) {
        taken.calls++;
        taken.skipped += skipped;
        for (const line of lines) taken.texts.push(line.text);
      },
      onState: () => undefined,
    },
  });
  return {
    taken,
    push: (text, output = 'stdout') => one.push(Buffer.from(text), output, false),
    tick: () => due?.(),
    end: one.end,
  };
}

describe('taking in the lines of a child', () => {
  it('hands them on in batches', () => {
    const { taken, push, tick } = intake(1000);
    push('one\ntw');
    push('o\nthr');
    expect(taken.calls).toBe(0);
    tick();
    expect(taken).toEqual({ texts: ['one', 'two'], skipped: 0, calls: 1 });
    push('ee\n');
    tick();
    expect(taken.texts).toEqual(['one', 'two', 'three']);
  });

  it('keeps the two outputs apart', () => {
    const { taken, push, end } = intake(1000);
    push('out');
    push('err\n', 'stderr');
    push('put\n');
    push('rest', 'stderr');
    end();
    expect(taken.texts).toEqual(['err', 'output', 'rest']);
  });

  it.each([11, 100, 4096, 65_536])(
    'neither loses nor invents a line of a flood that comes in pieces of %d bytes',
    (size) => {
      const { taken, push, tick, end } = intake(2000);
      const bytes = Buffer.from(
        Array.from({ length: 30_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 40)}\n`).join(''),
      );
      let pushed = 0;
      for (let from = 0; from < bytes.length; from += size) {
        push(bytes.subarray(from, from + size));
        if (++pushed % 23 === 0) tick();
      }
      end();
      expect(taken.texts.length + taken.skipped).toBe(30_000);
      expect(taken.texts.at(-1)).toBe(`line 29999 ${'x'.repeat(29_999 % 40)}`);
      expect(taken.texts.every((text) => /^line \d+ x*$/.test(text))).toBe(true);
      const numbers = taken.texts.map((text) => Number(text.split(' ')[1]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    },
  );

  it('counts a line that was cut and shown only once', () => {
    const { taken, push, tick, end } = intake(100_000);
    push('y'.repeat(150_000));
    push('y'.repeat(200_000));
    push(`end\nz\n${'w\n'.repeat(100_000)}last\n`);
    tick();
    end();
    expect(taken.texts[0]).toBe('y'.repeat(64 * 1024) + CUT_MARK);
    expect(taken.texts.length + taken.skipped).toBe(100_003);
    expect(taken.texts.at(-1)).toBe('last');
  });
});
