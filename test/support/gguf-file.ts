/** Builds GGUF files, honest and hostile ones. */

/** Values by the types of the format. A Buffer stands for itself, type included. */
export type GgufEntry =
  | { readonly text: string }
  | { readonly uint32: number }
  | { readonly uint64: bigint }
  | { readonly int32: number }
  | { readonly float32: number }
  | { readonly float64: number }
  | { readonly bool: boolean }
  | { readonly uint32s: readonly number[] }
  | { readonly bools: readonly boolean[] }
  | { readonly texts: readonly string[] }
  | { readonly raw: Buffer };

export interface GgufParts {
  readonly version?: number;
  readonly entries?: Readonly<Record<string, GgufEntry>>;
  readonly tensors?: readonly GgufTensorPart[];
  /** What the file says it has. */
  readonly tensorCount?: bigint;
  readonly entryCount?: bigint;
}

export interface GgufTensorPart {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of the type: 0 F32, 8 Q8_0. */
  readonly type: number;
  readonly offset: number;
}

/** The header with all of its padding. */
export function ggufHeader({ version = 3, entries = {}, tensors = [], ...told }: GgufParts): Buffer {
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(version),
    uint64(told.tensorCount ?? BigInt(tensors.length)),
    uint64(told.entryCount ?? BigInt(Object.keys(entries).length)),
    ...Object.entries(entries).flatMap(([key, entry]) => [text(key), valueOf(entry)]),
    ...tensors.flatMap(({ name, shape, type, offset }) => [
      text(name),
      uint32(shape.length),
      ...shape.map((each) => uint64(BigInt(each))),
      uint32(type),
      uint64(BigInt(offset)),
    ]),
  ]);
  return tensors.length === 0 ? header : Buffer.concat([header, Buffer.alloc(-header.length & 31)]);
}

/** A small model that a program would take for a real one: a header, and a tensor of `weights` numbers. */
export function ggufModel(
  entries: Readonly<Record<string, GgufEntry>> = CHAT_MODEL,
  { weights = 64 }: { readonly weights?: number } = {},
): Buffer {
  const tensors = [{ name: 'token_embd.weight', shape: [weights], type: 0, offset: 0 }];
  return Buffer.concat([ggufHeader({ entries, tensors }), Buffer.alloc(weights * 4, 7)]);
}

export const CHAT_MODEL: Readonly<Record<string, GgufEntry>> = {
  'general.architecture': { text: 'llama' },
  'general.name': { text: 'Smol Test' },
  'general.size_label': { text: '135M' },
  'general.file_type': { uint32: 15 },
  'llama.context_length': { uint32: 2048 },
  'llama.block_count': { uint32: 30 },
  'llama.embedding_length': { uint32: 576 },
  'llama.attention.head_count': { uint32: 9 },
  'llama.attention.head_count_kv': { uint32: 3 },
  'tokenizer.chat_template': { text: '{{ messages }}' },
};

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(BigInt(bytes.length)), bytes]);
}

function valueOf(entry: GgufEntry): Buffer {
  if ('raw' in entry) return entry.raw;
  if ('text' in entry) return Buffer.concat([uint32(8), text(entry.text)]);
  if ('uint32' in entry) return Buffer.concat([uint32(4), uint32(entry.uint32)]);
  if ('uint64' in entry) return Buffer.concat([uint32(10), uint64(entry.uint64)]);
  if ('int32' in entry) return Buffer.concat([uint32(5), uint32(entry.int32 >>> 0)]);
  if ('float32' in entry) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(entry.float32);
    return Buffer.concat([uint32(6), bytes]);
  }
  if ('float64' in entry) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(entry.float64);
    return Buffer.concat([uint32(12), bytes]);
  }
  if ('bool' in entry) return Buffer.concat([uint32(7), Buffer.from([entry.bool ? 1 : 0])]);
  if ('uint32s' in entry) return list(4, entry.uint32s.map(uint32));
  if ('bools' in entry)
    return list(
      7,
      entry.bools.map((each) => Buffer.from([each ? 1 : 0])),
    );
  return list(8, entry.texts.map(text));
}

/** A list with its type; `length` is what it says. */
export function list(type: number, items: readonly Buffer[], length = BigInt(items.length)): Buffer {
  return Buffer.concat([uint32(9), uint32(type), uint64(length), ...items]);
}
