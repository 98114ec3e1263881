import type { GpuSample } from '../domain/hardware.js';
import { jsonIn } from './amd-programs.js';
import { isObject, shareOf } from './read-values.js';

export const NVTOP_ARGS: readonly string[] = ['-s'];

/** What `nvtop -s` prints: a list of cards of all makers whose values are texts with units, or null. Null: no answer. */
export function parseNvtop(text: string): readonly GpuSample[] | null {
  const read = jsonIn(text);
  if (!Array.isArray(read)) return null;
  return read.filter(isObject).map((card, index) => {
    const value = (key: string, unit: string): number | null => numberWith(card[key], unit);
    const name = card['device_name'];
    return {
      id: `nvtop-${index}`,
      index,
      name: typeof name === 'string' && name !== '' ? name : 'GPU',
      utilization: shareOf(value('gpu_util', '%')),
      memoryUsedBytes: value('mem_used', ''),
      memoryTotalBytes: value('mem_total', ''),
      temperatureC: value('temp', 'C'),
      powerW: value('power_draw', 'W'),
      powerLimitW: null,
      // `1200RPM` and `CPU Fan` are no share.
      fan: shareOf(value('fan_speed', '%')),
      clockMHz: value('gpu_clock', 'MHz'),
    };
  });
}

function numberWith(told: unknown, unit: string): number | null {
  if (typeof told !== 'string') return null;
  const found = /^(\d+(?:\.\d+)?)\s*([A-Za-z%]*)$/.exec(told.trim());
  return found && found[2] === unit ? Number(found[1]) : null;
}
