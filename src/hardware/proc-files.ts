import fs from 'node:fs';
import path from 'node:path';

/**
 * Reads small files of /proc and /sys again and again. The reads are synchronous on purpose: /proc is memory and cannot hang, a
 * synchronous read costs 20 µs where an asynchronous one costs 400. One buffer serves all reads. A file that is missing is asked for
 * again only after a pause.
 */
export interface ProcFiles {
  /** The text of the file, at most 256 kB of it; null when it cannot be read. */
  read(file: string): string | null;
  /** Number of reads so far, for tests that count instead of measuring time. */
  readonly reads: number;
}

const MOST_BYTES = 256 * 1024;
/** A missing file is asked for again after so many requests: cgroups and ZFS do not come and go. */
const ABSENT_FOR_READS = 60;

/** `absentForReads` 0 is for files of processes, which do come and go. */
export function openProcFiles(root: string, absentForReads = ABSENT_FOR_READS): ProcFiles {
  let buffer = Buffer.allocUnsafe(16 * 1024);
  const absent = new Map<string, number>();
  let reads = 0;
  return {
    read(file) {
      const left = absent.get(file) ?? 0;
      if (left > 0) {
        absent.set(file, left - 1);
        return null;
      }
      reads++;
      try {
        const fd = fs.openSync(path.join(root, file), 'r');
        try {
          let length = 0;
          for (;;) {
            // /proc tells no size and hands out a page at a time: only a read of nothing is the end.
            const read = fs.readSync(fd, buffer, length, buffer.length - length, null);
            length += read;
            if (read === 0) break;
            if (length < buffer.length) continue;
            if (length >= MOST_BYTES) break;
            const larger = Buffer.allocUnsafe(buffer.length * 2);
            buffer.copy(larger);
            buffer = larger;
          }
          absent.delete(file);
          return buffer.toString('latin1', 0, length);
        } finally {
          fs.closeSync(fd);
        }
      } catch {
        if (absentForReads > 0) absent.set(file, absentForReads);
        return null;
      }
    },
    get reads() {
      return reads;
    },
  };
}

/** The number after `label` where it begins a line; null when there is none. Looks only as far as the line, without splitting. */
export function numberAfter(text: string, label: string): number | null {
  let at = text.startsWith(label) ? 0 : text.indexOf(`\n${label}`);
  if (at < 0) return null;
  if (text[at] === '\n') at++;
  return numberAt(text, at + label.length);
}

/** The whole number that stands at `at`, after blanks; null when there is none. */
export function numberAt(text: string, at: number): number | null {
  let i = at;
  while (text.charCodeAt(i) === 32 || text.charCodeAt(i) === 9) i++;
  const start = i;
  let value = 0;
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return i === start ? null : value;
}
