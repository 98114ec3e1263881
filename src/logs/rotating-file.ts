import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors.js';
import { makePrivateDirectory } from '../files.js';

/** Why a log file cannot be written now, in words for the user. */
export interface LogTrouble {
  readonly message: string;
  readonly hint: string;
}

export interface RotatingFileOptions {
  readonly file: string;
  /** A file that has grown beyond this is set aside as FILE.1. */
  readonly maxBytes?: number;
  /** Number of files set aside; the oldest is removed. */
  readonly kept?: number;
  /** Called once when writing fails and again only after it worked in between. */
  readonly onTrouble?: (trouble: LogTrouble) => void;
}

export interface RotatingFile {
  /** Takes one line without its line break; it is on the disk after this turn of the event loop, or after `flush`. */
  append(line: string): void;
  /** Writes what waits. Never throws. */
  flush(): void;
  close(): void;
  /** Lines that could not be written. */
  readonly lost: number;
}

const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
const DEFAULT_KEPT = 3;
const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = fs.constants;
/** Without waiting for the reader of a pipe; Windows knows no such flag. */
const APPEND = O_WRONLY | O_APPEND | O_CREAT | (O_NONBLOCK ?? 0);
/** While the disk is full it is tried again so often, not with every line. */
const RETRY_MS = 2000;
/** Lines that wait for a broken disk to come back. */
const MOST_WAITING_CHARS = 1024 * 1024;
/** A lock that is older was left by a program that was killed. */
const STALE_LOCK_MS = 10_000;

/**
 * A log file that several programs may write at once. Every write is one append of whole lines (O_APPEND), so lines never mix. The
 * file is set aside by rename under a lock file; whoever holds the old one notices by its inode and opens the new one, and what it
 * wrote in between is in the file set aside. (winston's own File transport rotates too, but asynchronously and by its own count of
 * bytes: measured, two programs on one file lost a third of the lines, and one alone lost those of its last turn at the end.)
 */
export function openRotatingFile(options: RotatingFileOptions): RotatingFile {
  const { file, maxBytes = DEFAULT_MAX_BYTES, kept = DEFAULT_KEPT } = options;
  let fd: number | null = null;
  let inode: bigint | null = null;
  let waiting = '';
  let waitingLines = 0;
  let scheduled = false;
  let failing = false;
  let retryAt = 0;
  let lost = 0;
  let untold = 0;

  function flush(): void {
    if (waiting === '' || performance.now() < retryAt) return;
    try {
      open();
      const note = untold > 0 ? `${lostNote(untold)}\n` : '';
      writeAll(note + waiting);
      waiting = '';
      waitingLines = 0;
      untold = 0;
      failing = false;
    } catch (error) {
      fail(error);
    }
  }

  /** Opens the file, again when it was renamed or removed, and sets it aside when it has grown too large. */
  function open(): void {
    const now = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
    if (fd !== null && now?.ino === inode && Number(now.size) < maxBytes) return;
    if (now?.isFile() && Number(now.size) >= maxBytes) setAside();
    closeFile();
    makePrivateDirectory(path.dirname(file));
    fd = fs.openSync(file, APPEND, 0o600);
    const opened = fs.fstatSync(fd, { bigint: true });
    inode = opened.ino;
    // A file of an older program or a lax umask; somebody else's stays as it is.
    if (opened.isFile() && (opened.mode & 0o077n) !== 0n && opened.uid === BigInt(process.getuid?.() ?? -1))
      fs.fchmodSync(fd, 0o600);
  }

  function setAside(): void {
    const lock = `${file}.lock`;
    if (!takeLock(lock)) return;
    try {
      // Another program may have done it while we came here.
      const now = fs.statSync(file, { throwIfNoEntry: false });
      if (!now || now.size < maxBytes) return;
      for (let n = kept - 1; n >= 1; n--) renameIfThere(`${file}.${n}`, `${file}.${n + 1}`);
      renameIfThere(file, `${file}.1`);
    } finally {
      fs.rmSync(lock, { force: true });
    }
  }

  /** A short write (disk full in the middle) leaves half a line; the rest follows with the next try. */
  function writeAll(text: string): void {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += fs.writeSync(fd ?? -1, bytes, written);
    } catch (error) {
      if (written > 0) waiting = bytes.subarray(written).toString();
      throw error;
    }
  }

  function fail(error: unknown): void {
    closeFile();
    retryAt = performance.now() + RETRY_MS;
    if (!failing) options.onTrouble?.(troubleOf(error, file));
    failing = true;
    if (waiting.length <= MOST_WAITING_CHARS) return;
    lost += waitingLines;
    untold += waitingLines;
    waiting = '';
    waitingLines = 0;
  }

  function closeFile(): void {
    if (fd === null) return;
    try {
      fs.closeSync(fd);
    } catch {
      // Nothing can be done about it and nothing depends on it.
    }
    fd = null;
    inode = null;
  }

  return {
    append(line) {
      waiting += `${line}\n`;
      waitingLines++;
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        flush();
      });
    },
    flush() {
      // Asked for by name, for example at the end of the program: the last chance.
      retryAt = 0;
      flush();
    },
    close() {
      retryAt = 0;
      flush();
      closeFile();
    },
    get lost() {
      return lost;
    },
  };
}

function lostNote(lines: number): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    level: 'warn',
    message: `${lines} lines of this log could not be written`,
  });
}

function takeLock(lock: string): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      fs.closeSync(fs.openSync(lock, 'wx', 0o600));
      return true;
    } catch {
      const held = fs.statSync(lock, { throwIfNoEntry: false });
      if (!held || Date.now() - held.mtimeMs < STALE_LOCK_MS) return false;
      fs.rmSync(lock, { force: true });
    }
  }
  return false;
}

function renameIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch {
    // Not there yet; or open elsewhere on Windows: then the file grows until the next try.
  }
}

function troubleOf(error: unknown, file: string): LogTrouble {
  const code = (error as NodeJS.ErrnoException).code;
  const message = `The log ${file} cannot be written: ${WORDS[code ?? ''] ?? messageOf(error)}.`;
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free some space; lmapp goes on without its log.'
      : 'Set XDG_STATE_HOME to a folder that you may write; lmapp goes on without its log.';
  return { message, hint };
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  ENXIO: 'it is a pipe that nobody reads',
};
