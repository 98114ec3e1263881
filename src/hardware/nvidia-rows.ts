import type { GpuProcess, GpuSample, SourceState } from '../domain/hardware.js';
import type { ChildEnd } from './child-lines.js';

/** Fields that drivers of the last ten years know. */
export const COMMON_FIELDS =
  'index,uuid,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw,power.limit,fan.speed';
/** Asked for first. A driver that does not know one of them refuses the whole question (exit code 2). The last one has a newer name, too. */
export const FULL_FIELDS = `${COMMON_FIELDS},clocks.gr,temperature.memory,mig.mode.current,memory.free,clocks_throttle_reasons.active`;
/** Fields that every driver knows, in the same order. */
export const MINIMAL_FIELDS =
  'index,uuid,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw';

const MIB = 1024 * 1024;
/** Index, identity and name come before the numbers. */
const NAMING_FIELDS = 3;

/**
 * One line of `--format=csv,noheader,nounits`; null when it is something else: a warning, a repeated header, half a line. Whatever is
 * not exactly a number ("[N/A]", "Not Supported", "[Unknown Error]", "ERR!", "[GPU requires reset]", nothing) is null, never 0.
 */
export function parseGpuRow(line: string, fieldCount: number): GpuSample | null {
  const cells = line.split(',').map((cell) => cell.trim());
  if (cells.length < fieldCount) return null;
  const index = numberOf(cells[0]);
  // A name with a comma has made more cells; the numbers are counted from the end.
  const numbers = cells.slice(cells.length - (fieldCount - NAMING_FIELDS));
  const name = cells.slice(2, cells.length - (fieldCount - NAMING_FIELDS)).join(', ');
  const id = cells[1] ?? '';
  if (index === null || !Number.isInteger(index) || index < 0) return null;
  return {
    id: /^(?:GPU|MIG)-/.test(id) ? id : `gpu-${index}`,
    index,
    name: isAbsent(name) ? 'NVIDIA GPU' : name,
    utilization: within(scaled(numbers[0], 1 / 100), 1),
    memoryUsedBytes: scaled(numbers[1], MIB),
    memoryTotalBytes: positive(scaled(numbers[2], MIB)),
    temperatureC: numberOf(numbers[3]),
    powerW: numberOf(numbers[4]),
    powerLimitW: positive(numberOf(numbers[5])),
    // The wished speed, which may stand above 100 %.
    fan: within(scaled(numbers[6], 1 / 100), 2),
    ...(fieldCount === FULL_COUNT && {
      clockMHz: numberOf(numbers[7]),
      memoryTemperatureC: numberOf(numbers[8]),
      // The parts of a divided card do the work; the whole has no share to tell.
      note: numbers[9] === 'Enabled' ? 'n/a (MIG)' : null,
      // Less than total without used: the driver keeps a part for itself, and counts it as neither.
      memoryFreeBytes: scaled(numbers[10], MIB),
      slowedBy: slowedBy(numbers[11] ?? ''),
    }),
  };
}

const FULL_COUNT = FULL_FIELDS.split(',').length;

/** Bits of the driver's "clocks event reasons"; that it is idle or was set slower on purpose is no fault. */
const SLOWING: readonly (readonly [number, string])[] = [
  [0x20, 'heat'],
  [0x40, 'heat'],
  [0x80, 'power brake'],
  [0x08, 'hardware'],
  [0x04, 'power limit'],
];

function slowedBy(mask: string): string | null {
  // Only the low bits have a meaning here, and a number holds 53 of the 64.
  const bits = /^0x[0-9a-f]+$/i.test(mask) ? Number.parseInt(mask.slice(-4).replace(/^x/i, ''), 16) : 0;
  return SLOWING.find(([bit]) => (bits & bit) !== 0)?.[1] ?? null;
}

/** Cards that share the machine's memory and say nothing of it, or (N1X) a false amount. */
const UNIFIED = /\b(?:GB10|N1X|Thor|Orin)\b/;

/** A card of a known kind without memory of its own is given the machine's, and as used what its programs have of it. */
export function withSharedMemory(gpu: GpuSample, machineBytes: () => number | null): GpuSample {
  if (!UNIFIED.test(gpu.name)) return gpu;
  const parts = gpu.processes?.map((process) => process.memoryBytes);
  const used =
    parts === undefined || parts.includes(null)
      ? null
      : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return { ...gpu, shared: true, memoryTotalBytes: machineBytes(), memoryUsedBytes: used };
}

