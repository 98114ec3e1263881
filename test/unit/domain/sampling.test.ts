import { describe, expect, it } from '@jest/globals';
import { lengthText, NO_SAMPLING, readSampling, samplingText } from '../../../src/domain/sampling.js';

const LIMITED = { ...NO_SAMPLING, maxTokens: 1200 };

describe('the words for an answer that ended at a length', () => {
  it('name our limit, with its figure, when the answer came to it', () => {
    expect(lengthText(LIMITED, { answerTokens: 1200 }, false)).toBe(
      'cut off at 1,200 tokens, as maxTokens says',
    );
    expect(lengthText(LIMITED, { answerTokens: 1201 }, true)).toBe(
      'cut off after 1,200 more tokens, as maxTokens says',
    );
  });

  it('do not blame our limit for an end before it', () => {
    expect(lengthText(LIMITED, { answerTokens: 700 }, false)).toMatch(/^stopped before maxTokens \(1,200\)/);
    expect(lengthText(NO_SAMPLING, { answerTokens: 700 }, false)).not.toContain('maxTokens');
  });

  it('claim neither when the tokens were not told', () => {
    for (const usage of [{}, { answerTokens: null }])
      expect(lengthText(LIMITED, usage, false)).toMatch(/maxTokens is 1,200, or the context is full/);
  });
});

describe('parameters that are read from elsewhere', () => {
  it.each([
    ['nothing', undefined],
    ['a text', '0.5'],
    ['texts', { temperature: '1', topP: '1', seed: '1', maxTokens: '1' }],
    ['what is no number', { temperature: NaN, topP: Infinity, seed: -1, maxTokens: null }],
    ['what is out of range', { temperature: -0.1, topP: 1.1, seed: 0.5, maxTokens: 0 }],
    ['the empty share', { topP: 0 }],
  ])('count as not set when they are %s', (_what, told) => {
    expect(readSampling(told)).toEqual(NO_SAMPLING);
  });

  it('are taken as they are when they fit', () => {
    const sampling = { temperature: 0, topP: 1, seed: 0, maxTokens: 1 };
    expect(readSampling(sampling)).toEqual(sampling);
    expect(samplingText(sampling)).toBe('temperature 0, topP 1, seed 0, maxTokens 1');
  });
});
