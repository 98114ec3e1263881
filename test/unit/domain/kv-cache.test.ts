import { describe, expect, it } from '@jest/globals';
import { kvBytesPerToken } from '../../../src/domain/kv-cache.js';

describe('the memory of a token of context', () => {
  const llama = [
    ['layers', '32'],
    ['heads', '32'],
    ['heads of keys and values', '8'],
    ['embedding', '4,096'],
  ] as const;

  it('comes from layers, heads of keys and values, and the size of a head', () => {
    // Llama 3 8B: 2 x 32 x 8 x 128 x 2 bytes.
    expect(kvBytesPerToken(llama)).toBe(131_072);
  });

  it('takes the size of a head as it is told: Qwen 3 and Gemma 3 have others than embedding / heads', () => {
    expect(kvBytesPerToken([...llama, ['head size', '256']])).toBe(262_144);
  });

  it.each([['layers'], ['heads of keys and values'], ['embedding']])('is unknown without %s', (missing) => {
    expect(kvBytesPerToken(llama.filter(([name]) => name !== missing))).toBeNull();
  });

  it('is unknown where a figure is none', () => {
    expect(kvBytesPerToken([...llama.slice(1), ['layers', 'many']])).toBeNull();
  });
});