/** Asked for apart and seldom. The name comes last: it may have commas in it. */
export const PROCESS_FIELDS = 'pid,gpu_uuid,used_memory,process_name';

/** One line of `--query-compute-apps`; null when it is something else. Windows and WSL do not tell the memory. */
export function parseProcessRow(line: string): { readonly gpu: string; readonly process: GpuProcess } | null {
  const [pid = '', gpu = '', memory, ...name] = line.split(',').map((cell) => cell.trim());
  if (!/^\d{1,10}$/.test(pid) || !/^(?:GPU|MIG)-/.test(gpu) || name.length === 0) return null;
  const path = name.join(', ');
  return {
    gpu,
    process: {
      pid: Number(pid),
      name: isAbsent(path) ? '' : (path.split(/[\\/]/).at(-1) ?? path),
      memoryBytes: scaled(memory, MIB),
    },
  };
}

/** Without persistence mode the first question wakes the card, which then tells 100 % though nothing uses it. */
export function withoutWakeUp(gpu: GpuSample): GpuSample {
  return gpu.utilization === 1 && gpu.memoryUsedBytes === 0
    ? { ...gpu, utilization: null, powerW: null }
    : gpu;
}

/** The driver knows fewer fields than were asked for. */
export function refusesFields(end: ChildEnd): boolean {
  return end.exitCode === 2 || /not a valid field/i.test(end.lastLines.join('\n'));
}

/** What to ask for when `fields` were refused; null when there is nothing less to ask for. */
export function fewerFields(fields: string, end: ChildEnd): string | null {
  if (fields === MINIMAL_FIELDS || !refusesFields(end)) return null;
  const refused = /field "?([\w.]+)"? is not a valid/i.exec(end.lastLines.join('\n'))?.[1];
  const isNew = refused === undefined || !COMMON_FIELDS.split(',').includes(refused);
  return fields === FULL_FIELDS && isNew ? COMMON_FIELDS : MINIMAL_FIELDS;
}

type EndState = Extract<SourceState, { readonly state: 'absent' | 'failed' }>;

/** What the end of nvidia-smi says about the card, from its documented exit codes and its words. */
export function stateOfEnd(end: ChildEnd): EndState {
  const words = end.lastLines.join('\n');
  if (end.code === 'ENOENT') return { state: 'absent' };
  if (end.code !== null) return failed(`nvidia-smi cannot be run (${end.code})`);
  if (end.exitCode === 18 || /version mismatch/i.test(words))
    return failed('the NVIDIA driver was updated: reboot');
  if (end.exitCode === 3 || end.exitCode === 6 || /no devices were found/i.test(words))
    return { state: 'absent' };
  if (end.exitCode === 9 || /couldn't communicate with the NVIDIA driver/i.test(words))
    return failed('the NVIDIA driver is not running');
  if (/GPU is lost|fallen off the bus/i.test(words)) return failed(KNOWN_ENDS[15] ?? '');
  const known = KNOWN_ENDS[end.exitCode ?? -1];
  if (known) return failed(known);
  if (end.signal !== null) return failed(`nvidia-smi crashed (${end.signal})`);
  return failed(`nvidia-smi ended (exit code ${end.exitCode ?? 'unknown'})`);
}

const KNOWN_ENDS: Readonly<Record<number, string>> = {
  4: 'no permission to ask the NVIDIA driver',
  8: 'a GPU has no power: check its power cables',
  10: 'the NVIDIA driver has an interrupt problem',
  12: 'the NVIDIA library is missing',
  13: 'the NVIDIA library is too old',
  14: 'the infoROM of a GPU is corrupt',
  15: 'a GPU fell off the bus: reboot',
};

function failed(reason: string): EndState {
  return { state: 'failed', reason };
}

function numberOf(cell: string | undefined): number | null {
  return cell !== undefined && /^-?\d+(?:\.\d+)?$/.test(cell) ? Number(cell) : null;
}

function scaled(cell: string | undefined, factor: number): number | null {
  const value = numberOf(cell);
  return value === null || value < 0 ? null : factor < 1 ? value / Math.round(1 / factor) : value * factor;
}

function within(value: number | null, most: number): number | null {
  return value !== null && value <= most ? value : null;
}

/** A total or a limit of 0 is another way to say unknown. */
function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function isAbsent(name: string): boolean {
  return name === '' || /^\[?(?:n\/a|not supported|unknown error)\]?$/i.test(name);
}
