import { describe, expect, it } from '@jest/globals';
import { withMatches } from '../../../widgets/text/matches.js';
import { row, span } from '../../../widgets/text/span.js';

const marked = (spans: Parameters<typeof row>, needle: string) =>
  withMatches(row(...spans), needle).spans.map(({ text, token }) => [text, token]);

describe('what is searched for', () => {
  it('is set off at every place, in capitals, too', () => {
    expect(marked([span('An ant and AN end')], 'an')).toEqual([
      ['An', 'match'],
      [' ', 'text'],
      ['an', 'match'],
      ['t ', 'text'],
      ['an', 'match'],
      ['d ', 'text'],
      ['AN', 'match'],
      [' end', 'text'],
    ]);
  });

  it('is found over spans of several kinds, and leaves the others as they are', () => {
    expect(marked([span('a be', 'muted'), span('st b', 'code'), span('est')], 'best')).toEqual([
      ['a ', 'muted'],
      ['be', 'match'],
      ['st', 'match'],
      [' ', 'code'],
      ['b', 'match'],
      ['est', 'match'],
    ]);
    expect(marked([span('nothing', 'muted')], 'best')).toEqual([['nothing', 'muted']]);
    expect(marked([span('nothing')], '')).toEqual([['nothing', 'text']]);
  });
});
