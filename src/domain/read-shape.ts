import type { LayerGroup, ModelShape, ShapeTensor } from './model-shape.js';
import { tensorBytes } from './tensor-bytes.js';
import { isFullAttention, KNOWN_PATTERNS } from './window-pattern.js';

/** Where the shape is read from: keys as in the header of a GGUF file. */
interface Told {
  readonly get: (key: string) => unknown;
  readonly tensors: readonly ShapeTensor[];
}

/** More than any model has; what is beyond is no figure. */
const MOST_LAYERS = 2000;
const MOST_WIDTH = 1e7;
const MOST_TENSORS = 100_000;

/**
 * The shape by Ollama's `/api/show`. Its lists per layer are emptied without `verbose`, so the tensors tell more than the keys. Null: it
 * tells no layers (cloud models, other formats).
 */
export function shapeOfShow(
  info: Readonly<Record<string, unknown>>,
  tensors: readonly unknown[],
): ModelShape | null {
  const get = (key: string): unknown => (Object.hasOwn(info, key) ? info[key] : undefined);
  return shapeOf({ get, tensors: tensors.slice(0, MOST_TENSORS).flatMap(asTensor) });
}

/** The shape by the header of a GGUF file; null: it tells no layers. */
export function shapeOfGguf(header: {
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: readonly ShapeTensor[];
}): ModelShape | null {
  return shapeOf({ get: (key) => header.metadata.get(key), tensors: header.tensors });
}

function shapeOf(told: Told): ModelShape | null {
  const architecture = told.get('general.architecture');
  if (typeof architecture !== 'string') return null;
  const keys = keysOf(told, architecture);
  const layerCount = keys.count('block_count', MOST_LAYERS);
  if (layerCount === null) return null;
  const all = new Map(told.tensors.map((tensor) => [tensor.name, tensor]));
  // A list that breaks off (a part of a split file, a server that shortens it) would make weights and cache too small.
  const tensors: ReadonlyMap<string, ShapeTensor> = namesEveryLayer(all, layerCount) ? all : new Map();
  const table = tensors.get('token_embd.weight');
  const assumed = new Set<string>();
  const layers = layersOf({ architecture, keys, tensors, layerCount, assumed });
  const { weightBytes, embeddingBytes } = weightsOf([...tensors.values()], table);
  const vocabulary =
    sizeOf(table?.shape[1]) ?? keys.count('vocab_size') ?? lengthOf(told.get('tokenizer.ggml.tokens'));
  if (vocabulary === null) assumed.add('vocabulary');
  if (weightBytes === null) assumed.add('tensors');
  return {
    layers: layers ?? [],
    slidingWindow: windowOf(architecture, keys),
    vocabulary,
    embedding: keys.count('embedding_length') ?? sizeOf(table?.shape[0]),
    heads: keys.most('attention.head_count'),
    compressed: isCompressed(keys, tensors),
    weightBytes,
    embeddingBytes,
    tied: tensors.size > 0 && table !== undefined && !tensors.has('output.weight'),
    contextMax: keys.count('context_length', 1e9),
    assumed: [...assumed, ...(layers === null ? ['layers'] : [])],
  };
}

function namesEveryLayer(tensors: ReadonlyMap<string, ShapeTensor>, layerCount: number): boolean {
  const named = new Set<number>();
  for (const name of tensors.keys()) {
    const layer = /^blk\.(\d{1,6})\./.exec(name)?.[1];
    if (layer !== undefined) named.add(Number(layer));
  }
  for (let layer = 0; layer < layerCount; layer++) if (!named.has(layer)) return false;
  return true;
}

interface Keys {
  /** A figure of the architecture; null for none, 0, and what is no figure. */
  count(name: string, most?: number): number | null;
  /** The same of a key that may be a list per layer: the largest. */
  most(name: string): number | null;
  /** The entry of a list per layer, or the figure for all; 0 is told. Null: not told. */
  of(name: string, layer: number): number | null;
  list(name: string): readonly unknown[] | null;
}

interface LayerSources {
  readonly architecture: string;
  readonly keys: Keys;
  readonly tensors: ReadonlyMap<string, ShapeTensor>;
  readonly layerCount: number;
  readonly assumed: Set<string>;
}

