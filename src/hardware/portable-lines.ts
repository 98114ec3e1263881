import type {
  Battery,
  DiskSpace,
  MachineDetail,
  MachineSample,
  Pressure,
  ServerProcess,
} from '../domain/hardware.js';
import type { ProbeReport } from './probe.js';

type Told = Readonly<Record<string, unknown>>;

const MOST_ROWS = 64;
const LONGEST_TEXT = 4096;

/** A line of the child of portable.ts; null for anything else. What is not of the right kind counts as not told. */
export function readPortableLine(line: string): ProbeReport | null {
  try {
    const read = objectOf(JSON.parse(line));
    const sample = objectOf(read?.['sample']);
    if (sample) return { type: 'machine', sample: sampleOf(sample) };
    const detail = objectOf(read?.['detail']);
    return detail ? { type: 'detail', detail: detailOf(detail) } : null;
  } catch {
    return null;
  }
}

function sampleOf(told: Told): MachineSample {
  const cores = told['cores'];
  return {
    cpu: numberOf(told['cpu']),
    cores: Array.isArray(cores) && cores.every((core) => typeof core === 'number') ? cores : null,
    memoryUsedBytes: numberOf(told['memoryUsedBytes']),
    memoryTotalBytes: numberOf(told['memoryTotalBytes']),
    memoryLimited: false,
    swapUsedBytes: numberOf(told['swapUsedBytes']),
    swapTotalBytes: numberOf(told['swapTotalBytes']),
    load1: numberOf(told['load1']),
    diskFreeBytes: numberOf(told['diskFreeBytes']),
    netReceivedPerSecond: numberOf(told['netReceivedPerSecond']),
    netSentPerSecond: numberOf(told['netSentPerSecond']),
  };
}

function detailOf(told: Told): MachineDetail {
  return {
    pressure: pressureOf(objectOf(told['pressure'])),
    load5: numberOf(told['load5']),
    load15: numberOf(told['load15']),
    ioWait: null,
    coresAllowed: null,
    temperatures: [],
    battery: batteryOf(objectOf(told['battery'])),
    disks: rowsOf(told['disks'], diskOf) ?? [],
    processes: rowsOf(told['processes'], processOf),
    oomKills: null,
  };
}

function pressureOf(told: Told | null): Pressure | null {
  const level = told?.['level'];
  const none = { cpuSome: null, memorySome: null, memoryFull: null, ioSome: null };
  return level === 'normal' || level === 'warning' || level === 'critical' ? { ...none, level } : null;
}

function batteryOf(told: Told | null): Battery | null {
  if (!told) return null;
  return {
    charge: numberOf(told['charge']),
    charging: booleanOf(told['charging']),
    powerW: numberOf(told['powerW']),
    mains: booleanOf(told['mains']),
  };
}

function diskOf(told: Told): DiskSpace | null {
  const path = textOf(told['path']);
  if (path === null) return null;
  return { path, freeBytes: numberOf(told['freeBytes']), totalBytes: numberOf(told['totalBytes']) };
}

function processOf(told: Told): ServerProcess | null {
  const pid = numberOf(told['pid']);
  const name = textOf(told['name']);
  if (pid === null || name === null) return null;
  return {
    pid,
    name,
    ports: [],
    model: textOf(told['model']),
    cpu: numberOf(told['cpu']),
    memoryBytes: numberOf(told['memoryBytes']),
    mappedBytes: numberOf(told['mappedBytes']),
    residentBytes: numberOf(told['residentBytes']),
  };
}

function rowsOf<T>(told: unknown, read: (row: Told) => T | null): readonly T[] | null {
  if (!Array.isArray(told)) return null;
  return told.slice(0, MOST_ROWS).flatMap((row: unknown) => {
    const object = objectOf(row);
    const known = object && read(object);
    return known === null ? [] : [known];
  });
}

function objectOf(told: unknown): Told | null {
  return typeof told === 'object' && told !== null ? (told as Told) : null;
}

function numberOf(told: unknown): number | null {
  return typeof told === 'number' && Number.isFinite(told) ? told : null;
}

function booleanOf(told: unknown): boolean | null {
  return typeof told === 'boolean' ? told : null;
}

function textOf(told: unknown): string | null {
  return typeof told === 'string' ? told.slice(0, LONGEST_TEXT) : null;
}
