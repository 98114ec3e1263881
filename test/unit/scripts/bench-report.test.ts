import { describe, expect, test } from '@jest/globals';
import { percentile, table, verdictOf, type Figure } from '../../../scripts/bench/report.js';

const figure = (more: Partial<Figure>): Figure => ({
  name: 'start',
  value: 50,
  unit: 'ms',
  base: null,
  atMost: 40,
  ...more,
});

describe('the table of the bench', () => {
  test('holds a value against its target, or its ratio when it is compared with something', () => {
    expect(verdictOf(figure({}))).toBe('over');
    expect(verdictOf(figure({ base: { name: 'node', value: 25 }, atMost: 2.2 }))).toBe('ok');
    expect(verdictOf(figure({ atMost: null }))).toBe('info');
    expect(verdictOf({ name: 'CPU', reason: 'there is no curl' })).toBe('not measured');
  });

  test('says value, comparison, ratio and target in one row', () => {
    const row = table([figure({ base: { name: 'node', value: 25 }, atMost: 2.2 })])
      .split('\n')
      .at(-1);
    expect(row?.replace(/ +/g, ' ')).toBe('| start | 50 ms | node 25 ms | 2.00 x | <= 2.2 x | ok |');
  });

  test('takes a percentile that is one of the samples', () => {
    const samples = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(percentile(samples, 0.5)).toBe(10);
    expect(percentile(samples, 0.95)).toBe(19);
    expect(percentile([7], 0.95)).toBe(7);
  });
});
