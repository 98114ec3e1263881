import { describe, expect, it } from '@jest/globals';
import { CATALOGUE, offeredCatalogue } from '../../../src/domain/catalogue.js';
import { pullTargetOf } from '../../../src/domain/pull-target.js';

const names = (freeBytes: number | null): readonly string[] =>
  offeredCatalogue(freeBytes).map(({ entry, verdict }) => `${entry.name} ${verdict}`);

describe('the catalogue', () => {
  it('begins with the smallest, and tells license, context and what each is good for', () => {
    const sizes = CATALOGUE.map(({ sizeBytes }) => sizeBytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(sizes[0]).toBeLessThan(0.2e9);
    expect(sizes.at(-1)).toBeLessThan(8e9);
    for (const { license, contextMax, note, name } of CATALOGUE) {
      expect([license, note, name].every((text) => text !== '')).toBe(true);
      expect(contextMax).toBeGreaterThan(4096);
    }
    expect(CATALOGUE[0]?.note).toMatch(/talks, no more/);
  });

  it('is sorted by what fits: the most capable that fits on top, what does not fit last', () => {
    expect(names(4e9)).toEqual([
      'qwen3.5-4b fits',
      'qwen3.5-2b fits',
      'qwen3.5-0.8b fits',
      'smollm2-135m fits',
      'gemma-4-e4b short',
      'qwen3.5-9b short',
    ]);
    expect(names(3.45e9)[3]).toBe('qwen3.5-4b tight');
    expect(names(0)[0]).toBe('smollm2-135m short');
    expect(names(null)).toEqual(CATALOGUE.map(({ name }) => `${name} unknown`));
  });
});

describe('what is to be pulled', () => {
  it.each([
    ['smollm2-135m', { kind: 'catalogue' }],
    [' Qwen3.5-4B ', { kind: 'catalogue' }],
    ['hf:org/repo', { kind: 'hub', repo: 'org/repo', quant: null }],
    ['hf:org/repo:Q4_K_M', { kind: 'hub', repo: 'org/repo', quant: 'Q4_K_M' }],
    ['hf:org/repo:dir/file.gguf', { kind: 'hub', repo: 'org/repo', quant: 'dir/file.gguf' }],
    ['https://huggingface.co/org/repo', { kind: 'hub', repo: 'org/repo', quant: null }],
    [
      'https://huggingface.co/org/repo/resolve/main/a%20b.gguf?download=true',
      { kind: 'hub', repo: 'org/repo', quant: 'a b.gguf' },
    ],
    ['https://example.com/x/model.gguf?sig=1', { kind: 'address' }],
    ['http://127.0.0.1:8000/model.gguf', { kind: 'address' }],
    ['http://example.com/model.gguf', { kind: 'wrong', words: 'http://example.com/model.gguf' }],
    ['https://me:pw@example.com/page?key=1', { kind: 'wrong', words: 'https://example.com/page' }],
    ['hf:org', { kind: 'wrong' }],
    ['hf:../x', { kind: 'wrong' }],
    ['hf:org/repo:../x', { kind: 'wrong' }],
    ['https://huggingface.co/org/repo/blob/main/..%2F..%2Fx.gguf', { kind: 'wrong' }],
  ])('%s is understood', (name, target) => {
    expect(pullTargetOf(name)).toMatchObject(target);
  });

  it.each(['qwen3:8b', 'hf.co/org/repo:Q4_K_M', 'org/repo', ''])('%s is left to a server', (name) => {
    expect(pullTargetOf(name)).toBeNull();
  });
});
