import type { GpuSample } from '../domain/hardware.js';
import type { Sample } from '../wire/prometheus.js';
import { NO_READINGS_OF_CARD } from './no-readings.js';
import { withSharedMemory } from './nvidia-rows.js';

const MIB = 1024 * 1024;

/** A figure of a page: the metric, what it has to be multiplied with, and the largest value that can be true. */
type Figure = readonly [metric: string, factor: number, most: number];

interface Exporter {
  readonly prefix: string;
  /** What stands for the card in the labels. */
  idOf(labels: Sample['labels']): string | undefined;
  nameOf(labels: Sample['labels']): string | undefined;
  indexOf(labels: Sample['labels']): string | undefined;
  readonly figures: Readonly<Partial<Record<keyof GpuSample | 'free' | 'reserved', Figure>>>;
  /** It tells 0 for what it does not know. */
  readonly zeroIsUnknown: boolean;
}

const HEAT = 250;
const WATTS = 20_000;
const BYTES = 2 ** 50;

const EXPORTERS: readonly Exporter[] = [
  {
    prefix: 'DCGM_FI_',
    idOf: (labels) => labels.get('UUID'),
    nameOf: (labels) => labels.get('modelName'),
    indexOf: (labels) => labels.get('gpu'),
    figures: {
      utilization: ['DCGM_FI_DEV_GPU_UTIL', 1 / 100, 1],
      memoryUsedBytes: ['DCGM_FI_DEV_FB_USED', MIB, BYTES],
      free: ['DCGM_FI_DEV_FB_FREE', MIB, BYTES],
      reserved: ['DCGM_FI_DEV_FB_RESERVED', MIB, BYTES],
      temperatureC: ['DCGM_FI_DEV_GPU_TEMP', 1, HEAT],
      memoryTemperatureC: ['DCGM_FI_DEV_MEMORY_TEMP', 1, HEAT],
      powerW: ['DCGM_FI_DEV_POWER_USAGE', 1, WATTS],
      clockMHz: ['DCGM_FI_DEV_SM_CLOCK', 1, 100_000],
    },
    zeroIsUnknown: false,
  },
  {
    prefix: 'nvidia_smi_',
    // It leaves out the beginning that everybody else writes.
    idOf: (labels) => labels.get('uuid')?.replace(/^(?!GPU-)/, 'GPU-'),
    nameOf: (labels) => labels.get('name'),
    indexOf: (labels) => labels.get('index'),
    figures: {
      index: ['nvidia_smi_index', 1, 1000],
      utilization: ['nvidia_smi_utilization_gpu_ratio', 1, 1],
      memoryUsedBytes: ['nvidia_smi_memory_used_bytes', 1, BYTES],
      memoryTotalBytes: ['nvidia_smi_memory_total_bytes', 1, BYTES],
      temperatureC: ['nvidia_smi_temperature_gpu', 1, HEAT],
      memoryTemperatureC: ['nvidia_smi_temperature_memory', 1, HEAT],
      powerW: ['nvidia_smi_power_draw_watts', 1, WATTS],
      powerLimitW: ['nvidia_smi_power_limit_watts', 1, WATTS],
      fan: ['nvidia_smi_fan_speed_ratio', 1, 2],
      clockMHz: ['nvidia_smi_clocks_current_graphics_clock_hz', 1e-6, 100_000],
    },
    zeroIsUnknown: false,
  },
  {
    prefix: 'llamaswap_gpu_',
    idOf: (labels) => labels.get('uuid') || labels.get('id'),
    nameOf: (labels) => labels.get('name'),
    indexOf: (labels) => labels.get('id'),
    figures: {
      utilization: ['llamaswap_gpu_util_percent', 1 / 100, 1],
      memoryUsedBytes: ['llamaswap_gpu_memory_used_bytes', 1, BYTES],
      memoryTotalBytes: ['llamaswap_gpu_memory_total_bytes', 1, BYTES],
      temperatureC: ['llamaswap_gpu_temperature_celsius', 1, HEAT],
      memoryTemperatureC: ['llamaswap_gpu_vram_temperature_celsius', 1, HEAT],
      powerW: ['llamaswap_gpu_power_draw_watts', 1, WATTS],
      fan: ['llamaswap_gpu_fan_speed_percent', 1 / 100, 2],
    },
    zeroIsUnknown: true,
  },
  {
    prefix: 'macmon_',
    idOf: () => 'apple',
    nameOf: (labels) => labels.get('chip'),
    indexOf: () => '0',
    figures: {
      utilization: ['macmon_gpu_active_ratio', 1, 1],
      memoryTotalBytes: ['macmon_memory_ram_total_bytes', 1, BYTES],
      temperatureC: ['macmon_gpu_temp_celsius', 1, HEAT],
      powerW: ['macmon_gpu_power_watts', 1, WATTS],
      clockMHz: ['macmon_gpu_freq_mhz', 1, 100_000],
    },
    zeroIsUnknown: false,
  },
];

