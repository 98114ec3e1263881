import type { GpuSample } from '../domain/hardware.js';
import { wholeNumber } from './read-values.js';

/** Files of /sys/class/drm/cardN/device that are read for each sample. */
export const AMD_FILES: readonly string[] = [
  'gpu_busy_percent',
  'mem_info_vram_total',
  'mem_info_vram_used',
  'mem_info_gtt_total',
  'mem_info_gtt_used',
  'mem_info_vram_vendor',
  'product_name',
  'device',
  'revision',
];
/** Files of its hwmon folder. */
export const AMD_HWMON_FILES: readonly string[] = [
  'temp1_input',
  'temp1_label',
  'temp2_input',
  'temp2_label',
  'temp3_input',
  'temp3_label',
  'power1_average',
  'power1_input',
  'power1_cap',
  'pwm1',
  'freq1_input',
];

const GIB = 1024 ** 3;
/** A card whose own memory is not larger is part of the processor: the BIOS has cut it out of the machine's memory. */
const LARGEST_CARVE_OUT = GIB;

/**
 * One AMD card from the texts of its files; what is missing is null. Models of an APU lie in GTT, memory that the card borrows from the
 * machine, and count there; a card with memory of its own borrows only when that is full.
 */
export function amdCard(
  files: ReadonlyMap<string, string>,
  place: string,
  index: number,
  nameOf: (device: string, revision: string) => string | null = () => null,
): GpuSample {
  const number = (key: string): number | null => wholeNumber(files.get(key));
  const vram = { total: positive(number('mem_info_vram_total')), used: number('mem_info_vram_used') };
  const gtt = { total: positive(number('mem_info_gtt_total')), used: number('mem_info_gtt_used') };
  const shared =
    vram.total !== null &&
    gtt.total !== null &&
    vram.total <= LARGEST_CARVE_OUT &&
    gtt.total > vram.total &&
    !files.has('mem_info_vram_vendor');
  const busy = number('gpu_busy_percent');
  const pwm = number('hwmon/pwm1');
  const hertz = number('hwmon/freq1_input');
  return {
    id: `amd-${place}`,
    index,
    name:
      files.get('product_name') || nameOf(hex(files.get('device')), hex(files.get('revision'))) || 'AMD GPU',
    utilization: busy !== null && busy <= 100 ? busy / 100 : null,
    memoryUsedBytes: shared ? sum(vram.used, gtt.used) : vram.used,
    memoryTotalBytes: shared ? sum(vram.total, gtt.total) : vram.total,
    temperatureC: temperature(files, 'edge') ?? thousandth(number('hwmon/temp1_input')),
    powerW: millionth(number('hwmon/power1_average') ?? number('hwmon/power1_input')),
    powerLimitW: positive(millionth(number('hwmon/power1_cap'))),
    fan: pwm !== null && pwm <= 255 ? pwm / 255 : null,
    clockMHz: hertz === null ? null : Math.round(hertz / 1e6),
    memoryTemperatureC: temperature(files, 'mem'),
    ...(shared && { shared }),
  };
}

/** `/usr/share/libdrm/amdgpu.ids`: lines of device, revision and name with commas between. */
export function nameInIds(ids: string, device: string, revision: string): string | null {
  for (const line of ids.split('\n')) {
    const [id = '', variant = '', ...name] = line.split(',').map((cell) => cell.trim());
    if (id.toLowerCase() === device && variant.toLowerCase() === revision) return name.join(', ') || null;
  }
  return null;
}

function temperature(files: ReadonlyMap<string, string>, label: string): number | null {
  for (let i = 1; i <= 3; i++)
    if (files.get(`hwmon/temp${i}_label`) === label)
      return thousandth(wholeNumber(files.get(`hwmon/temp${i}_input`)));
  return null;
}

function hex(text: string | undefined): string {
  return (text ?? '').replace(/^0x/i, '').toLowerCase();
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function thousandth(value: number | null): number | null {
  return value === null ? null : value / 1000;
}

function millionth(value: number | null): number | null {
  return value === null ? null : value / 1e6;
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}
