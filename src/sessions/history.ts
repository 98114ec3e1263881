import fs from 'node:fs';
import path from 'node:path';
import { makePrivateDirectory, PRIVATE_FILE_MODE, readBounded, writeAtomically } from '../files.js';

/** How many messages are kept. */
export const HISTORY_ENTRIES = 500;
/** The file is shortened when it has grown to this multiple. */
const SHORTEN_AT = 2;
const MOST_BYTES = 256 * 2 ** 20;

/** The messages sent earlier, for Up in the message box: one JSON string a line, the oldest first. Losing it harms nobody. */
export interface PromptHistory {
  /** The newest HISTORY_ENTRIES, the oldest first; damaged lines are skipped. */
  read(): readonly string[];
  /** Appends a message, unless it is the same as the one before. Returns false when it could not be written. */
  append(text: string): boolean;
}

export function openHistory(file: string): PromptHistory {
  let last: string | null = null;

  function readAll(): string[] {
    let text: string;
    try {
      text = readBounded(file, MOST_BYTES);
    } catch {
      return [];
    }
    return text.split('\n').flatMap((line) => {
      const entry = parseEntry(line);
      return entry === null ? [] : [entry];
    });
  }

  return {
    read() {
      const entries = readAll();
      last = entries.at(-1) ?? null;
      if (entries.length >= HISTORY_ENTRIES * SHORTEN_AT) shorten(file, entries);
      return entries.slice(-HISTORY_ENTRIES);
    },
    append(text) {
      if (text.trim() === '' || text === last) return true;
      try {
        makePrivateDirectory(path.dirname(file));
        // Writing to a pipe waits for its reader; /dev/null is for people who want no history.
        if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() === false) return false;
        // The line end before it: a torn last line (full disk, kill) takes only itself down. Empty lines are skipped.
        fs.appendFileSync(file, `${endsTorn(file) ? '\n' : ''}${JSON.stringify(text)}\n`, {
          mode: PRIVATE_FILE_MODE,
        });
        last = text;
        return true;
      } catch {
        return false;
      }
    },
  };
}

function shorten(file: string, entries: readonly string[]): void {
  try {
    writeAtomically(
      file,
      entries
        .slice(-HISTORY_ENTRIES)
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(''),
    );
  } catch {
    // The long file is as good.
  }
}

function parseEntry(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function endsTorn(file: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(file, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fs.fstatSync(fd);
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    fs.readSync(fd, last, 0, 1, size - 1);
    return last[0] !== 0x0a;
  } finally {
    fs.closeSync(fd);
  }
}
