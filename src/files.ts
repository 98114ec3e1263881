import fs from 'node:fs';
import path from 'node:path';

/** Everything that lmapp writes may hold conversations or keys: only its owner may read it. */
export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_DIRECTORY_MODE = 0o700;

/** A writer holds a lock for milliseconds; one that is older than this was left behind by a crash. */
const LOCK_STALE_MS = 10_000;
const LOCK_ATTEMPTS = 100;
const LOCK_PAUSE_MS = 10;

/**
 * Creates a directory and its parents, readable only by the user. An existing one keeps its mode: it may be shared on purpose. Throws the
 * errors of node:fs. Where a folder is there and takes none (/proc, an automounter) Node's own `recursive` tries again for ever.
 */
export function makePrivateDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: PRIVATE_DIRECTORY_MODE });
  } catch (error) {
    if (isDirectory(directory)) return;
    const parent = path.dirname(directory);
    if (systemCode(error) !== 'ENOENT' || isDirectory(parent)) throw error;
    makePrivateDirectory(parent);
    makePrivateDirectory(directory);
  }
}

function isDirectory(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** The folder itself or the nearest one above it that is there: on the same disk. */
export function existingFolder(folder: string): string {
  let at = folder;
  while (!fs.existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
  return at;
}

/**
 * The text of a file that is one: neither a pipe nor a device, which would hold the program up for good, nor larger than what such a file
 * can be. Throws the errors of node:fs, and an Error that says which of these it is.
 */
export function readBounded(file: string, mostBytes: number): string {
  // Opening a pipe waits for its writer otherwise. Windows knows no such flag.
  const fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isFile() && stat.size > mostBytes)
      throw new Error(`${file} is larger than ${Math.round(mostBytes / 2 ** 20)} MiB`);
    // A folder has an error of its own.
    if (!stat.isFile() && !stat.isDirectory()) throw new Error(`${file} is no regular file`);
    return fs.readFileSync(fd, 'utf8');
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Replaces the contents of a file in one step: a reader, or a crash at any moment, sees the old or the new contents, never a part. A
 * symbolic link stays a link and its target is replaced. Throws the errors of node:fs.
 */
export function writeAtomically(file: string, text: string): void {
  const target = followLink(file);
  makePrivateDirectory(path.dirname(target));
  // 'wx' below refuses a name that is taken; node:crypto would cost the dashboard's start 4 ms.
  const temporary = `${target}.${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`;
  try {
    const fd = fs.openSync(temporary, 'wx', PRIVATE_FILE_MODE);
    try {
      fs.writeFileSync(fd, text);
      // Without it a power cut after the rename can leave an empty file under the good name.
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** Runs `change` while no other lmapp does the same for this file, so that two read-modify-write steps cannot lose one of them. */
export function withFileLock<T>(file: string, change: () => T): T {
  const lock = `${followLink(file)}.lock`;
  makePrivateDirectory(path.dirname(lock));
  takeLock(lock);
  try {
    return change();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

/** The error code of node:fs and node:net, or an empty string. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function takeLock(lock: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      fs.closeSync(fs.openSync(lock, 'wx', PRIVATE_FILE_MODE));
      return;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const age = ageMs(lock);
    // After a second of waiting the other writer hangs; going on is better than refusing to save a setting.
    if (age > LOCK_STALE_MS || attempt >= LOCK_ATTEMPTS) fs.rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS);
  }
}

function ageMs(file: string): number {
  try {
    return Date.now() - fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** The file behind a symbolic link, also one that dangles. */
function followLink(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    try {
      return path.resolve(path.dirname(file), fs.readlinkSync(file));
    } catch {
      return file;
    }
  }
}