export const GPU_NAMES: readonly string[] = [
  'nvidia_smi_gpu_info',
  'nvidia_smi_last_collect_success',
  ...EXPORTERS.flatMap(({ figures }) => Object.values(figures).map(([metric]) => metric)),
];

const MOST_GPUS = 64;

/** The cards on a page of metrics, of whatever program made it. */
export function readGpus(samples: readonly Sample[], machineBytes: number | null): readonly GpuSample[] {
  return EXPORTERS.flatMap((exporter) => cardsOf(exporter, samples, machineBytes)).slice(0, MOST_GPUS);
}

interface Card {
  name: string | null;
  index: number | null;
  divided: boolean;
  readonly figures: Map<string, number>;
}

function cardsOf(
  exporter: Exporter,
  samples: readonly Sample[],
  machineBytes: number | null,
): readonly GpuSample[] {
  const cards = new Map<string, Card>();
  for (const sample of samples) {
    if (!sample.name.startsWith(exporter.prefix)) continue;
    const id = exporter.idOf(sample.labels);
    if (id === undefined || id === '') continue;
    const card = cards.get(id) ?? {
      name: null,
      index: null,
      divided: false,
      figures: new Map<string, number>(),
    };
    cards.set(id, card);
    card.name ??= exporter.nameOf(sample.labels) || null;
    const index = exporter.indexOf(sample.labels);
    if (index !== undefined && /^\d{1,4}$/.test(index)) card.index = Number(index);
    // A part of a divided card, whose figures are not those of the whole.
    if (sample.labels.get('GPU_I_ID')) card.divided = true;
    else takeFigure(exporter, card, sample);
  }
  return [...cards].map(([id, card], at) => gpuOf(exporter, id, card, at, machineBytes));
}

/** A value that cannot be true stands for "blank": exporters write 9223372036854775794, 4294967295 or 1e14 for it. */
function takeFigure(exporter: Exporter, card: Card, { name, value }: Sample): void {
  for (const [key, [metric, factor, most]] of Object.entries(exporter.figures)) {
    if (metric !== name) continue;
    const scaled = factor === 1 / 100 ? value / 100 : value * factor;
    if (Number.isFinite(scaled) && scaled >= 0 && scaled <= most) card.figures.set(key, scaled);
  }
}

function gpuOf(
  exporter: Exporter,
  id: string,
  card: Card,
  at: number,
  machineBytes: number | null,
): GpuSample {
  const of = (key: string): number | null => {
    const value = card.figures.get(key) ?? null;
    return value === 0 && exporter.zeroIsUnknown ? null : value;
  };
  // 0 °C, 0 W for all of a card and a memory of 0 bytes are other ways to say unknown.
  const some = (value: number | null): number | null => (value !== null && value > 0 ? value : null);
  const used = card.figures.get('memoryUsedBytes') ?? null;
  const free = of('free');
  const total = some(
    of('memoryTotalBytes') ?? (used === null || free === null ? null : used + free + (of('reserved') ?? 0)),
  );
  const tells = some(of('temperatureC')) !== null || some(of('powerW')) !== null;
  const idle = card.figures.get('utilization') === 0 && (!exporter.zeroIsUnknown || tells);
  const gpu: GpuSample = {
    ...NO_READINGS_OF_CARD,
    id,
    index: card.figures.get('index') ?? card.index ?? at,
    name: card.name ?? 'GPU',
    utilization: idle ? 0 : some(of('utilization')),
    memoryUsedBytes: exporter.zeroIsUnknown && total === null ? null : used,
    memoryTotalBytes: total,
    temperatureC: some(of('temperatureC')),
    powerW: of('powerW'),
    powerLimitW: some(of('powerLimitW')),
    fan: of('fan'),
    clockMHz: some(of('clockMHz')),
    memoryTemperatureC: some(of('memoryTemperatureC')),
    ...(card.divided && { note: 'n/a (MIG)' }),
    ...(exporter.prefix === 'macmon_' && { shared: true }),
  };
  return withSharedMemory(gpu, () => machineBytes);
}