function layersOf(sources: LayerSources): readonly LayerGroup[] | null {
  const { keys, tensors, layerCount } = sources;
  const own = layerCount - (keys.count('attention.shared_kv_layers', layerCount) ?? 0);
  const groups = new Map<string, LayerGroup>();
  const add = (group: LayerGroup): void => {
    const key = JSON.stringify({ ...group, count: 0 });
    groups.set(key, { ...group, count: (groups.get(key)?.count ?? 0) + 1 });
  };
  const byTensors = [...tensors.keys()].some((name) => name.startsWith('blk.'));
  for (let layer = 0; layer < layerCount; layer++) {
    // Layers that foretell further tokens are part of the file and have no cache by default.
    if (tensors.has(`blk.${layer}.nextn.eh_proj.weight`)) continue;
    const recurrent = isRecurrent(sources, layer, byTensors);
    if (recurrent) {
      const stateBytes = stateBytesOf(sources, layer);
      if (stateBytes === null) return null;
      add({ kind: 'recurrent', count: 1, stateBytes });
    }
    const widths = byTensors
      ? widthsByTensors(sources, layer)
      : recurrent
        ? null
        : widthsByKeys(sources, layer);
    if (widths === undefined) return null;
    if (widths === null || layer >= own) continue;
    add({ kind: kindOf(sources, layer), count: 1, ...widths });
  }
  return groups.size === 0 ? null : [...groups.values()];
}

