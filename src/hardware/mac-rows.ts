import type { Battery, Pressure } from '../domain/hardware.js';
import type { NetReading } from './network.js';

/** What the programs of macOS print, read by their words; whatever is missing is null, never 0. */

/**
 * `vm_stat`: memory in use as Activity Monitor counts it: anonymous pages less the purgeable ones, wired ones, and what the compressor
 * occupies. Pages are of 4096 or 16,384 bytes; the first line says it. Null where one of them is not told.
 */
export function parseVmStat(text: string): number | null {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? NaN);
  const pages = (label: string): number =>
    Number(new RegExp(`^"?${label}"?:\\s+(\\d+)\\.?\\s*$`, 'm').exec(text)?.[1] ?? NaN);
  const used =
    pages('Anonymous pages') -
    pages('Pages purgeable') +
    pages('Pages wired down') +
    pages('Pages occupied by compressor');
  const bytes = used * pageBytes;
  return Number.isFinite(bytes) && bytes >= 0 ? bytes : null;
}

export interface MacMemoryState {
  readonly level: NonNullable<Pressure['level']> | null;
  readonly swapUsedBytes: number | null;
  readonly swapTotalBytes: number | null;
}

const LEVELS: Readonly<Record<string, MacMemoryState['level']>> = {
  '1': 'normal',
  '2': 'warning',
  '4': 'critical',
};
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `sysctl -n kern.memorystatus_vm_pressure_level vm.swapusage`: a number, then `total = 2048.00M  used = 1024.25M  free = …`. */
export function parseMacMemoryState(text: string): MacMemoryState {
  const bytes = (name: string): number | null => {
    const found = new RegExp(`\\b${name} = (\\d+(?:\\.\\d+)?)([KMGT])`).exec(text);
    return found ? Math.round(Number(found[1]) * (UNITS[found[2] ?? ''] ?? NaN)) : null;
  };
  return {
    level: LEVELS[/^(\d+)\s*$/m.exec(text)?.[1] ?? ''] ?? null,
    swapUsedBytes: bytes('used'),
    swapTotalBytes: bytes('total'),
  };
}

/**
 * `pmset -g batt`: `Now drawing from 'Battery Power'`, then ` -InternalBattery-0 (id=…)	81%; discharging; 4:29 remaining present: true`.
 * Null where there is no battery.
 */
export function parsePmset(text: string): Battery | null {
  const line = /^\s*-InternalBattery-\d+.*$/m.exec(text)?.[0];
  if (line === undefined) return null;
  const percent = Number(/\b(\d{1,3})%/.exec(line)?.[1] ?? NaN);
  const source = /drawing\sfrom\s'([^']*)'/.exec(text)?.[1];
  return {
    charge: percent <= 100 ? percent / 100 : null,
    charging: chargingOf(line),
    powerW: null,
    mains: source === undefined ? null : source === 'AC Power',
  };
}

function chargingOf(status: string): boolean | null {
  if (/\b(?:discharging|not charging|charged)\b/.test(status)) return false;
  return /\b(?:charging|finishing charge)\b/.test(status) ? true : null;
}

/**
 * `netstat -ibn`: one line an interface and address; those of the link hold the counters. They have no address column where the interface has none,
 * so columns are counted from the end. Only `en…` counts: bridges and tunnels count the same bytes again.
 */
export function parseNetstat(text: string): NetReading | null {
  const [head = '', ...lines] = text.split('\n', 2000);
  const names = head.trim().split(/\s+/);
  const fromEnd = (name: string): number => names.length - names.indexOf(name);
  if (!names.includes('Ibytes') || !names.includes('Obytes')) return null;
  let received = 0;
  let sent = 0;
  const seen = new Set<string>();
  for (const line of lines) {
    const cells = line.trim().split(/\s+/);
    const name = cells[0] ?? '';
    if (!/^en\d+\*?$/.test(name) || !/^<Link#\d+>$/.test(cells[2] ?? '') || seen.has(name)) continue;
    const [came = '', went = ''] = [cells.at(-fromEnd('Ibytes')), cells.at(-fromEnd('Obytes'))];
    if (!/^\d+$/.test(came) || !/^\d+$/.test(went)) continue;
    seen.add(name);
    received += Number(came);
    sent += Number(went);
  }
  return seen.size === 0 ? null : { received, sent };
}

export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const MOST_PROCESSES = 8192;
const LONGEST_COMMAND = 4096;

/** `ps -axo pid=,ppid=,command=` */
export function parseProcessList(text: string): readonly ListedProcess[] {
  return text.split('\n', MOST_PROCESSES).flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\S.*)$/.exec(line.slice(0, LONGEST_COMMAND));
    return found ? [{ pid: Number(found[1]), parent: Number(found[2]), command: found[3] ?? '' }] : [];
  });
}

export interface ProcessFigures {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

/** `ps -o pid=,rss=,time= -p …`: kilobytes, and minutes with hundredths of a second (`12:34.56`, `1:02:03`). */
export function parseProcessFigures(text: string): ReadonlyMap<number, ProcessFigures> {
  const figures = new Map<number, ProcessFigures>();
  for (const line of text.split('\n', MOST_PROCESSES)) {
    const found = /^\s*(\d+)\s+(\d+)\s+((?:\d+:)*\d+(?:\.\d+)?)\s*$/.exec(line);
    if (!found) continue;
    const cpuSeconds = (found[3] ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    figures.set(Number(found[1]), { residentBytes: Number(found[2]) * 1024, cpuSeconds });
  }
  return figures;
}
