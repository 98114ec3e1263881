import type { FileHandle } from 'node:fs/promises';

/** Where bytes come from: a file, or a part of one. Gives fewer than asked only at its end. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>;

/** Nothing more is there. */
export class EndOfBytes extends Error {}

/** More was to be read than is allowed. */
export class BudgetSpent extends Error {}

const FIRST_BYTES = 256 * 1024;
const NEXT_BYTES = 1024 * 1024;

/** Reads a file from `start` on. */
export function readerOf(handle: FileHandle, start = 0): ReadAt {
  return async (position, length) => {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    // A network file system may give less than asked for without being at the end.
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, start + position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  };
}

/**
 * A window that moves over a file, forward only, with a budget of bytes to be read. What was asked for by `need` can be taken without
 * waiting: a header holds hundreds of thousands of small values.
 */
export class Window {
  readonly #read: ReadAt;
  #budgetBytes: number;
  #bytes = new Uint8Array(0) as Uint8Array;
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Of the window in the file. */
  #start = 0;
  /** In the window; beyond its end after a skip. */
  #at = 0;

  constructor(read: ReadAt, budgetBytes: number) {
    this.#read = read;
    this.#budgetBytes = budgetBytes;
  }

  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes that can be taken at once. */
  get ready(): number {
    return Math.max(0, this.#bytes.length - this.#at);
  }

  /** Makes sure that so many bytes are ready. Throws EndOfBytes, BudgetSpent and the errors of node:fs. */
  async need(length: number): Promise<void> {
    if (this.ready >= length) return;
    const position = this.position;
    const kept = this.#at < this.#bytes.length ? this.#bytes.subarray(this.#at) : new Uint8Array(0);
    const step = position === 0 ? FIRST_BYTES : NEXT_BYTES;
    const wanted = Math.min(Math.max(length - kept.length, step), this.#budgetBytes);
    if (kept.length + wanted < length) throw new BudgetSpent();
    const more = await this.#read(position + kept.length, wanted);
    this.#budgetBytes -= more.length;
    this.#bytes = kept.length === 0 ? more : Buffer.concat([kept, more]);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    this.#start = position;
    this.#at = 0;
    if (this.#bytes.length < length) throw new EndOfBytes();
  }

  /** Goes on behind so many bytes, without reading them. */
  skip(length: number): void {
    this.#at += length;
  }

  /** The view on what is ready, and where the next byte is in it. Use it at once: the next `need` replaces it. */
  take(length: number): { readonly view: DataView; readonly at: number } {
    const at = this.#at;
    this.#at += length;
    return { view: this.#view, at };
  }

  /**
   * Goes on behind at most so many texts, each with its length before it, as far as they are ready whole. Gives how many those were. A
   * loop of its own without bigints: there are hundreds of thousands of them.
   */
  skipTexts(count: number): number {
    const view = this.#view;
    const end = this.#bytes.length;
    let at = this.#at;
    let done = 0;
    for (; done < count && at + 8 <= end; done++) {
      // Not exact above 2^53, where no text ends within the window anyway.
      const next = at + 8 + view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      if (next > end) break;
      at = next;
    }
    this.#at = at;
    return done;
  }

  takeBytes(length: number): Uint8Array {
    const at = this.#at;
    this.#at += length;
    return this.#bytes.subarray(at, at + length);
  }
}
