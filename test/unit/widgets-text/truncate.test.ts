import { describe, expect, it } from '@jest/globals';
import { padEnd, padStart, truncateEnd, truncateMiddle } from '../../../widgets/text/truncate.js';
import { stringWidth } from '../../../widgets/text/width.js';

describe('truncation', () => {
  it('leaves what fits as it is', () => {
    expect(truncateEnd('qwen3:8b', 8)).toBe('qwen3:8b');
    expect(truncateMiddle('qwen3:8b', 8)).toBe('qwen3:8b');
  });

  it('ends in an ellipsis', () => {
    expect(truncateEnd('a long sentence', 7)).toBe('a long…');
  });

  it('shortens names in the middle so that both ends are seen', () => {
    expect(truncateMiddle('unsloth/Qwen3-Coder-30B:Q4_K_M', 13)).toBe('unslot…Q4_K_M');
  });

  it('is never wider than asked, with wide and joined characters, at any width', () => {
    for (const text of ['漢字漢字漢字', '👩‍💻👩‍💻👩‍💻', 'e\u0301'.repeat(9), 'plain ascii'])
      for (let width = -1; width < 14; width++)
        for (const cut of [truncateEnd, truncateMiddle])
          expect(stringWidth(cut(text, width))).toBeLessThanOrEqual(Math.max(0, width));
  });

  it('pads to exactly the width', () => {
    for (const text of ['', 'a', '漢字漢字'])
      for (const pad of [padEnd, padStart]) expect(stringWidth(pad(text, 5))).toBe(5);
  });
});
