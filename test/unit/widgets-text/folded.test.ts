import { describe, expect, it } from '@jest/globals';
import { foldedText } from '../../../widgets/text/folded.js';

describe('a text with folds', () => {
  const TEXT = 'ab0123456789cd0123456789';
  const folds = [
    { start: 2, end: 12, label: '[one]' },
    { start: 14, end: 24, label: '[two]' },
  ];
  const { text, chips, shownOffset, textOffset } = foldedText(TEXT, folds);

  it('shows a label for each', () => {
    expect(text).toBe('ab[one]cd[two]');
    expect(chips.map(({ start, end }) => text.slice(start, end))).toEqual(['[one]', '[two]']);
    expect(foldedText(TEXT, []).text).toBe(TEXT);
  });

  it('finds the same place in both texts, at every offset outside of a fold', () => {
    const outside = [0, 1, 2, 12, 13, 14, 24];
    expect(outside.map(shownOffset)).toEqual([0, 1, 2, 7, 8, 9, 14]);
    expect(outside.map(shownOffset).map(textOffset)).toEqual(outside);
  });

  it('is at the nearer edge of a fold within its label', () => {
    expect([3, 4, 5, 6].map(textOffset)).toEqual([2, 2, 12, 12]);
  });
});
