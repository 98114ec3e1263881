import { describe, expect, it } from '@jest/globals';
import { fits, mayOverflow, reserveIn } from '../../../src/domain/context-room.js';

describe('the room that is kept for the answer', () => {
  it('is an eighth of the context, up to 1,024 tokens', () => {
    expect(reserveIn(4096, null)).toBe(512);
    expect(reserveIn(32_768, null)).toBe(1024);
  });

  it('is no more than the answer may have', () => {
    expect(reserveIn(4096, 80)).toBe(80);
    expect(reserveIn(4096, 5000)).toBe(512);
  });

  it('decides whether a prompt fits', () => {
    expect(fits(3584, 4096, null)).toBe(true);
    expect(fits(3585, 4096, null)).toBe(false);
    expect(fits(4000, 4096, 80)).toBe(true);
    expect(fits(4017, 4096, 80)).toBe(false);
  });

  it('is worth a count when the estimate may be half of the truth', () => {
    expect(mayOverflow(1792, 4096, null)).toBe(false);
    expect(mayOverflow(1793, 4096, null)).toBe(true);
  });
});
