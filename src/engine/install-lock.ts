import fs from 'node:fs';
import path from 'node:path';
import { PRIVATE_FILE_MODE, makePrivateDirectory, systemCode } from '../files.js';

export interface InstallLock {
  release(): void;
}

/** The holder touches the lock this often; one that nobody touched for the other time was left behind. */
const TOUCH_EVERY_MS = 2000;
const STALE_MS = 15_000;

/** One process at a time changes the folder of the engine. Null: another one does. Throws the errors of node:fs. */
export function takeInstallLock(directory: string): InstallLock | null {
  const file = `${directory}.lock`;
  makePrivateDirectory(path.dirname(file));
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx', mode: PRIVATE_FILE_MODE });
      return hold(file);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    if (!isStale(file)) return null;
    fs.rmSync(file, { force: true });
  }
  return null;
}

function hold(file: string): InstallLock {
  const timer = setInterval(() => {
    const now = new Date();
    try {
      fs.utimesSync(file, now, now);
    } catch {
      // Taken away by hand: the installation goes on.
    }
  }, TOUCH_EVERY_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      fs.rmSync(file, { force: true });
    },
  };
}

function isStale(file: string): boolean {
  try {
    const pid = Number(fs.readFileSync(file, 'utf8'));
    if (Date.now() - fs.statSync(file).mtimeMs > STALE_MS) return true;
    // Its writer died a moment ago, on this machine; process ids of another one (a shared home) are found out by the time alone.
    return (
      Number.isSafeInteger(pid) &&
      pid > 0 &&
      pid !== process.pid &&
      !isAlive(pid) &&
      olderThan(file, TOUCH_EVERY_MS * 2)
    );
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}

function olderThan(file: string, ms: number): boolean {
  return Date.now() - fs.statSync(file).mtimeMs > ms;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
