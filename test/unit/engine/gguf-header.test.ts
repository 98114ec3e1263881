import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { GgufError, type GgufProblem } from '../../../src/engine/gguf-error.js';
import { parseGgufHeader, readGgufHeader } from '../../../src/engine/gguf-header.js';
import { useFolder } from '../../support/folder.js';
import {
  CHAT_MODEL,
  ggufHeader,
  ggufModel,
  list,
  text,
  uint32,
  uint64,
  type GgufParts,
} from '../../support/gguf-file.js';

const folder = useFolder();

function write(bytes: Buffer): string {
  const file = folder.path('model.gguf');
  fs.writeFileSync(file, bytes);
  return file;
}

/** What is wrong with these bytes, and how many of them were read to know it. */
async function problemOf(
  bytes: Buffer,
): Promise<{ problem: GgufProblem | 'none'; message: string; read: number }> {
  let read = 0;
  try {
    await parseGgufHeader(async (position, length) => {
      const part = bytes.subarray(position, position + length);
      read += part.length;
      return Promise.resolve(part);
    });
    return { problem: 'none', message: '', read };
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    return { problem: error.problem, message: error.message, read };
  }
}

/** A header of one entry of this raw value, which begins with its type. */
function withValue(raw: Buffer, more: GgufParts = {}): Buffer {
  return ggufHeader({ entries: { key: { raw } }, ...more });
}

describe('the header of a GGUF file', () => {
  it('gives metadata, tensors and how long the file must be', async () => {
    const bytes = ggufModel();
    const header = await readGgufHeader(write(bytes));
    expect(header.version).toBe(3);
    expect(header.metadata.get('general.architecture')).toBe('llama');
    expect(header.metadata.get('llama.context_length')).toBe(2048);
    expect(header.tensors).toEqual([
      { name: 'token_embd.weight', type: 'F32', shape: [64], offset: 0, sizeBytes: 256 },
    ]);
    expect(header.neededBytes).toBe(bytes.length);
  });

  it('of version 2 is read the same way', async () => {
    const header = await readGgufHeader(write(ggufHeader({ version: 2, entries: CHAT_MODEL })));
    expect(header.version).toBe(2);
    expect(header.metadata.size).toBe(Object.keys(CHAT_MODEL).length);
  });

  it('is read where it begins within another file', async () => {
    const header = await readGgufHeader(write(Buffer.concat([Buffer.alloc(5000, 1), ggufModel()])), 5000);
    expect(header.metadata.get('general.name')).toBe('Smol Test');
    expect(header.neededBytes).toBe(ggufModel().length);
  });

  it('keeps the values of lists per layer, and of long lists only the length', async () => {
    const words = Array.from({ length: 5000 }, (_, i) => `word ${i}`);
    const header = await readGgufHeader(
      write(
        ggufHeader({
          entries: {
            'tokenizer.ggml.tokens': { texts: words },
            'tokenizer.ggml.token_type': { uint32s: words.map(() => 1) },
            'x.attention.head_count_kv': { uint32s: [8, 0, 0, 8] },
            'x.attention.sliding_window_pattern': { bools: [true, false] },
            'general.languages': { texts: ['en', 'de'] },
          },
        }),
      ),
    );
    expect(Object.fromEntries(header.metadata)).toEqual({
      'tokenizer.ggml.tokens': { length: 5000, values: null },
      'tokenizer.ggml.token_type': { length: 5000, values: null },
      'x.attention.head_count_kv': { length: 4, values: [8, 0, 0, 8] },
      'x.attention.sliding_window_pattern': { length: 2, values: [true, false] },
      'general.languages': { length: 2, values: ['en', 'de'] },
    });
  });

  it('counts blocks of quantized tensors, and does not guess at unknown types', async () => {
    const tensors = [
      { name: 'a', shape: [256, 2], type: 12, offset: 0 },
      { name: 'b', shape: [32], type: 99, offset: 288 },
    ];
    const bytes = ggufHeader({ entries: {}, tensors });
    const header = await readGgufHeader(write(bytes));
    expect(header.tensors.map(({ type, sizeBytes }) => [type, sizeBytes])).toEqual([
      ['Q4_K', 288],
      ['type 99', null],
    ]);
    expect(header.neededBytes).toBe(bytes.length + 288);
  });

  it('leaves out numbers that are none, and integers that no number holds', async () => {
    const { metadata } = await readGgufHeader(
      write(
        ggufHeader({
          entries: {
            a: { float32: NaN },
            b: { float64: Infinity },
            c: { uint64: 2n ** 60n },
            d: { uint64: 7n },
            e: { int32: -3 },
          },
        }),
      ),
    );
    expect(Object.fromEntries(metadata)).toEqual({ d: 7, e: -3 });
  });

  it('tells a file that ends within its header from one that is something else', async () => {
    const bytes = ggufHeader({ entries: CHAT_MODEL });
    for (const length of [0, 5, 10, 24, 60, bytes.length - 1])
      expect((await problemOf(bytes.subarray(0, length))).problem).toBe('cut');
    expect((await problemOf(Buffer.from('<!doctype html><html>'))).problem).toBe('not-gguf');
    expect((await problemOf(Buffer.from('PK\x03\x04'))).problem).toBe('not-gguf');
  });

  it('refuses other byte orders and versions with words', async () => {
    const bytes = ggufHeader({});
    bytes.writeUInt32BE(3, 4);
    expect((await problemOf(bytes)).message).toBe('is for big-endian machines');
    expect((await problemOf(ggufHeader({ version: 1 }))).problem).toBe('version');
    expect((await problemOf(ggufHeader({ version: 900 }))).problem).toBe('version');
  });

  it('takes a file of words only, whose last value is a long list, for complete', async () => {
    const bytes = ggufHeader({ entries: { a: { uint32s: Array.from({ length: 200_000 }, () => 1) } } });
    expect((await readGgufHeader(write(bytes))).neededBytes).toBe(bytes.length);
    expect((await problemOf(bytes.subarray(0, -1))).problem).toBe('cut');
  });
});

