import fs from 'node:fs';

/** Ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;
const KIB = 1024;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  /** Of its children that have ended; a part of `ticks`. */
  readonly endedTicks: number;
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
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    const endedTicks = childUser + childSystem;
    return { pid, parent: fields[1] ?? 0, ticks: user + system + endedTicks, endedTicks };
  } catch {
    return null;
  }
}

/** CPU time in ms of a process and all its descendants, those that have ended included. */
export function treeCpuMs(root: number): number {
  return familyOf(root).reduce((sum, stat) => sum + stat.ticks * MS_PER_TICK, 0);
}

/**
 * The same in ns: the scheduler's own account of those that live, which counts less than a tick, too, and ticks of those that have
 * ended. For what costs so little that ticks would not show it.
 */
export function treeCpuNs(root: number): number {
  return familyOf(root).reduce(
    (sum, { pid, endedTicks }) => sum + scheduledNs(pid) + endedTicks * MS_PER_TICK * 1e6,
    0,
  );
}

function familyOf(root: number): readonly Stat[] {
  const all = fs
    .readdirSync('/proc')
    .flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []));
  const family = new Set([root]);
  for (let grown = true; grown;) {
    const before = family.size;
    for (const stat of all) if (family.has(stat.parent)) family.add(stat.pid);
    grown = family.size > before;
  }
  return all.filter(({ pid }) => family.has(pid));
}

/** Time on a processor of all threads of a process. */
function scheduledNs(pid: number): number {
  try {
    return fs
      .readdirSync(`/proc/${pid}/task`)
      .map((task) => Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]))
      .reduce((sum, ns) => sum + ns, 0);
  } catch {
    return 0;
  }
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
