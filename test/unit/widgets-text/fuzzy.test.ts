import { describe, expect, it } from '@jest/globals';
import { fuzzyMatch } from '../../../widgets/text/fuzzy.js';

function best(query: string, texts: readonly string[]): string | undefined {
  return texts
    .map((text) => ({ text, match: fuzzyMatch(query, text) }))
    .filter(({ match }) => match !== null)
    .sort((a, b) => (b.match?.score ?? 0) - (a.match?.score ?? 0))[0]?.text;
}

describe('fuzzy match', () => {
  it('finds letters in order, ignoring case, and says where', () => {
    expect(fuzzyMatch('QW8', 'qwen3:8b')?.positions).toEqual([0, 1, 6]);
    expect(fuzzyMatch('wq', 'qwen')).toBeNull();
  });

  it('matches everything with an empty query', () => {
    expect(fuzzyMatch('  ', 'anything')).toEqual({ score: 0, positions: [] });
  });

  it('prefers starts of words and camel humps, and letters that stand together', () => {
    expect(best('lm', ['calm', 'load model'])).toBe('load model');
    expect(best('gh', ['enough', 'getHistory'])).toBe('getHistory');
    expect(best('log', ['lxoxg', 'the log'])).toBe('the log');
  });

  it('places the letters where they score best, not where they come first', () => {
    expect(fuzzyMatch('mod', 'm unload model')?.positions).toEqual([9, 10, 11]);
  });

  it('takes each word of the query by itself', () => {
    expect(fuzzyMatch('8b qwen', 'qwen3:8b')).not.toBeNull();
    expect(fuzzyMatch('qwen zz', 'qwen3:8b')).toBeNull();
  });

  it('keeps positions valid when lower case changes the length', () => {
    expect(fuzzyMatch('b', 'İİb')?.positions).toEqual([2]);
  });
});
