import { parseAmdSmi, parseRocmSmi } from '../../../src/hardware/amd-programs.js';
import { parseMacmon } from '../../../src/hardware/apple-rows.js';
import { parseNvtop } from '../../../src/hardware/nvtop.js';
import { readPortableLine } from '../../../src/hardware/portable-lines.js';

const AMD_SMI = {
  gpu: 1,
  usage: { gfx_activity: { value: 99, unit: '%' } },
  power: { socket_power: { value: 241, unit: 'W' } },
  clock: { gfx_0: { clk: { value: 2290, unit: 'MHz' } } },
  temperature: {
    edge: { value: 61, unit: 'C' },
    hotspot: { value: 71, unit: 'C' },
    mem: { value: 80, unit: 'C' },
  },
  fan: { usage: { value: 20, unit: '%' } },
  mem_usage: { total_vram: { value: 24560, unit: 'MB' }, used_vram: { value: 18012, unit: 'MB' } },
};
const ROCM_SMI = {
  card1: {
    'GPU use (%)': '7',
    'VRAM Total Memory (B)': '17163091968',
    'VRAM Total Used Memory (B)': '29442048',
    'Temperature (Sensor edge) (C)': '35.0',
    'Temperature (Sensor memory) (C)': '38.0',
    'Average Graphics Package Power (W)': '6.0',
  },
};
const NVTOP = [
  {
    gpu_clock: '2400MHz',
    temp: '48C',
    fan_speed: '35%',
    power_draw: '13W',
    gpu_util: '5%',
    mem_total: '17095983104',
    mem_used: '3419196620',
  },
];
const MACMON = {
  gpu_freq_mhz: 338,
  gpu_active_ratio: 0.0765,
  gpu_power: 0.489,
  temp: { gpu_temp_avg: 46.13 },
  memory: { ram_total: 34359738368 },
};
const PORTABLE_SAMPLE = {
  sample: {
    cpu: 0.25,
    cores: [0.2, 0.3],
    memoryUsedBytes: 5e9,
    memoryTotalBytes: 16e9,
    swapUsedBytes: 1e9,
    swapTotalBytes: 2e9,
    load1: 1.5,
    diskFreeBytes: 9e9,
    netReceivedPerSecond: 100,
    netSentPerSecond: 50,
  },
};
const PORTABLE_DETAIL = {
  detail: {
    load5: 1.25,
    load15: 0.75,
    battery: { charge: 0.5, powerW: 9.5, charging: true, mains: true },
    disks: [{ path: '/', freeBytes: 5e9, totalBytes: 9e9 }],
    processes: [{ pid: 7, name: 'ollama', cpu: 1.5, memoryBytes: 1e9, mappedBytes: 2e9, residentBytes: 3e9 }],
  },
};

/** Parsers of JSON. */
export const JSONS: readonly {
  readonly of: string;
  readonly value: unknown;
  read(text: string): unknown;
}[] = [
  { of: 'amd-smi', value: [AMD_SMI], read: parseAmdSmi },
  { of: 'rocm-smi', value: ROCM_SMI, read: parseRocmSmi },
  { of: 'nvtop', value: NVTOP, read: (text) => parseNvtop(text)?.map((gpu) => ({ ...gpu, index: 1 })) },
  { of: 'macmon', value: MACMON, read: parseMacmon },
  { of: 'the child with a sample', value: PORTABLE_SAMPLE, read: readPortableLine },
  { of: 'the child with the rest', value: PORTABLE_DETAIL, read: readPortableLine },
];
