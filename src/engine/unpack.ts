import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { PRIVATE_FILE_MODE } from '../files.js';
import { wireError } from '../wire/wire-error.js';
import { onDisk } from './part-file.js';
import { readerOf } from './window.js';
import { findInZip, ZipError } from './zip.js';

const STORED = 0;
const DEFLATED = 8;
/** The default of 16 kB would be thousands of small writes. */
const CHUNK_BYTES = 512 * 1024;

/**
 * Takes one member out of a ZIP archive into a file of its own. Checks length, CRC and, where it is known, sha256. Throws WireError, and
 * the reason of an abort. The archive stays as it is.
 */
export async function unpackMember(
  archive: string,
  member: string,
  target: string,
  {
    sha256,
    signal,
    onProgress,
  }: {
    readonly sha256: string | null;
    readonly signal: AbortSignal;
    readonly onProgress: (bytes: number, totalBytes: number) => void;
  },
): Promise<void> {
  const folder = path.dirname(target);
  const handle = await open(archive, 'r');
  try {
    const { size } = await handle.stat();
    const found = await findInZip(readerOf(handle), size, (name) => name === member);
    if (found.method !== STORED && found.method !== DEFLATED) throw new ZipError('is packed in another way');
    const packed = createReadStream(archive, {
      start: found.start,
      end: found.start + found.packedBytes - 1,
      highWaterMark: CHUNK_BYTES,
    });
    const plain: Readable = found.method === STORED ? packed : inflated(packed);
    const out = await onDisk(folder, () => open(target, 'w', PRIVATE_FILE_MODE));
    try {
      const sums = await copied(plain, { out, folder }, found.sizeBytes, signal, onProgress);
      if (sums.bytes !== found.sizeBytes || sums.crc !== found.crc32) throw new ZipError('is damaged');
      if (sha256 !== null && sums.sha256 !== sha256) throw wireError('wrong-digest', { place: member });
      await onDisk(folder, () => out.sync());
    } finally {
      packed.destroy();
      await out.close();
    }
  } catch (error) {
    if (error instanceof ZipError)
      throw wireError('bad-model-file', { words: error.message }, { cause: error });
    throw error;
  } finally {
    await handle.close();
  }
}

function inflated(packed: Readable): Readable {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  packed.on('error', (error) => inflate.destroy(error));
  return packed.pipe(inflate);
}

async function copied(
  plain: Readable,
  { out, folder }: { readonly out: FileHandle; readonly folder: string },
  limitBytes: number,
  signal: AbortSignal,
  onProgress: (bytes: number, totalBytes: number) => void,
): Promise<{ readonly bytes: number; readonly crc: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let crc = 0;
  for await (const chunk of plain as AsyncIterable<Uint8Array>) {
    signal.throwIfAborted();
    // A bomb ends here.
    if (bytes + chunk.length > limitBytes) throw new ZipError('is damaged');
    await onDisk(folder, () => out.write(chunk, 0, chunk.length, bytes));
    hash.update(chunk);
    crc = crc32(chunk, crc);
    bytes += chunk.length;
    onProgress(bytes, limitBytes);
  }
  return { bytes, crc, sha256: hash.digest('hex') };
}
