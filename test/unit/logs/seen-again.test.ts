import { describe, expect, it } from '@jest/globals';
import { createSeenLines } from '../../../src/logs/seen-again.js';

const numbers = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`);

describe('lines that come again', () => {
  const again = (shown: readonly string[], next: readonly string[]): number => {
    const seen = createSeenLines();
    seen.add(shown);
    return seen.again(next);
  };

  it('are counted up to the last one that was shown', () => {
    expect(again(numbers(0, 100), numbers(50, 120))).toBe(50);
    expect(again(numbers(0, 100), numbers(50, 100))).toBe(50);
    expect(again(numbers(0, 2), [...numbers(0, 2), 'new'])).toBe(2);
  });

  it('are found by their end where the rest lies before the beginning', () => {
    expect(again(numbers(0, 100), numbers(95, 130))).toBe(5);
  });

  it('are none when nothing was shown, or something else', () => {
    expect(again([], numbers(0, 3))).toBe(0);
    expect(again(numbers(0, 100), numbers(200, 250))).toBe(0);
    expect(again(numbers(0, 100), [])).toBe(0);
  });

  it('are the first ones where a server repeats itself', () => {
    expect(again(['a', 'b', 'a', 'b'], ['a', 'b', 'a', 'b', 'a', 'b'])).toBe(4);
  });
});
