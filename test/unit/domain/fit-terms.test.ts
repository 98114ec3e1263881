import { describe, expect, it } from '@jest/globals';
import {
  cacheBytes,
  computeBytes,
  fitTerms,
  sumOfTerms,
  weightBytes,
} from '../../../src/domain/fit-terms.js';
import type { ModelShape } from '../../../src/domain/model-shape.js';
import { shapeOfShow } from '../../../src/domain/read-shape.js';
import {
  denseShow,
  gemma3Show,
  gemma4Show,
  gptOssShow,
  hybridShow,
  llama32Show,
  type ShowAnswer,
} from '../../support/show-answers.js';

/** What servers have logged of their own memory, found in issues and fixtures of others; every row to the MiB. */
describe('the memory of a model as servers have published it', () => {
  it('gpt-oss-120b with 2,000 tokens: 70.88 MiB of whole contexts and 22.50 of windows', () => {
    const cache = cacheBytes(shapeOf(gptOssShow(36)), 2000, { paddingTokens: 32 });
    expect(mib(cache?.full)).toBe('70.88');
    expect(mib(cache?.sliding)).toBe('22.50');
  });

  it('gpt-oss-20b with 131,072 tokens: 6,144 MiB without trimmed windows, 3,090 with them', () => {
    const shape = shapeOf(gptOssShow(24));
    expect(mib(sum(cacheBytes(shape, 131072, { trimsWindow: false })))).toBe('6144.00');
    expect(mib(sum(cacheBytes(shape, 131072)))).toBe('3090.00');
  });

  it('gemma-3-27b with 65,536 tokens: 5,120 MiB global and 1,248 local, 31,744 before windows were trimmed', () => {
    const shape = shapeOf(gemma3Show());
    const cache = cacheBytes(shape, 65536, { microBatch: 2048 });
    expect([mib(cache?.full), mib(cache?.sliding)]).toEqual(['5120.00', '1248.00']);
    expect(mib(sum(cacheBytes(shape, 65536, { trimsWindow: false })))).toBe('31744.00');
  });

  it('gemma-4-E4B with 4,096 tokens: 64 MiB global and 60 in windows of 1,536 cells, 160 untrimmed', () => {
    const shape = shapeOf(gemma4Show());
    const cache = cacheBytes(shape, 4096, { microBatch: 1024 });
    expect([mib(cache?.full), mib(cache?.sliding)]).toEqual(['64.00', '60.00']);
    expect(mib(cacheBytes(shape, 4096, { trimsWindow: false })?.sliding)).toBe('160.00');
  });

  it('Qwen3-4B with 262,144 tokens: 36,864 MiB, by heads that are larger than embedding / heads', () => {
    expect(mib(sum(cacheBytes(shapeOf(QWEN3_4B), 262144)))).toBe('36864.00');
  });

  it('Command-R 35B with 4,096 tokens: 5,120 MiB', () => {
    expect(mib(sum(cacheBytes(shapeOf(COMMAND_R), 4096)))).toBe('5120.00');
  });

  it('Llama-3.2-3B Q4_K_M: 1,918.35 MiB on the GPU, 308.23 more in memory, 448 of cache, 256.50 of buffers', () => {
    const shape = shapeOf(llama32Show());
    expect(mib(weightBytes(shape, 1))).toBe('1918.35');
    expect(mib(shape.embeddingBytes)).toBe('308.23');
    expect(mib(sum(cacheBytes(shape, 4096)))).toBe('448.00');
    expect(mib(computeBytes(shape, 4096))).toBe('256.50');
    // Without the runtime of the GPU, which the server cannot tell: 2,622.85 MiB.
    const told = fitTerms(shape, null, 4096).filter(({ name }) => name !== 'runtime');
    expect(mib(sumOfTerms(told))).toBe('2622.85');
  });

  it('Qwen2.5-3B with 4,096 tokens: 144 MiB of cache and 300.75 of buffers', () => {
    const shape = shapeOf(QWEN25_3B);
    expect(mib(sum(cacheBytes(shape, 4096)))).toBe('144.00');
    expect(mib(computeBytes(shape, 4096))).toBe('300.75');
  });

  it('eight layers of DeepSeek-R1, 16,384 tokens, keys as q4_0: 5,824 MiB', () => {
    const cache = cacheBytes(shapeOf(DEEPSEEK_8_LAYERS), 16384, { keyType: 'q4_0' });
    expect(mib(sum(cache))).toBe('5824.00');
  });

  it('a hybrid of 27B with 262,144 tokens: 16,384 MiB of cache and 149.63 of states', () => {
    const cache = cacheBytes(shapeOf(hybridShow()), 262144);
    expect([mib(cache?.full), mib(cache?.state)]).toEqual(['16384.00', '149.63']);
  });

  it('TriLM 3.9B with 512 tokens: 180 MiB of cache and 105 of buffers', () => {
    const shape = shapeOf(TRILM);
    expect(mib(sum(cacheBytes(shape, 512)))).toBe('180.00');
    expect(mib(computeBytes(shape, 512))).toBe('105.00');
  });

  it('Llama-3-8B with 8,192 tokens: 560 MiB of buffers without flash attention, 258.50 with it', () => {
    const shape = shapeOf(LLAMA3_8B);
    expect(mib(computeBytes(shape, 8192, { flashAttention: false }))).toBe('560.00');
    expect(mib(computeBytes(shape, 8192))).toBe('258.50');
  });
});

