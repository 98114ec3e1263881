import { cacheBytes } from './fit-terms.js';
import type { GgufHeader, GgufValue } from './gguf.js';
import type { ModelShape } from './model-shape.js';
import { shapeOfGguf } from './read-shape.js';

/** What the list of models shows of a header. Texts are as the file has them: not sanitised, but bounded. */
export interface GgufFacts {
  /** `general.architecture`. */
  readonly family: string | null;
  readonly parameters: string | null;
  readonly quantization: string | null;
  readonly contextMax: number | null;
  readonly kvBytesPerToken: number | null;
  /** What decides over the memory that it takes; null: the header tells no layers. */
  readonly shape: ModelShape | null;
  /** Null: nothing tells. */
  readonly capabilities: readonly string[] | null;
  readonly use: GgufUse;
  /** Of a model in several files: how many those are; null for one file. */
  readonly splitCount: number | null;
}

/** `part`: no model of its own, such as the eyes of another one, an adapter, a tokenizer. */
export type GgufUse = 'chat' | 'embedding' | 'other' | 'part';

/** `general.file_type` of llama.cpp. */
const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  19: 'IQ2_XXS',
  20: 'IQ2_XS',
  21: 'Q2_K_S',
  22: 'IQ3_XS',
  23: 'IQ3_XXS',
  24: 'IQ1_S',
  25: 'IQ4_NL',
  26: 'IQ3_S',
  27: 'IQ3_M',
  28: 'IQ2_S',
  29: 'IQ2_M',
  30: 'IQ4_XS',
  31: 'IQ1_M',
  32: 'BF16',
  36: 'TQ1_0',
  37: 'TQ2_0',
  38: 'MXFP4',
  39: 'NVFP4',
  40: 'Q1_0',
  41: 'Q2_0',
};

/** Architectures that give numbers for texts, or speak to other parts only. */
const EMBEDDING = /bert|t5encoder|gemma-embedding|^eurobert$/;
const PARTS = new Set(['clip', 'mmproj', 'adapter', 'imatrix', 'vocab']);

/** More than any model has. */
const MOST_TOKENS = 1e9;
const COMMON_CONTEXT_TOKENS = 8192;
const TEXT_LIMIT_CHARS = 60;

export function ggufFacts(header: GgufHeader): GgufFacts {
  const { metadata } = header;
  const family = shortText(metadata.get('general.architecture'));
  const of = (name: string): GgufValue | undefined => metadata.get(`${family ?? ''}.${name}`);
  const shape = shapeOfGguf(header);
  return {
    family,
    parameters: shortText(metadata.get('general.size_label')) ?? parametersOf(header),
    quantization: quantizationOf(header),
    contextMax: count(of('context_length'), MOST_TOKENS),
    kvBytesPerToken: kvBytesOf(shape),
    shape,
    capabilities: capabilitiesOf(metadata.get('tokenizer.chat_template')),
    use: useOf(header, family, of),
    splitCount: splitOf(metadata.get('split.count')),
  };
}

/** `135M`, `8.0B`: as the numbers in the tensors add up. Null: of a split file, whose others are not known. */
function parametersOf({ tensors, metadata }: GgufHeader): string | null {
  if (tensors.length === 0 || splitOf(metadata.get('split.count')) !== null) return null;
  const total = tensors.reduce(
    (sum, { shape }) => sum + shape.reduce((product, each) => product * each, 1),
    0,
  );
  if (!Number.isSafeInteger(total) || total <= 0) return null;
  if (total >= 1e9) return `${(total / 1e9).toFixed(1)}B`;
  return total >= 1e6 ? `${Math.round(total / 1e6)}M` : `${Math.ceil(total / 1e3)}K`;
}

/** As the header tells, else the type that most bytes of the tensors have. */
function quantizationOf({ metadata, tensors }: GgufHeader): string | null {
  const told = metadata.get('general.file_type');
  // From 1024 on it is a guess of the program that wrote the file.
  const name = typeof told === 'number' ? FILE_TYPES[told & 1023] : undefined;
  if (name !== undefined) return name;
  const bytes = new Map<string, number>();
  for (const { type, sizeBytes } of tensors) bytes.set(type, (bytes.get(type) ?? 0) + (sizeBytes ?? 0));
  const [most] = [...bytes].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

function useOf(
  { metadata, tensors }: GgufHeader,
  family: string | null,
  of: (name: string) => GgufValue | undefined,
): GgufUse {
  const type = metadata.get('general.type');
  if (typeof type === 'string' && PARTS.has(type)) return 'part';
  if (family !== null && PARTS.has(family)) return 'part';
  // The first part of a split model may have none.
  if (tensors.length === 0 && splitOf(metadata.get('split.count')) === null) return 'part';
  if (family === null || of('block_count') === undefined) return 'other';
  return EMBEDDING.test(family) || of('pooling_type') !== undefined ? 'embedding' : 'chat';
}

function capabilitiesOf(template: GgufValue | undefined): readonly string[] | null {
  if (typeof template !== 'string') return null;
  const tools = /\btools\b/.test(template) ? ['tools'] : [];
  const thinking = /<think>|enable_thinking|reasoning_content|<\|channel\|>analysis/.test(template);
  return ['completion', ...tools, ...(thinking ? ['thinking'] : [])];
}

/** 16 bit keys and values, states and windows, of a context as it is common, per token of it. */
function kvBytesOf(shape: ModelShape | null): number | null {
  const bytes = shape === null ? null : cacheBytes(shape, COMMON_CONTEXT_TOKENS);
  if (bytes === null) return null;
  const perToken = Math.ceil((bytes.full + bytes.sliding + bytes.state) / COMMON_CONTEXT_TOKENS);
  return Number.isSafeInteger(perToken) && perToken > 0 ? perToken : null;
}

function splitOf(value: GgufValue | undefined): number | null {
  const split = count(value, 10_000);
  return split === null || split < 2 ? null : split;
}

function count(value: GgufValue | undefined, most: number): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= most
    ? value
    : null;
}

function shortText(value: GgufValue | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, TEXT_LIMIT_CHARS) : null;
}
