import fs from 'node:fs';
import os from 'node:os';
import { PRIVATE_FILE_MODE, systemCode } from './files.js';

/**
 * One process at a time does something: appends to a chat, downloads a file. The lock is a file that names its process.
 *
 * Whoever cannot tell whether a lock still holds treats it as held. One race is left: two processes that take over the same stale lock
 * within microseconds.
 */
export interface ProcessLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as Linux tells it; null elsewhere. A process id alone is used again after a reboot. */
  readonly start: string | null;
}

/** Null: another living process has it. Throws the errors of node:fs. */
export function takeProcessLock(file: string): ProcessLock | null {
  const me: Owner = { pid: process.pid, host: os.hostname(), start: startOf(process.pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      fs.writeFileSync(file, JSON.stringify(me), { flag: 'wx', mode: PRIVATE_FILE_MODE });
      return { release: () => fs.rmSync(file, { force: true }) };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const owner = readOwner(file);
    if (owner !== null && isAlive(owner)) return null;
    fs.rmSync(file, { force: true });
  }
  return null;
}

/** Null: unreadable, for instance because its writer died (or a full disk stopped it) between creating and filling it. */
function readOwner(file: string): Owner | null {
  try {
    const value = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Owner>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string') return null;
    return { pid: value.pid, host: value.host, start: typeof value.start === 'string' ? value.start : null };
  } catch {
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  // Not to be asked from here: a home directory that several machines share.
  if (owner.host !== os.hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if (systemCode(error) === 'ESRCH') return false;
  }
  return owner.start === null || owner.start === startOf(owner.pid);
}

/** Field 22 of /proc/PID/stat: the start in clock ticks since boot. The name in field 2 may hold anything, up to the last bracket. */
function startOf(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
