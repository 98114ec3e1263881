import { readBounded, writeAtomically } from '../files.js';

/**
 * A small JSON file that may be lost: what cannot be read counts as not there, what cannot be written is not kept. Each holds one
 * object or list of a shape that `accept` recognises (a newer or older lmapp may have written it).
 */
export interface CacheFile<T> {
  /** Null: not there, damaged, or of another shape. */
  read(): T | null;
  /** Returns false when it could not be written. */
  write(value: T): boolean;
}

const MOST_BYTES = 64 * 2 ** 20;

export function openCache<T>(file: string, accept: (value: unknown) => value is T): CacheFile<T> {
  let written: string | null = null;
  return {
    read() {
      try {
        const value: unknown = JSON.parse(readBounded(file, MOST_BYTES));
        return accept(value) ? value : null;
      } catch {
        return null;
      }
    },
    write(value) {
      const text = `${JSON.stringify(value)}\n`;
      // A dashboard that stands open for days says the same again with every poll.
      if (text === written) return true;
      try {
        writeAtomically(file, text);
        written = text;
        return true;
      } catch {
        return false;
      }
    },
  };
}
