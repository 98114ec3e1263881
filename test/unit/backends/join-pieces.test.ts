import { describe, expect, it } from '@jest/globals';
import { joinPieces } from '../../../src/backends/chat-reader.js';

describe('pieces that came in one read', () => {
  it('are one event for each kind in a row, which says how many they were', () => {
    expect(
      joinPieces([
        { type: 'reasoning', text: 'a' },
        { type: 'reasoning', text: 'b' },
        { type: 'text', text: 'c' },
        { type: 'usage', usage: {} },
        { type: 'text', text: 'd' },
        { type: 'text', text: 'e' },
        { type: 'text', text: 'f' },
      ]),
    ).toEqual([
      { type: 'reasoning', text: 'ab', pieces: 2 },
      { type: 'text', text: 'c' },
      { type: 'usage', usage: {} },
      { type: 'text', text: 'def', pieces: 3 },
    ]);
  });
});
