import { describe, expect, it } from '@jest/globals';
import { readJump } from '../../../src/domain/log-jump.js';
import { timesOf } from '../../../src/domain/log-times.js';

const lines = (...times: (number | null)[]) =>
  times.map((at) => ({ at, level: null, source: 'x', text: '' }));

describe('the times by which lines stand among those of other sources', () => {
  it('are their own', () => expect(timesOf(lines(10, 20), null, 100, false)).toEqual([10, 20]));

  it('never put a line before the one that was written before it', () => {
    expect(timesOf(lines(20, 10, 30), 25, 100, false)).toEqual([25, 25, 30]);
  });

  it('of a line without one are those of its neighbours, or when it came', () => {
    expect(timesOf(lines(null, 20, null), 5, 100, false)).toEqual([20, 20, 100]);
    expect(timesOf(lines(null, 20, null), 5, 100, true)).toEqual([5, 20, 20]);
    expect(timesOf(lines(null, null), null, 100, true)).toEqual([100, 100]);
    expect(timesOf(lines(null, 20, null), null, 100, true)).toEqual([20, 20, 20]);
  });

  it('of a clock that is ahead of ours are when the line came', () => {
    expect(timesOf(lines(4_000_000_000_000, 90), null, 100, false)).toEqual([100, 100]);
    expect(timesOf(lines(4_000_000_000_000), 50, 100, false)).toEqual([100]);
  });

  it('of one line of another clock among those of the past are those of its neighbours', () => {
    const ahead = 4_000_000_000_000;
    expect(timesOf(lines(ahead, 20, 30), null, 100, true)).toEqual([20, 20, 30]);
    expect(timesOf(lines(20, ahead, 30, ahead), null, 100, true)).toEqual([20, 30, 30, 30]);
    expect(timesOf(lines(ahead, ahead), null, 100, true)).toEqual([100, 100]);
  });

  it('of a clock that is behind ours are when the line came, but of the past they are what they say', () => {
    expect(timesOf(lines(1000, 80_000), null, 100_000, false)).toEqual([100_000, 100_000]);
    expect(timesOf(lines(95_000), null, 100_000, false)).toEqual([95_000]);
    expect(timesOf(lines(1000, 80_000), null, 100_000, true)).toEqual([1000, 80_000]);
  });
});

describe('a time that is typed', () => {
  const now = new Date(2026, 10, 23, 20, 48, 43, 500).getTime();
  it.each([
    ['20:48', new Date(2026, 10, 23, 20, 48)],
    ['20:48:10', new Date(2026, 10, 23, 20, 48, 10)],
    ['23:10', new Date(2026, 10, 22, 23, 10)],
    ['11-20 8:05', new Date(2026, 10, 20, 8, 5)],
    ['12-24 08:05', new Date(2025, 11, 24, 8, 5)],
    ['2025-01-02 03:04:05', new Date(2025, 0, 2, 3, 4, 5)],
    ['-5m', new Date(now - 300_000)],
    [' -90s ', new Date(now - 90_000)],
    ['-2h', new Date(now - 7_200_000)],
  ])('%s', (text, at) => expect(readJump(text, now)).toBe(at.getTime()));

  it.each(['', '5m', '25:00', '12:60', '-5y', 'noon', '13-45 10:00', '-m'])('is not %j', (text) =>
    expect(readJump(text, now)).toBeNull(),
  );
});
