import { numberAfter } from './proc-files.js';
import type { CommandLine } from './server-names.js';

/** What /proc/PID/stat tells of use here. */
export interface ProcessStat {
  readonly comm: string;
  readonly parent: number;
  /** Hundredths of a second of CPU time so far. */
  readonly ticks: number;
  /** Together with the number it names one process for ever. */
  readonly startedAt: number;
}

/** `pid (name) state ppid …`: the name may hold spaces and brackets, so counting starts behind its last bracket. */
export function parseProcessStat(text: string): ProcessStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  const number = (at: number): number => (/^\d+$/.test(fields[at] ?? '') ? Number(fields[at]) : NaN);
  const stat = {
    comm: text.slice(open + 1, close),
    parent: number(1),
    ticks: number(11) + number(12),
    startedAt: number(19),
  };
  return Number.isNaN(stat.parent + stat.ticks + stat.startedAt) ? null : stat;
}

export interface ProcessMemory {
  readonly ownBytes: number | null;
  readonly mappedBytes: number | null;
}

/** `/proc/PID/status`; kernels before 4.5 tell no parts, and then nothing is told. */
export function parseProcessMemory(status: string): ProcessMemory {
  const bytes = (label: string): number | null => {
    const kilobytes = numberAfter(status, label);
    return kilobytes === null ? null : kilobytes * 1024;
  };
  const anonymous = bytes('RssAnon:');
  const shared = bytes('RssShmem:');
  return {
    ownBytes: anonymous === null || shared === null ? null : anonymous + shared,
    mappedBytes: bytes('RssFile:'),
  };
}

const LONGEST_COMMAND = 16 * 1024;
const MOST_ARGUMENTS = 256;

/** `/proc/PID/cmdline` (ends with NUL, arguments apart by NUL), as it was read byte by byte. */
export function parseCommandLine(comm: string, cmdline: string): CommandLine {
  const text = Buffer.from(cmdline.slice(0, LONGEST_COMMAND), 'latin1').toString('utf8');
  const args = text.split('\0', MOST_ARGUMENTS);
  if (args.at(-1) === '') args.pop();
  // A program that renames itself (setproctitle) puts all of it into the first.
  return { comm, args: args.length === 1 && args[0]?.includes(' ') ? args[0].split(' ') : args };
}
