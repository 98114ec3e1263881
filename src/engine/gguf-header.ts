import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { TENSOR_TYPES, type GgufHeader, type GgufTensor, type GgufValue } from '../domain/gguf.js';
import { GgufError } from './gguf-error.js';
import { BudgetSpent, EndOfBytes, readerOf, Window, type ReadAt } from './window.js';

/** Headers of real models have up to 20 MB (256 thousand words and their merges). */
const READ_LIMIT_BYTES = 32 * 1024 * 1024;
const ENTRIES_LIMIT = 65_536;
/** The largest models have some thousand, split over files. */
const TENSORS_LIMIT = 131_072;
const KEY_LIMIT_BYTES = 65_535;
const TENSOR_NAME_LIMIT_BYTES = 1024;
/** Templates of chats have up to some tens of kilobytes. A longer text is left out. */
const TEXT_LIMIT_BYTES = 1024 * 1024;
/** Texts and lists kept of one header, together. */
const KEPT_LIMIT_BYTES = 8 * 1024 * 1024;
/** What a kept text takes beside its letters. */
const TEXT_COST_BYTES = 32;
/** Per layer there is one number; nothing has a thousand layers. */
const LIST_LIMIT = 1024;
const DIMENSIONS_LIMIT = 8;
const DEPTH_LIMIT = 4;
/** Bytes that a file cannot have: 2^53 - 1. */
const ENDLESS = Number.MAX_SAFE_INTEGER;
const DEFAULT_ALIGNMENT = 32;
const ALIGNMENT_LIMIT = 1024 * 1024;

const MAGIC = 0x46554747;

const TEXT_TYPE = 8;
const LIST_TYPE = 9;

/** Bytes of a value by its type; texts and lists have a length of their own. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0: 1, // uint8
  1: 1,
  2: 2,
  3: 2,
  4: 4, // uint32
  5: 4,
  6: 4, // float32
  7: 1, // bool
  10: 8, // uint64
  11: 8,
  12: 8, // float64
};

/**
 * Reads the header of a GGUF file of version 2 or 3. At most 32 MB are read and some more kept, whatever the file says. Throws GgufError
 * and the errors of node:fs. `at`: where the GGUF begins within the file (a llamafile is an archive that holds one).
 */
