import { createHash, type Hash } from 'node:crypto';
import { open, readFile, rename, rm, statfs, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { makePrivateDirectory, PRIVATE_FILE_MODE, systemCode } from '../files.js';
import { messageOf } from '../errors.js';
import { WireError, wireError } from '../wire/wire-error.js';

/** Where a begun download came from, to tell whether it can go on. */
export interface PartOrigin {
  readonly url: string;
  /** A strong one: the same bytes. */
  readonly etag: string | null;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
}

const READ_BYTES = 1024 * 1024;
/** Left free, so that the rest of the machine can go on. */
const MARGIN_BYTES = 64 * 1024 * 1024;

/**
 * A file that is being downloaded: `NAME.part`, with `NAME.part.json` beside it, until it is whole. Its sha256 grows along. Errors of the
 * disk become WireError with the next step.
 */
export class PartFile {
  readonly target: string;
  readonly #handle: FileHandle;
  #hash: Hash = createHash('sha256');
  #length = 0;
  /** Of what was there before; null: a new file. */
  origin: PartOrigin | null = null;

  private constructor(target: string, handle: FileHandle) {
    this.target = target;
    this.#handle = handle;
  }

  /** Opens what was begun, and reads it for its sha256; `onRead` tells how far that is. */
  static async open(
    target: string,
    onRead: (bytes: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<PartFile> {
    return onDisk(path.dirname(target), async () => {
      makePrivateDirectory(path.dirname(target));
      const handle = await open(partOf(target), 'a+', PRIVATE_FILE_MODE).then(async (made) => {
        await made.close();
        return open(partOf(target), 'r+');
      });
      const part = new PartFile(target, handle);
      try {
        part.origin = await originOf(target);
        if (part.origin === null) await handle.truncate(0);
        await part.#readAll(onRead, signal);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return part;
    });
  }

  get length(): number {
    return this.#length;
  }

  /** Makes it empty, for another origin. */
  async restart(): Promise<void> {
    await onDisk(path.dirname(this.target), () => this.#handle.truncate(0));
    this.#hash = createHash('sha256');
    this.#length = 0;
    this.origin = null;
  }

  /** Keeps where it comes from, to go on after a break. */
  async keepOrigin(origin: PartOrigin): Promise<void> {
    if (JSON.stringify(origin) === JSON.stringify(this.origin)) return;
    this.origin = origin;
    await onDisk(path.dirname(this.target), () =>
      writeFile(originFile(this.target), JSON.stringify(origin), { mode: PRIVATE_FILE_MODE }),
    );
  }

  async append(bytes: Uint8Array): Promise<void> {
    await onDisk(path.dirname(this.target), async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#length);
        this.#hash.update(bytes.subarray(done, done + bytesWritten));
        this.#length += bytesWritten;
        done += bytesWritten;
      }
    });
  }

  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async head(length: number): Promise<Uint8Array> {
    const bytes = Buffer.alloc(Math.min(length, this.#length));
    await this.#handle.read(bytes, 0, bytes.length, 0);
    return bytes;
  }

  /** Closes it; what came is kept. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }

  /** Closes it and takes it away. */
  async discard(): Promise<void> {
    await this.close();
    await removePart(this.target);
  }

  /** Makes the finished file appear in one step. */
  async finish(): Promise<void> {
    await onDisk(path.dirname(this.target), async () => {
      // Without it a power cut after the rename can leave a file with holes under the good name.
      await this.#handle.sync();
      await this.#handle.close();
      await rename(partOf(this.target), this.target);
      await rm(originFile(this.target), { force: true });
    });
  }

  async #readAll(onRead: (bytes: number, total: number) => void, signal: AbortSignal): Promise<void> {
    const { size } = await this.#handle.stat();
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, size)));
    while (this.#length < size) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#length);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#length += bytesRead;
      onRead(this.#length, size);
    }
  }
}

export function partOf(target: string): string {
  return `${target}.part`;
}

export async function removePart(target: string): Promise<void> {
  await rm(partOf(target), { force: true });
  await rm(originFile(target), { force: true });
}

/** Throws WireError when so many bytes more do not go onto the disk of a folder. Unknown room (some network drives) is none of our concern. */
export async function checkRoom(
  folder: string,
  neededBytes: number,
  freeBytes: (folder: string) => Promise<number | null> = freeBytesOf,
): Promise<void> {
  const free = await onDisk(folder, async () => {
    makePrivateDirectory(folder);
    return freeBytes(folder);
  });
  if (free === null || neededBytes + MARGIN_BYTES <= free) return;
  const words = `${megabytes(neededBytes)} are needed, ${megabytes(Math.max(0, free - MARGIN_BYTES))} are free`;
  throw wireError('no-room', { place: folder, words });
}

/** What this user may still write; null: not told. */
export async function freeBytesOf(folder: string): Promise<number | null> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  return blocks > 0 && Number.isSafeInteger(free) ? free : null;
}

async function originOf(target: string): Promise<PartOrigin | null> {
  try {
    const { url, etag, sizeBytes, sha256 } = JSON.parse(
      await readFile(originFile(target), 'utf8'),
    ) as Readonly<Record<string, unknown>>;
    if (typeof url !== 'string') return null;
    return {
      url,
      etag: typeof etag === 'string' ? etag : null,
      sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : null,
      sha256: typeof sha256 === 'string' ? sha256 : null,
    };
  } catch {
    return null;
  }
}

function originFile(target: string): string {
  return `${partOf(target)}.json`;
}

/** Runs something on the disk; its errors become words. */
export async function onDisk<T>(folder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof WireError || code === '' || code === 'ABORT_ERR') throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const words = full ? 'the disk is full' : code;
    throw wireError(full ? 'no-room' : 'cannot-write', { place: folder, words }, { cause: messageOf(error) });
  }
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
}
