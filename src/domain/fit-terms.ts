import { tellsLayers, type ModelShape } from './model-shape.js';

/** Bytes of one number in the cache of keys and values. */
export const CACHE_BYTES = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 1.0625,
  q5_1: 0.75,
  q5_0: 0.6875,
  q4_1: 0.625,
  q4_0: 0.5625,
  iq4_nl: 0.5625,
} as const;

export type CacheType = keyof typeof CACHE_BYTES;

/** How a server runs a model. What is absent is as servers have it by default. */
export interface RunOptions {
  /** Sequences at a time, each with the whole context; 1. */
  readonly parallel?: number;
  /** `f16`. Values are quantised only with flash attention. */
  readonly keyType?: CacheType;
  readonly valueType?: CacheType;
  /** True. */
  readonly flashAttention?: boolean;
  /** Tokens of a prompt that are computed at once; 512. */
  readonly microBatch?: number;
  /** The cache has room for a multiple of so many tokens: 256, in builds before late 2025 32. */
  readonly paddingTokens?: number;
  /** False: layers with a sliding window keep the whole context (`--swa-full`). */
  readonly trimsWindow?: boolean;
  /** GPUs that share the layers; 0: the model runs on the processor. 1. */
  readonly gpus?: number;
  /** Of an image or audio encoder beside the model; 0. */
  readonly projectorBytes?: number;
}

/** What takes memory, in the order in which it is shown. */
export type TermName =
  'weights' | 'cache' | 'window' | 'state' | 'compute' | 'runtime' | 'projector' | 'learned';

/** One part of an estimate. Null: not known. */
export interface FitTerm {
  readonly name: TermName;
  readonly bytes: number | null;
  /** What it comes from, for people: `tensors`, `24 layers × 8,192 tokens`. */
  readonly source: string;
}

const MIB = 1024 ** 2;
/** Runtime of a GPU (CUDA context and the like): 107 to 555 MiB were seen. */
const RUNTIME_PER_GPU_BYTES = 512 * MIB;
/** The engine itself without a GPU. */
const RUNTIME_BYTES = 150 * MIB;
const DEFAULT_MICRO_BATCH = 512;
/** Inputs are kept so many times when several GPUs work on one request like on a conveyor. */
const PIPELINE_COPIES = 4;

/** Bytes of keys and values for a context of so many tokens: those of whole contexts, of sliding windows, and states of one size. */
export interface CacheBytes {
  readonly full: number;
  readonly sliding: number;
  readonly state: number;
}

/** Null: the shape does not tell what the layers keep. */
export function cacheBytes(
  shape: ModelShape,
  contextTokens: number,
  run: RunOptions = {},
): CacheBytes | null {
  if (!tellsLayers(shape)) return null;
  const parallel = run.parallel ?? 1;
  const padding = run.paddingTokens ?? 256;
  const flash = run.flashAttention ?? true;
  const keyBytes = CACHE_BYTES[run.keyType ?? 'f16'];
  const valueBytes = CACHE_BYTES[flash ? (run.valueType ?? 'f16') : unquantised(run.valueType)];
  const cells = roundUp(contextTokens * parallel, padding);
  const window = (shape.slidingWindow ?? 0) * parallel + (run.microBatch ?? DEFAULT_MICRO_BATCH);
  const windowCells =
    run.trimsWindow === false || shape.slidingWindow === null
      ? cells
      : Math.min(cells, roundUp(window, padding));
  const bytes = { full: 0, sliding: 0, state: 0 };
  for (const layer of shape.layers)
    if (layer.kind === 'recurrent') bytes.state += layer.count * layer.stateBytes * parallel;
    else
      bytes[layer.kind] +=
        layer.count *
        (layer.kind === 'full' ? cells : windowCells) *
        (layer.keyWidth * keyBytes + layer.valueWidth * valueBytes);
  return bytes;
}

