import type { GpuSample } from '../domain/hardware.js';
import { isObject, shareOf } from './read-values.js';

const MIB = 1024 * 1024;

/** Arguments that ask for no more than what is read: the whole answer has taken 8 s. */
export const AMD_SMI_ARGS: readonly string[] = ['metric', '-u', '-p', '-c', '-t', '-f', '-m', '--json'];
export const ROCM_SMI_ARGS: readonly string[] = [
  '--showuse',
  '--showmeminfo',
  'vram',
  '--showtemp',
  '--showpower',
  '--showproductname',
  '--json',
];

type Json = Readonly<Record<string, unknown>>;

/** What `amd-smi metric --json` prints: a list, or an object with the list in it; a leaf or a whole group may be "N/A". Null: no answer. */
export function parseAmdSmi(text: string): readonly GpuSample[] | null {
  const read = jsonIn(text);
  const list = Array.isArray(read) ? read : isObject(read) ? read['gpu_data'] : null;
  if (!Array.isArray(list)) return null;
  return list.filter(isObject).map((card, at) => {
    const index = typeof card['gpu'] === 'number' ? card['gpu'] : at;
    const value = (...path: readonly string[]): number | null => leaf(card, path);
    const mib = (...path: readonly string[]): number | null => times(value(...path), MIB);
    return {
      id: `amd-${index}`,
      index,
      name: 'AMD GPU',
      utilization: shareOf(value('usage', 'gfx_activity')),
      // Its "MB" are MiB.
      memoryUsedBytes: mib('mem_usage', 'used_vram'),
      memoryTotalBytes: positive(mib('mem_usage', 'total_vram')),
      temperatureC: value('temperature', 'edge') ?? value('temperature', 'hotspot'),
      powerW: value('power', 'socket_power'),
      powerLimitW: null,
      fan: shareOf(value('fan', 'usage')),
      clockMHz: value('clock', 'gfx_0', 'clk'),
      memoryTemperatureC: value('temperature', 'mem'),
    };
  });
}

/** What `rocm-smi --json` prints: an object of cards whose values are all strings and whose keys have changed over the years. */
export function parseRocmSmi(text: string): readonly GpuSample[] | null {
  const read = jsonIn(text);
  if (!isObject(read)) return null;
  return Object.entries(read).flatMap(([key, card]) => {
    const index = /^card(\d+)$/.exec(key)?.[1];
    if (index === undefined || !isObject(card)) return [];
    const told = (pattern: RegExp): string | null => {
      const found = Object.entries(card).find(([name]) => pattern.test(name))?.[1];
      return typeof found === 'string' || typeof found === 'number' ? String(found) : null;
    };
    const value = (pattern: RegExp): number | null => numberOf(told(pattern));
    const name = told(/^card series$/i) ?? told(/^card model$/i);
    return [
      {
        id: `amd-${index}`,
        index: Number(index),
        name: name === null || isAbsent(name) ? 'AMD GPU' : name,
        utilization: shareOf(value(/^gpu use \(%\)$/i)),
        memoryUsedBytes: value(/^vram total used memory \(b\)$/i),
        memoryTotalBytes: positive(value(/^vram total memory \(b\)$/i)),
        temperatureC: value(/^temperature \(sensor edge\)/i) ?? value(/^temperature \(sensor junction\)/i),
        powerW: value(/^(?:average|current socket) graphics package power \(w\)$/i),
        powerLimitW: null,
        fan: null,
        memoryTemperatureC: value(/^temperature \(sensor memory\)/i),
      },
    ];
  });
}

/** The JSON in a text that has lines of another kind before it. */
export function jsonIn(text: string): unknown {
  const start = /^\s*[[{]/m.exec(text);
  if (!start) return null;
  try {
    return JSON.parse(text.slice(start.index));
  } catch {
    return null;
  }
}

function leaf(group: Json, path: readonly string[]): number | null {
  let at: unknown = group;
  for (const step of path) {
    if (!isObject(at)) return null;
    at = at[step];
  }
  return numberOf(isObject(at) ? at['value'] : at);
}

/** A number, or a text that is nothing but one. */
function numberOf(told: unknown): number | null {
  if (typeof told === 'number') return Number.isFinite(told) && told >= 0 ? told : null;
  return typeof told === 'string' && /^\d+(?:\.\d+)?$/.test(told.trim()) ? Number(told) : null;
}

function isAbsent(text: string): boolean {
  return text === '' || /^n\/a$/i.test(text);
}

function times(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}
