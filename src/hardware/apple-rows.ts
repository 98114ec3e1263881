import type { GpuSample } from '../domain/hardware.js';
import { isObject } from './read-values.js';

/** What one of the sources of an Apple GPU tells; absent: not told. */
export type AppleReading = Partial<
  Pick<
    GpuSample,
    | 'name'
    | 'utilization'
    | 'memoryUsedBytes'
    | 'memoryTotalBytes'
    | 'temperatureC'
    | 'powerW'
    | 'fan'
    | 'clockMHz'
  >
>;

const MIB = 1024 * 1024;

/** What `ioreg -r -c IOGPU -d 1 -f` prints; null when there is no such device in it. */
export function parseIoreg(text: string): AppleReading | null {
  const statistics = /"PerformanceStatistics"\s*=\s*\{([^}]*)\}/.exec(text)?.[1];
  if (statistics === undefined) return null;
  // " = " at the top, "=" inside the braces.
  const number = (key: string): number | null => {
    const found = new RegExp(`"${key}"\\s*=\\s*(\\d+)(?=[,\\s]|$)`).exec(statistics)?.[1];
    return found === undefined ? null : Number(found);
  };
  const name = /^[\s|]*"model"\s*=\s*"?<?"?([^"<>\n]+)/m.exec(text)?.[1];
  const busy = number('Device Utilization %');
  return {
    ...(name !== undefined && { name }),
    utilization: fraction(busy === null ? null : busy / 100),
    memoryUsedBytes: number('In use system memory'),
  };
}

/** One line of `macmon pipe`, of the old and the new kind; null when it is something else. */
export function parseMacmon(line: string): AppleReading | null {
  const read = parseJson(line);
  if (!isObject(read)) return null;
  const usage = Array.isArray(read['gpu_usage']) ? read['gpu_usage'] : null;
  const temp = isObject(read['temp']) ? read['temp'] : {};
  const memory = isObject(read['memory']) ? read['memory'] : {};
  if (usage === null && read['gpu_active_ratio'] === undefined && read['gpu_scaled_ratio'] === undefined)
    return null;
  const heat = number(temp['gpu_temp_avg']);
  return {
    utilization: fraction(
      number(read['gpu_active_ratio']) ?? number(read['gpu_scaled_ratio']) ?? number(usage?.[1]),
    ),
    clockMHz: number(read['gpu_freq_mhz']) ?? number(usage?.[0]),
    powerW: number(read['gpu_power']),
    // Sensors that do not answer are told as 0 °C.
    temperatureC: heat !== null && heat > 0 ? heat : null,
    memoryTotalBytes: positive(number(memory['ram_total'])),
  };
}

/**
 * The answer to `sysctl hw.memsize iogpu.wired_limit_mb`: what the GPU may have of the machine's memory. A limit of 0 is the default,
 * whose amount nobody tells; then it is the memory of the machine.
 */
export function parseMemoryLimit(text: string): number | null {
  const value = (key: string): number | null => {
    const found = new RegExp(`^${key}:\\s*(\\d+)$`, 'm').exec(text)?.[1];
    return positive(found === undefined ? null : Number(found));
  };
  const limit = value('iogpu\\.wired_limit_mb');
  return limit === null ? value('hw\\.memsize') : limit * MIB;
}

function number(told: unknown): number | null {
  return typeof told === 'number' && Number.isFinite(told) && told >= 0 ? told : null;
}

function fraction(value: number | null): number | null {
  return value !== null && value <= 1 ? value : null;
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
