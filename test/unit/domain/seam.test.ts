import { describe, expect, it } from '@jest/globals';
import { createSeam } from '../../../src/domain/seam.js';
import { bounded } from '../../support/bounded.js';

const BEFORE = 'The sky is blue because short waves of light are scattered more than long';

/** All that came out when the text comes in pieces of this size. */
function through(before: string, text: string, size: number): string {
  const seam = createSeam(before);
  let out = '';
  for (let at = 0; at < text.length; at += size) out += seam.push(text.slice(at, at + size));
  return out + seam.end();
}

describe.each([1, 3, 7, 1000])('the seam of an answer, in pieces of %i characters', (size) => {
  it('leaves out an exact repetition of the end of what stands before', () => {
    expect(through(BEFORE, 'scattered more than long ones.', size)).toBe(' ones.');
    expect(through(BEFORE, `${BEFORE} ones.`, size)).toBe(' ones.');
  });

  it('keeps what is no repetition, one that is short, one that differs, and one that comes later', () => {
    for (const text of [
      ' ones.',
      'more than long ones.',
      'Scattered more than long ones.',
      '… scattered more than long ones.',
      'light are scattered a lot.',
      'scattered more than ',
    ])
      expect(through(BEFORE, text, size)).toBe(text);
  });

  it('takes the longest of several repetitions', () => {
    const before = `x${'ab'.repeat(30)}`;
    expect(through(before, `${'ab'.repeat(20)}c`, size)).toBe('c');
  });

  it('lets everything through after it is decided', () => {
    expect(through(BEFORE, `now. scattered more than long`, size)).toBe('now. scattered more than long');
  });
});

describe('the seam of an answer', () => {
  it('holds nothing back that cannot be a repetition', () => {
    const seam = createSeam(BEFORE);
    expect(seam.push('Z')).toBe('Z');
    expect(seam.push('scattered')).toBe('scattered');
    expect(seam.end()).toBe('');
  });

  it('of an empty text is open', () => {
    expect(createSeam('').push('a')).toBe('a');
  });

  it('costs little for a long text that repeats itself', () => {
    const kept = bounded(() => through('a'.repeat(10_000_000), 'a'.repeat(500_000), 10));
    expect(kept.length).toBeLessThan(500_000);
  });
});
