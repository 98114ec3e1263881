import { describe, expect, it } from '@jest/globals';
import { ThinkSplitter } from '../../../src/backends/think-splitter.js';

function split(pieces: readonly string[]): { reasoning: string; text: string } {
  const splitter = new ThinkSplitter();
  const found = [...pieces.flatMap((piece) => splitter.feed(piece)), ...splitter.end()];
  const join = (kind: string): string =>
    found.map((piece) => (piece.kind === kind ? piece.text : '')).join('');
  return { reasoning: join('reasoning'), text: join('text') };
}

describe('thinking inside a text', () => {
  it('is found in every cut', () => {
    const answer = '\n<think>\nwhy < not</think>\n\nyes <b> no';
    for (let size = 1; size <= answer.length; size += 1) {
      const pieces = answer.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(split(pieces)).toEqual({
        reasoning: expect.stringMatching(/^\n?why < not$/),
        text: 'yes <b> no',
      });
    }
  });

  it('is only looked for at the begin', () => {
    for (const text of ['a <think>b</think>', '`</think>` ends it', '<thin ice', 'x</b>']) {
      const pieces = [text.slice(0, 1), text.slice(1)];
      expect(split(pieces)).toEqual({ reasoning: '', text });
    }
  });

  it('loses nothing when an answer ends in the middle of a tag', () => {
    expect(split(['<thi'])).toEqual({ reasoning: '', text: '<thi' });
    expect(split(['<think>a</thi'])).toEqual({ reasoning: 'a</thi', text: '' });
  });
});
