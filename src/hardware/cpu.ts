/** Ticks of one processor since the start: all of them, and those in which it worked. */
interface Ticks {
  readonly total: number;
  readonly busy: number;
}

/** One reading of /proc/stat: the whole machine under '' and each core under its number. */
export type CpuReading = ReadonlyMap<string, Ticks>;

export interface CpuShares {
  readonly cpu: number | null;
  readonly cores: readonly number[] | null;
}

/**
 * Reads the `cpu` lines of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice. Waiting for a disk is not work,
 * so idle and iowait both count as rest; guest time is inside user already.
 */
export function readCpu(stat: string): CpuReading {
  const reading = new Map<string, Ticks>();
  // The cpu lines come first; the lines behind them are long and of no use here.
  for (let at = 0; stat.startsWith('cpu', at);) {
    const end = stat.indexOf('\n', at);
    const fields = stat.slice(at + 3, end < 0 ? undefined : end).split(' ');
    const name = fields.shift() ?? '';
    const ticks = fields
      .filter((field) => field !== '')
      .slice(0, 8)
      .map(Number);
    if (ticks.length >= 4 && ticks.every((n) => Number.isFinite(n))) {
      const total = ticks.reduce((sum, n) => sum + n, 0);
      reading.set(name, { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) });
    }
    if (end < 0) break;
    at = end + 1;
  }
  return reading;
}

/** Whether a counter of the machine went back: a core was taken out, or the machine slept. Such a pair of readings tells nothing. */
export function wentBack(before: CpuReading, now: CpuReading): boolean {
  const was = before.get('');
  const is = now.get('');
  return was !== undefined && is !== undefined && is.total < was.total;
}

/** Busy shares between two readings; null, never 0, where they do not tell. iowait alone may go back by design. */
export function cpuShares(before: CpuReading | null, now: CpuReading): CpuShares {
  if (!before) return { cpu: null, cores: null };
  const cpu = share(before.get(''), now.get(''));
  const cores: number[] = [];
  for (const [name, ticks] of now) {
    if (name === '') continue;
    const value = share(before.get(name), ticks);
    // Cores keep their places in the picture; a missing one spoils the row.
    if (value === null) return { cpu, cores: null };
    cores.push(value);
  }
  return { cpu, cores: cores.length === 0 ? null : cores };
}

function share(before: Ticks | undefined, now: Ticks | undefined): number | null {
  if (!before || !now) return null;
  const total = now.total - before.total;
  return total <= 0 ? null : Math.min(1, Math.max(0, (now.busy - before.busy) / total));
}

/** Ticks of the whole machine, and those in which a core had nothing to do but to wait for a disk. */
export interface Waiting {
  readonly total: number;
  readonly iowait: number;
}

export function readWaiting(stat: string): Waiting | null {
  const found = /^cpu +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)(?: +(\d+))?/.exec(stat);
  if (!found) return null;
  const ticks = found.slice(1).map((text) => Number(text ?? 0));
  return { total: ticks.reduce((sum, n) => sum + n, 0), iowait: ticks[4] ?? 0 };
}

/** Null where two readings do not tell it: iowait may go back by design. */
export function iowaitShare(before: Waiting | null, now: Waiting | null): number | null {
  if (!before || !now || now.total <= before.total || now.iowait < before.iowait) return null;
  return Math.min(1, (now.iowait - before.iowait) / (now.total - before.total));
}