describe('the parts of an estimate', () => {
  it('quantise the values with flash attention only', () => {
    const shape = shapeOf(LLAMA3_8B);
    const of = (flashAttention: boolean) =>
      sum(cacheBytes(shape, 8192, { keyType: 'q8_0', valueType: 'q8_0', flashAttention }));
    expect(mib(of(true))).toBe('544.00');
    expect(mib(of(false))).toBe('784.00');
  });

  it('grow with the requests that a server answers at a time', () => {
    const shape = shapeOf(hybridShow());
    const [one, two] = [cacheBytes(shape, 4096), cacheBytes(shape, 4096, { parallel: 2 })];
    expect(two?.full).toBe(2 * (one?.full ?? NaN));
    expect(two?.state).toBe(2 * (one?.state ?? NaN));
  });

  it('leave the embeddings in memory unless the output takes the same table', () => {
    const apart = shapeOf(denseShow({ ...SMALL, tied: false }));
    expect(weightBytes(apart, 1)).toBe((apart.weightBytes ?? NaN) - (apart.embeddingBytes ?? NaN));
    expect(weightBytes(apart, 0)).toBe(apart.weightBytes);
    const tied = shapeOf(denseShow({ ...SMALL, tied: true }));
    expect(weightBytes(tied, 1)).toBe(tied.weightBytes);
  });

  it('have a runtime for each GPU and copies of the inputs for several', () => {
    const shape = shapeOf(LLAMA3_8B);
    const runtime = (gpus: number) =>
      fitTerms(shape, 1, 4096, { gpus }).find(({ name }) => name === 'runtime')?.bytes;
    expect([mib(runtime(0)), mib(runtime(1)), mib(runtime(3))]).toEqual(['150.00', '512.00', '1536.00']);
    // Four copies of 512 x 4,096 numbers on each of two.
    expect(mib((computeBytes(shape, 4096, { gpus: 2 }) ?? 0) - (computeBytes(shape, 4096) ?? 0))).toBe(
      '64.00',
    );
  });

  it('take the size of the file where the tensors are plainly not all of it', () => {
    const shape = shapeOf(llama32Show());
    const weights = (fileBytes: number): unknown =>
      fitTerms(shape, fileBytes, 4096, { gpus: 0 }).find(({ name }) => name === 'weights');
    expect(weights(65e9)).toEqual({ name: 'weights', bytes: 65e9, source: 'size of the file' });
    expect(weights(2.1e9)).toMatchObject({ bytes: shape.weightBytes, source: 'tensors' });
  });

  it('are not summed up while one of them is unknown', () => {
    const shape = { ...shapeOf(LLAMA3_8B), vocabulary: null };
    const terms = fitTerms(shape, 1e9, 4096);
    expect(terms.find(({ name }) => name === 'compute')?.bytes).toBeNull();
    expect(sumOfTerms(terms)).toBeNull();
  });
});

const QWEN3_4B = denseShow({
  architecture: 'qwen3',
  layers: 36,
  embedding: 2560,
  vocabulary: 151936,
  heads: 32,
  keyWidth: () => 1024,
});
const COMMAND_R = denseShow({
  architecture: 'command-r',
  layers: 40,
  embedding: 8192,
  vocabulary: 256000,
  heads: 64,
  keyWidth: () => 8192,
});
const QWEN25_3B = denseShow({
  architecture: 'qwen2',
  layers: 36,
  embedding: 2048,
  vocabulary: 151936,
  heads: 16,
  keyWidth: () => 256,
});
const TRILM = denseShow({
  architecture: 'llama',
  layers: 30,
  embedding: 3072,
  vocabulary: 50688,
  heads: 24,
  keyWidth: () => 3072,
});
const LLAMA3_8B = denseShow({
  architecture: 'llama',
  layers: 32,
  embedding: 4096,
  vocabulary: 128256,
  heads: 32,
  keyWidth: () => 1024,
});
/** Without compressed keys and values: 128 heads of 192 and 128. */
const DEEPSEEK_8_LAYERS = denseShow({
  architecture: 'deepseek2',
  layers: 8,
  embedding: 7168,
  vocabulary: 129280,
  heads: 128,
  keyWidth: () => 128 * 192,
  valueWidth: () => 128 * 128,
});
const SMALL = {
  architecture: 'llama',
  layers: 2,
  embedding: 256,
  vocabulary: 1024,
  heads: 4,
  keyWidth: () => 256,
};

function shapeOf({ model_info, tensors }: ShowAnswer): ModelShape {
  const shape = shapeOfShow(model_info, tensors);
  if (!shape) throw new Error('no shape');
  return shape;
}

function sum(cache: ReturnType<typeof cacheBytes>): number | null {
  return cache && cache.full + cache.sliding + cache.state;
}

function mib(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? 'unknown' : (bytes / 1024 ** 2).toFixed(2);
}
