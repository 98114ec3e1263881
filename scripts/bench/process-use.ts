import fs from 'node:fs';

/** Ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;
const KIB = 1024;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** `pid (name) state ppid …`: the name may hold spaces and brackets, so counting starts behind its last bracket. */
function readStat(pid: number): Stat | null {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // utime, stime and the same of the children that it has waited for
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
    return { pid, parent: fields[1] ?? 0, ticks };
  } catch {
    return null;
  }
}

/** CPU time in ms of a process and all its descendants, those that have ended included. */
export function treeCpuMs(root: number): number {
  const all = fs
    .readdirSync('/proc')
    .flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []));
  const family = new Set([root]);
  for (let grown = true; grown;) {
    const before = family.size;
    for (const stat of all) if (family.has(stat.parent)) family.add(stat.pid);
    grown = family.size > before;
  }
  return all.reduce((sum, stat) => (family.has(stat.pid) ? sum + stat.ticks * MS_PER_TICK : sum), 0);
}

/** Resident memory of one process in bytes. */
export function residentBytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) * KIB;
}

/** Resident memory once it has stopped falling: the smallest of the samples over `forMs`. */
export async function settledBytes(pid: number, forMs: number): Promise<number> {
  let least = residentBytes(pid);
  for (const end = performance.now() + forMs; performance.now() < end;) {
    await pause(100);
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}

export const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));