interface Widths {
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/** Null: the layer has no attention. Undefined: it cannot be told. */
function widthsByTensors(sources: LayerSources, layer: number): Widths | null | undefined {
  const { keys, tensors } = sources;
  const side = (name: string): number | null => sizeOf(tensors.get(`blk.${layer}.${name}`)?.shape[1]);
  if (isCompressed(keys, tensors)) return compressedWidths(sources, layer);
  const keyWidth = side('attn_k.weight');
  // Where the values are the keys (gemma 4 does so in some layers) there is no tensor of their own.
  if (keyWidth !== null) return { keyWidth, valueWidth: side('attn_v.weight') ?? keyWidth };
  const has = (name: string): boolean => tensors.has(`blk.${layer}.${name}.weight`);
  // Gated delta nets have a joint tensor too, and no cache.
  if (has('attn_qkv') && !isRecurrent(sources, layer, true)) return widthsByKeys(sources, layer);
  return has('attn_kv_b') ? widthsByKeys(sources, layer) : null;
}

function widthsByKeys(sources: LayerSources, layer: number): Widths | null | undefined {
  const { keys, assumed } = sources;
  if (isCompressed(keys, sources.tensors)) return compressedWidths(sources, layer);
  let kvHeads = keys.of('attention.head_count_kv', layer);
  const heads = keys.of('attention.head_count', layer) ?? keys.most('attention.head_count');
  if (kvHeads === null) {
    if (heads === null) return undefined;
    kvHeads = heads;
    assumed.add('heads of keys and values');
  }
  if (kvHeads === 0) return null;
  const embedding = keys.count('embedding_length');
  const even = embedding === null || !heads ? null : embedding / heads;
  const swa = kindOf(sources, layer) === 'sliding';
  const key =
    (swa ? keys.count('attention.key_length_swa') : null) ?? keys.count('attention.key_length') ?? even;
  const value =
    (swa ? keys.count('attention.value_length_swa') : null) ??
    keys.count('attention.value_length') ??
    keys.count('attention.key_length') ??
    even;
  if (key === null || value === null) return undefined;
  return { keyWidth: Math.ceil(kvHeads * key), valueWidth: Math.ceil(kvHeads * value) };
}

/** One compressed vector with the rotated part as the key, and the vector again as the value. */
function compressedWidths({ keys }: LayerSources, layer: number): Widths | null | undefined {
  if (keys.of('attention.head_count_kv', layer) === 0) return null;
  const rank = keys.count('attention.kv_lora_rank');
  if (rank === null) return undefined;
  return { keyWidth: rank + (keys.count('rope.dimension_count') ?? 64), valueWidth: rank };
}

/** Files made for it have the two halves of the expansion apart. */
function isCompressed(keys: Keys, tensors: ReadonlyMap<string, ShapeTensor>): boolean {
  if (keys.count('attention.kv_lora_rank') === null) return false;
  if (tensors.size === 0) return keys.count('attention.key_length_mla') !== null;
  return [...tensors.keys()].some((name) => name.endsWith('.attn_k_b.weight'));
}

function isRecurrent(
  { keys, tensors, layerCount, architecture }: LayerSources,
  layer: number,
  byTensors: boolean,
): boolean {
  if (byTensors)
    return [
      'ssm_conv1d.weight',
      'ssm_a',
      'ssm_out.weight',
      'time_mix_w1.weight',
      'shortconv.conv.weight',
    ].some((name) => tensors.has(`blk.${layer}.${name}`));
  if (keys.count('ssm.state_size') === null) return false;
  const interval =
    keys.count('full_attention_interval', layerCount) ?? (/^qwen3(next|5)/.test(architecture) ? 4 : null);
  if (interval !== null) return (layer + 1) % interval !== 0;
  const kvHeads = keys.of('attention.head_count_kv', layer);
  return kvHeads === null || kvHeads === 0;
}

/** The window of the convolution and the state itself, both as 32 bit floats. */
function stateBytesOf({ keys, tensors }: LayerSources, layer: number): number | null {
  const short = tensors.get(`blk.${layer}.shortconv.conv.weight`);
  const [length, width] = [sizeOf(short?.shape[0]), sizeOf(short?.shape[1])];
  if (length !== null && width !== null) return 4 * (length - 1) * width;
  const state = keys.count('ssm.state_size');
  const inner = keys.count('ssm.inner_size');
  const conv =
    keys.count('ssm.conv_kernel') ?? sizeOf(tensors.get(`blk.${layer}.ssm_conv1d.weight`)?.shape[0]);
  if (state === null || inner === null || conv === null) return null;
  const groups = keys.count('ssm.group_count') ?? 0;
  return 4 * ((conv - 1) * (inner + 2 * groups * state) + state * inner);
}

function kindOf({ architecture, keys, layerCount }: LayerSources, layer: number): 'full' | 'sliding' {
  if (windowOf(architecture, keys) === null) return 'full';
  const told = keys.list('attention.sliding_window_pattern');
  const entry = told?.[layer];
  if (told && told.length >= layerCount && typeof entry === 'boolean') return entry ? 'sliding' : 'full';
  const every = keys.count('attention.sliding_window_pattern', layerCount);
  return isFullAttention(architecture, layer, every) ? 'full' : 'sliding';
}

/** Null where the engines do not make use of the window that a file tells. */
function windowOf(architecture: string, keys: Keys): number | null {
  const told =
    keys.list('attention.sliding_window_pattern')?.length ?? keys.count('attention.sliding_window_pattern');
  if (!told && !KNOWN_PATTERNS.has(architecture)) return null;
  return keys.count('attention.sliding_window') ?? keys.count('attention.chunk_size') ?? null;
}

function weightsOf(
  tensors: readonly ShapeTensor[],
  table: ShapeTensor | undefined,
): { readonly weightBytes: number | null; readonly embeddingBytes: number | null } {
  let weightBytes: number | null = tensors.length > 0 ? 0 : null;
  for (const { type, shape } of tensors) {
    const bytes = tensorBytes(type, shape);
    weightBytes = weightBytes === null || bytes === null ? null : weightBytes + bytes;
  }
  const safe = weightBytes !== null && Number.isSafeInteger(weightBytes) ? weightBytes : null;
  return { weightBytes: safe, embeddingBytes: table ? tensorBytes(table.type, table.shape) : null };
}

function keysOf(told: Told, architecture: string): Keys {
  const get = (name: string): unknown => told.get(`${architecture}.${name}`);
  const list = (name: string): readonly unknown[] | null => valuesOf(get(name));
  return {
    count: (name, most = MOST_WIDTH) => sizeOf(get(name), most),
    most(name) {
      const sizes = list(name)?.flatMap((value) => sizeOf(value) ?? []);
      return sizes ? (sizes.length > 0 ? Math.max(...sizes) : null) : sizeOf(get(name));
    },
    of(name, layer) {
      const value = list(name)?.[layer] ?? get(name);
      return value === 0 ? 0 : sizeOf(value);
    },
    list,
  };
}

/** A list as JSON has it, or as the header of a file does. */
function valuesOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (typeof value !== 'object' || value === null || !('values' in value)) return null;
  return Array.isArray(value.values) ? (value.values as readonly unknown[]) : null;
}

function lengthOf(value: unknown): number | null {
  return typeof value === 'object' && value !== null && 'length' in value ? sizeOf(value.length) : null;
}

function sizeOf(value: unknown, most = MOST_WIDTH): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= most
    ? value
    : null;
}

function asTensor(value: unknown): readonly ShapeTensor[] {
  if (typeof value !== 'object' || value === null) return [];
  const { name, type, shape } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof type !== 'string' || !Array.isArray(shape)) return [];
  const sides = (shape as readonly unknown[]).slice(0, 8).filter((side) => typeof side === 'number');
  return sides.length === shape.length ? [{ name, type, shape: sides }] : [];
}
