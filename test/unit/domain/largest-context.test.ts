import { describe, expect, it } from '@jest/globals';
import { fitTerms, sumOfTerms } from '../../../src/domain/fit-terms.js';
import { largestContext, marginOf } from '../../../src/domain/largest-context.js';
import type { ModelShape } from '../../../src/domain/model-shape.js';
import { shapeOfShow } from '../../../src/domain/read-shape.js';
import { llama32Show } from '../../support/show-answers.js';

const GIB = 1024 ** 3;

describe('the largest context that fits', () => {
  const { model_info, tensors } = llama32Show();
  const shape = shapeOfShow(model_info, tensors) as ModelShape;
  const needs = (tokens: number) => sumOfTerms(fitTerms(shape, null, tokens)) ?? NaN;

  it('is the last step that leaves the margin free', () => {
    const free = 6 * GIB;
    const tokens = largestContext(shape, free) ?? NaN;
    expect(tokens % 256).toBe(0);
    expect(needs(tokens)).toBeLessThanOrEqual(free - marginOf(free));
    expect(needs(tokens + 256)).toBeGreaterThan(free - marginOf(free));
  });

  it('is at most what the model can', () => {
    expect(largestContext(shape, 100 * GIB)).toBe(131072);
    expect(largestContext({ ...shape, contextMax: 3000 }, 100 * GIB)).toBe(3000);
  });

  it('is 0 when not even the weights fit', () => {
    expect(largestContext(shape, 2 * GIB)).toBe(0);
    expect(largestContext(shape, 0)).toBe(0);
  });

  it('grows with a cache that takes less, and with a smaller margin', () => {
    const free = 6 * GIB;
    const plain = largestContext(shape, free) ?? NaN;
    expect(largestContext(shape, free, { keyType: 'q8_0', valueType: 'q8_0' })).toBeGreaterThan(plain);
    expect(largestContext(shape, free, { marginBytes: 0 })).toBeGreaterThan(plain);
  });

  it('is unknown while a part of the estimate is', () => {
    expect(largestContext({ ...shape, vocabulary: null }, 6 * GIB)).toBeNull();
    expect(largestContext({ ...shape, weightBytes: null }, 6 * GIB)).toBeNull();
    expect(largestContext({ ...shape, weightBytes: null }, 6 * GIB, { fileBytes: 2e9 })).toBeGreaterThan(0);
  });
});