describe('a hostile GGUF file', () => {
  const huge = 2n ** 60n;
  const cases: readonly (readonly [string, Buffer, GgufProblem])[] = [
    ['with 2^60 tensors', ggufHeader({ tensorCount: huge }), 'damaged'],
    ['with 2^60 entries', ggufHeader({ entryCount: huge }), 'damaged'],
    ['with a million entries that are not there', ggufHeader({ entryCount: 60_000n }), 'cut'],
    ['with a key of 2^60 bytes', Buffer.concat([ggufHeader({ entryCount: 1n }), uint64(huge)]), 'damaged'],
    ['with a text of 2^60 bytes', withValue(Buffer.concat([uint32(8), uint64(huge)])), 'damaged'],
    ['with a text of 2^40 bytes', withValue(Buffer.concat([uint32(8), uint64(2n ** 40n)])), 'cut'],
    ['with a list of 2^60 numbers', withValue(list(4, [], huge)), 'damaged'],
    ['with a list of 2^50 numbers', withValue(list(4, [], 2n ** 50n)), 'cut'],
    ['with a list of 2^50 texts', withValue(list(8, [text('a')], 2n ** 50n)), 'cut'],
    [
      'with a list whose texts are of 2^60 bytes',
      withValue(list(8, [text('a'), uint64(huge)], 5000n)),
      'damaged',
    ],
    ['with a list of 2^50 lists', withValue(list(9, [], 2n ** 50n)), 'cut'],
    [
      'with lists in lists in lists without end',
      withValue(
        Buffer.concat([uint32(9), ...Array.from({ length: 9999 }, () => [uint32(9), uint64(1n)]).flat()]),
      ),
      'damaged',
    ],
    ['with a value of no type', withValue(uint32(4711)), 'damaged'],
    ['with an alignment of 0', ggufHeader({ entries: { 'general.alignment': { uint32: 0 } } }), 'damaged'],
    [
      'with a tensor of a thousand dimensions',
      Buffer.concat([ggufHeader({ tensorCount: 1n }), text('a'), uint32(1000)]),
      'damaged',
    ],
    [
      'with a header that goes on and on',
      Buffer.concat([
        ggufHeader({ entryCount: 1n }),
        text('a'),
        list(8, [], 2n ** 40n),
        Buffer.alloc(40 << 20),
      ]),
      'too-large',
    ],
  ];
  it.each(cases)('%s ends at once with a reason', async (_, bytes, problem) => {
    const found = await problemOf(bytes);
    expect(found.problem).toBe(problem);
    expect(found.read).toBeLessThanOrEqual(32 << 20);
  });

  it('whose tensors lie at the end of the world is only not complete', async () => {
    const tensors = [
      { name: 'a', shape: [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0, 3], type: 0, offset: 0 },
      { name: 'b', shape: [2 ** 50, 2 ** 50], type: 0, offset: 2 ** 50 },
    ];
    const header = await readGgufHeader(write(ggufHeader({ tensors })));
    expect(header.neededBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(header.tensors[0]?.sizeBytes).toBe(0);
  });

  it('that is cut or changed anywhere never does worse than a reason', async () => {
    const bytes = ggufModel();
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Buffer.from(bytes);
      changed[at] = 0xff;
      const { problem } = await problemOf(changed);
      expect(typeof problem).toBe('string');
    }
  });

  it('that is a pipe or a folder does not hold anybody up', async () => {
    const pipe = folder.path('pipe.gguf');
    execFileSync('mkfifo', [pipe]);
    await expect(readGgufHeader(pipe)).rejects.toMatchObject({ problem: 'not-gguf' });
    await expect(readGgufHeader(folder.path())).rejects.toMatchObject({ problem: 'not-gguf' });
  });
});