/** Bytes of the buffers that a step is computed in, over all GPUs. Null: vocabulary or width are not told. */
export function computeBytes(shape: ModelShape, contextTokens: number, run: RunOptions = {}): number | null {
  const { vocabulary, embedding, heads } = shape;
  if (vocabulary === null || embedding === null) return null;
  const batch = run.microBatch ?? DEFAULT_MICRO_BATCH;
  const cells = roundUp(contextTokens * (run.parallel ?? 1), run.paddingTokens ?? 256);
  const output = 4 * batch * (vocabulary + embedding);
  const gpus = run.gpus ?? 1;
  const inputs = gpus > 1 ? gpus * PIPELINE_COPIES * 4 * batch * cells : 0;
  if (run.flashAttention ?? true) return output + inputs;
  if (heads === null) return null;
  return Math.max(output, 4 * batch * (1 + 4 * embedding + cells * (1 + heads))) + inputs;
}

/**
 * Weights on the GPUs: the table of embeddings stays in main memory, and where the output takes the same table a GPU has a copy of it.
 * Without a GPU it is all of them.
 */
export function weightBytes(shape: ModelShape, gpus: number): number | null {
  if (shape.weightBytes === null || gpus === 0 || shape.tied) return shape.weightBytes;
  return shape.weightBytes - (shape.embeddingBytes ?? 0);
}

/**
 * Everything that a model takes with a context of so many tokens, part by part. `fileBytes` stands in for the weights when the tensors
 * are not told, or are plainly not all of them.
 */
export function fitTerms(
  shape: ModelShape,
  fileBytes: number | null,
  contextTokens: number,
  run: RunOptions = {},
): readonly FitTerm[] {
  const gpus = run.gpus ?? 1;
  const projector = run.projectorBytes ?? 0;
  // Tensors of half a file are not all that it holds: the larger figure is the careful one.
  const partial =
    projector === 0 && fileBytes !== null && shape.weightBytes !== null && shape.weightBytes < fileBytes / 2;
  const weights = partial ? null : weightBytes(shape, gpus);
  const cache = cacheBytes(shape, contextTokens, run);
  const layers = (kind: 'full' | 'sliding' | 'recurrent'): number =>
    shape.layers.reduce((sum, layer) => sum + (layer.kind === kind ? layer.count : 0), 0);
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return [
    weights === null
      ? { name: 'weights', bytes: fileBytes, source: 'size of the file' }
      : {
          name: 'weights',
          bytes: weights,
          source: shape.tied || gpus === 0 ? 'tensors' : 'tensors on the GPU',
        },
    { name: 'cache', bytes: cache?.full ?? null, source: count(layers('full'), 'layer') },
    ...(cache && cache.sliding > 0
      ? [
          {
            name: 'window',
            bytes: cache.sliding,
            source: `${count(layers('sliding'), 'layer')}, window of ${shape.slidingWindow ?? '?'}`,
          } as const,
        ]
      : []),
    ...(cache && cache.state > 0
      ? [{ name: 'state', bytes: cache.state, source: count(layers('recurrent'), 'layer') } as const]
      : []),
    {
      name: 'compute',
      bytes: computeBytes(shape, contextTokens, run),
      source: `${run.microBatch ?? DEFAULT_MICRO_BATCH} tokens at once`,
    },
    ...(projector > 0
      ? [
          {
            name: 'projector',
            bytes: projector,
            source: 'rest of the file; its buffers are not known',
          } as const,
        ]
      : []),
    {
      name: 'runtime',
      bytes: gpus === 0 ? RUNTIME_BYTES : gpus * RUNTIME_PER_GPU_BYTES,
      source: gpus === 0 ? 'usual' : `usual for ${count(gpus, 'GPU')}`,
    },
  ];
}

/** Sum of the parts; null when one is not known. */
export function sumOfTerms(terms: readonly FitTerm[]): number | null {
  let sum = 0;
  for (const { bytes } of terms) {
    if (bytes === null) return null;
    sum += bytes;
  }
  return Math.max(0, sum);
}

function unquantised(type: CacheType = 'f16'): CacheType {
  return type.includes('q') ? 'f16' : type;
}

function roundUp(tokens: number, to: number): number {
  return Math.ceil(tokens / to) * to;
}
