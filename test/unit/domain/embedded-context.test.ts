import { describe, expect, it } from '@jest/globals';
import { embeddedContext } from '../../../src/domain/embedded-context.js';
import { largestContext } from '../../../src/domain/largest-context.js';
import type { ModelShape } from '../../../src/domain/model-shape.js';
import { shapeOfShow } from '../../../src/domain/read-shape.js';
import { llama32Show } from '../../support/show-answers.js';

const GIB = 1024 ** 3;

describe('the context of a model for which none was chosen', () => {
  const { model_info, tensors } = llama32Show();
  const shape = shapeOfShow(model_info, tensors) as ModelShape;
  const file = { contextMax: 131_072, shape, sizeBytes: 2 * GIB };
  /** Free memory with which a context between the least and the most fits. */
  const short = Array.from({ length: 100 }, (_, i) => (2 + i / 20) * GIB).find((free) => {
    const tokens = largestContext(shape, free, { fileBytes: file.sizeBytes, gpus: 0 }) ?? 0;
    return tokens > 2048 && tokens < 8192;
  });

  it('is enough for a chat where there is the memory', () => {
    expect(embeddedContext(file, 64 * GIB)).toBe(8192);
  });

  it('is what fits where memory is short, and never of no use', () => {
    const free = short ?? NaN;
    expect(embeddedContext(file, free)).toBe(
      largestContext(shape, free, { fileBytes: file.sizeBytes, gpus: 0 }),
    );
    expect(embeddedContext(file, 1 * GIB)).toBe(2048);
  });

  it('is no larger than what the model can', () => {
    expect(embeddedContext({ ...file, contextMax: 512 }, 64 * GIB)).toBe(512);
  });

  it('is a cautious one where nothing is known of its memory', () => {
    expect(embeddedContext({ contextMax: 131_072, shape: null, sizeBytes: GIB }, 64 * GIB)).toBe(4096);
    expect(embeddedContext(file, null)).toBe(4096);
  });
});
