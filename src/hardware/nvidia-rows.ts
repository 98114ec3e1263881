import type { GpuSample, SourceState } from '../domain/hardware.js';
import type { ChildEnd } from './child-lines.js';

/** Fields asked for first. An old driver that does not know one of them refuses the whole question (exit code 2). */
export const FULL_FIELDS =
  'index,uuid,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw,power.limit,fan.speed';
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

/** What the end of nvidia-smi says about the card, from its documented exit codes and its words. */
export function stateOfEnd(end: ChildEnd): SourceState {
  const words = end.lastLines.join('\n');
  if (end.code === 'ENOENT') return { state: 'absent' };
  if (end.code !== null) return failed(`nvidia-smi cannot be run (${end.code})`);
  if (end.exitCode === 18 || /version mismatch/i.test(words))
    return failed('the NVIDIA driver was updated: reboot');
  if (end.exitCode === 3 || end.exitCode === 6 || /no devices were found/i.test(words))
    return { state: 'absent' };
  if (end.exitCode === 9 || /couldn't communicate with the NVIDIA driver/i.test(words))
    return failed('the NVIDIA driver is not running');
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

function failed(reason: string): SourceState {
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