export async function readGgufHeader(file: string, at = 0): Promise<GgufHeader> {
  // Without waiting for a writer, should it be a pipe by now.
  const handle = await open(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  try {
    if (!(await handle.stat()).isFile()) throw new GgufError('not-gguf', 'is no file');
    return await parseGgufHeader(readerOf(handle, at));
  } finally {
    await handle.close();
  }
}

/** The same from any bytes, for instance the first of a download. */
export async function parseGgufHeader(read: ReadAt): Promise<GgufHeader> {
  const window = new Window(read, READ_LIMIT_BYTES);
  try {
    return await headerFrom(window);
  } catch (error) {
    if (error instanceof EndOfBytes) throw new GgufError('cut', 'ends within its header');
    if (error instanceof BudgetSpent) throw new GgufError('too-large', 'has a header of more than 32 MB');
    throw error;
  }
}

async function headerFrom(window: Window): Promise<GgufHeader> {
  const version = await versionOf(window);
  const tensorCount = await countOf(window, TENSORS_LIMIT, 'tensors');
  const entryCount = await countOf(window, ENTRIES_LIMIT, 'entries');
  const metadata = new Map<string, GgufValue>();
  const kept = { bytes: 0 };
  for (let i = 0; i < entryCount; i++) {
    const key = await shortText(window, KEY_LIMIT_BYTES, 'key');
    const value = await valueOf(window, await uint32(window), kept);
    // The first one of a name counts, as for llama.cpp.
    if (value !== null && !metadata.has(key)) metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(await tensorFrom(window));
  const alignment = alignmentOf(metadata.get('general.alignment'));
  const start = Math.ceil(window.position / alignment) * alignment;
  const end = tensors.reduce((most, { offset, sizeBytes }) => Math.max(most, offset + (sizeBytes ?? 0)), 0);
  // Without tensors (a file of words only, the first part of some split models) nothing follows, not even the padding.
  const neededBytes = tensors.length === 0 ? window.position : Math.min(ENDLESS, start + end);
  return { version, metadata, tensors, neededBytes };
}

async function versionOf(window: Window): Promise<number> {
  try {
    await window.need(8);
  } catch (error) {
    // Shorter than any GGUF: the start of one, or something else; nobody can tell.
    if (error instanceof EndOfBytes && window.ready >= 4) await magicOf(window);
    throw error;
  }
  await magicOf(window);
  const version = await uint32(window);
  // The same number with its bytes the other way round.
  if (version !== 0 && (version & 0xffff) === 0)
    throw new GgufError('byte-order', 'is for big-endian machines');
  if (version !== 2 && version !== 3)
    throw new GgufError('version', `has version ${version} of the format; 2 and 3 can be read`);
  return version;
}

async function magicOf(window: Window): Promise<void> {
  if ((await uint32(window)) !== MAGIC) throw new GgufError('not-gguf', 'is no GGUF file');
}

async function valueOf(window: Window, type: number, kept: { bytes: number }): Promise<GgufValue | null> {
  if (type === TEXT_TYPE) return longText(window, kept);
  if (type === LIST_TYPE) return listOf(window, kept, 0);
  const size = sizeOf(type);
  await window.need(size);
  return fixedValue(window, type, size);
}

/** Null: a number that is none, or that cannot be held exactly. */
function fixedValue(window: Window, type: number, size: number): number | boolean | null {
  const { view, at } = window.take(size);
  switch (type) {
    case 0:
      return view.getUint8(at);
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getUint16(at, true);
    case 3:
      return view.getInt16(at, true);
    case 4:
      return view.getUint32(at, true);
    case 5:
      return view.getInt32(at, true);
    case 6:
      return finite(view.getFloat32(at, true));
    case 7:
      return view.getUint8(at) !== 0;
    case 10:
      return exact(view.getBigUint64(at, true));
    case 11:
      return exact(view.getBigInt64(at, true));
    default:
      return finite(view.getFloat64(at, true));
  }
}

async function listOf(window: Window, kept: { bytes: number }, depth: number): Promise<GgufValue> {
  if (depth >= DEPTH_LIMIT) throw new GgufError('damaged', 'has lists within lists within lists');
  const type = await uint32(window);
  const length = await size64(window);
  if (type === LIST_TYPE) {
    // Each takes 12 bytes at least, so the budget ends a list that never ends.
    for (let i = 0; i < length; i++) await listOf(window, kept, depth + 1);
    return { length, values: null };
  }
  if (type === TEXT_TYPE) return textsOf(window, length, kept);
  const size = sizeOf(type);
  if (length > LIST_LIMIT || kept.bytes + length * 8 > KEPT_LIMIT_BYTES) {
    await skip(window, length * size);
    return { length, values: null };
  }
  kept.bytes += length * 8;
  await window.need(length * size);
  const values: (number | boolean)[] = [];
  for (let i = 0; i < length; i++) {
    const value = fixedValue(window, type, size);
    // A list with a hole says nothing about its layers.
    if (value !== null) values.push(value);
  }
  return { length, values: values.length === length ? values : null };
}

async function textsOf(window: Window, length: number, kept: { bytes: number }): Promise<GgufValue> {
  if (length <= LIST_LIMIT) {
    const values: string[] = [];
    for (let i = 0; i < length; i++) {
      const text = await longText(window, kept);
      if (text !== null) values.push(text);
    }
    return { length, values: values.length === length ? values : null };
  }
  for (let left = length; left > 0;) {
    left -= window.skipTexts(left);
    if (left === 0) break;
    await skip(window, await size64(window));
    left -= 1;
  }
  return { length, values: null };
}

async function tensorFrom(window: Window): Promise<GgufTensor> {
  const name = await shortText(window, TENSOR_NAME_LIMIT_BYTES, 'name of a tensor');
  const dimensions = await uint32(window);
  if (dimensions > DIMENSIONS_LIMIT)
    throw new GgufError('damaged', `has a tensor of ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.push(await size64(window));
  const id = await uint32(window);
  const offset = await size64(window);
  const [type, numbers, bytes] = TENSOR_TYPES[id] ?? [`type ${id}`, 1, null];
  const count = shape.reduce((product, each) => Math.min(ENDLESS, product * each), 1);
  const sizeBytes = bytes === null ? null : Math.min(ENDLESS, Math.ceil(count / numbers) * bytes);
  return { name, type, shape, offset, sizeBytes };
}

function alignmentOf(value: GgufValue | undefined): number {
  if (value === undefined) return DEFAULT_ALIGNMENT;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= ALIGNMENT_LIMIT)
    return value;
  throw new GgufError('damaged', 'has an alignment that is none');
}

async function countOf(window: Window, limit: number, of: string): Promise<number> {
  const count = await size64(window);
  if (count > limit) throw new GgufError('damaged', `says that it has ${count} ${of}`);
  return count;
}

async function shortText(window: Window, limitBytes: number, what: string): Promise<string> {
  const size = await size64(window);
  if (size > limitBytes) throw new GgufError('damaged', `has a ${what} of ${size} bytes`);
  await window.need(size);
  return decoded(window.takeBytes(size));
}

/** Null: longer than what is kept. */
async function longText(window: Window, kept: { bytes: number }): Promise<string | null> {
  const size = await size64(window);
  if (size > TEXT_LIMIT_BYTES || kept.bytes + size > KEPT_LIMIT_BYTES) {
    await skip(window, size);
    return null;
  }
  kept.bytes += size + TEXT_COST_BYTES;
  await window.need(size);
  return decoded(window.takeBytes(size));
}

/** Goes on behind so many bytes, of which the last must be there: many long ways would otherwise lead on without any reading. */
async function skip(window: Window, length: number): Promise<void> {
  if (length <= window.ready) {
    window.skip(length);
    return;
  }
  if (!Number.isSafeInteger(window.position + length)) throw new EndOfBytes();
  window.skip(length - 1);
  await window.need(1);
  window.skip(1);
}

async function uint32(window: Window): Promise<number> {
  if (window.ready < 4) await window.need(4);
  const { view, at } = window.take(4);
  return view.getUint32(at, true);
}

/** A count, a length or an offset. */
async function size64(window: Window): Promise<number> {
  if (window.ready < 8) await window.need(8);
  const { view, at } = window.take(8);
  const value = view.getBigUint64(at, true);
  if (value > BigInt(ENDLESS)) throw new GgufError('damaged', `says ${value} where a size stands`);
  return Number(value);
}

function sizeOf(type: number): number {
  const size = FIXED_BYTES[type];
  if (size === undefined) throw new GgufError('damaged', `has a value of the unknown type ${type}`);
  return size;
}

function exact(value: bigint): number | null {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function decoded(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
