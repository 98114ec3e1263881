import type { MachineDetail, MachineFacts, MachineSample, Temperature } from '../domain/hardware.js';
import { sumOf, type Sample } from '../wire/prometheus.js';
import type { CpuReading } from './cpu.js';
import type { NetReading } from './network.js';
import { ratesBetween, type Counters } from './remote-rates.js';

/** Metrics of node_exporter that are read; a page of it has thousands of others. */
export const NODE_NAMES: readonly string[] = [
  'node_cpu_seconds_total',
  'node_load1',
  'node_load5',
  'node_load15',
  'node_vmstat_oom_kill',
  'node_zfs_arc_size',
  'node_zfs_arc_c_min',
  'node_hwmon_temp_celsius',
  'node_hwmon_chip_names',
  'node_hwmon_sensor_label',
  'node_filesystem_avail_bytes',
  'node_filesystem_size_bytes',
  'node_network_receive_bytes_total',
  'node_network_transmit_bytes_total',
  'node_pressure_cpu_waiting_seconds_total',
  'node_pressure_memory_waiting_seconds_total',
  'node_pressure_memory_stalled_seconds_total',
  'node_pressure_io_waiting_seconds_total',
  'node_uname_info',
  'node_os_info',
  ...[
    'MemTotal',
    'MemAvailable',
    'MemFree',
    'Cached',
    'Buffers',
    'SReclaimable',
    'Shmem',
    'SwapTotal',
    'SwapFree',
    'total',
    'wired',
    'compressed',
    'internal',
    'purgeable',
    'active',
    'swap_used',
    'swap_total',
  ].map((name) => `node_memory_${name}_bytes`),
];

/** What one look at a page of node_exporter needs of the look before. */
export interface NodeLook {
  readonly counters: Counters;
  /** Which counters of which processors were told; shares are only between the same ones. */
  readonly modes: string;
  /** Seconds of waiting since the start, by name of the metric. */
  readonly waited: ReadonlyMap<string, number>;
}

export interface NodeReading {
  readonly look: NodeLook;
  readonly sample: MachineSample;
  readonly detail: MachineDetail;
  readonly facts: MachineFacts;
}

/** A page of node_exporter (Linux or macOS); null when it is none. Shares and speeds are over the time since `before`. */
export function readNode(
  samples: readonly Sample[],
  before: NodeLook | null,
  atSeconds: number,
): NodeReading | null {
  if (!samples.some(({ name }) => name.startsWith('node_'))) return null;
  const of = (name: string): number | null => sumOf(samples, `node_${name}`);
  const { cpu, modes } = cpuOf(samples);
  // The unit of these counters is a second.
  const counters: Counters = { atSeconds, cpu, net: netOf(samples), ticksPerSecond: 1 };
  const waited = new Map<string, number>();
  const comparable = before && (before.modes === modes ? before.counters : { ...before.counters, cpu: null });
  const rates = ratesBetween(comparable, counters);
  const share = (name: string): number | null => {
    const value = of(`pressure_${name}_seconds_total`);
    if (value === null) return null;
    waited.set(name, value);
    const was = before?.waited.get(name);
    const seconds = before ? atSeconds - before.counters.atSeconds : 0;
    if (was === undefined || value < was || seconds <= 0) return null;
    return Math.min(1, (value - was) / seconds);
  };
  const disks = disksOf(samples);
  const pressure = {
    cpuSome: share('cpu_waiting'),
    memorySome: share('memory_waiting'),
    memoryFull: share('memory_stalled'),
    ioSome: share('io_waiting'),
  };
  const total = of('memory_MemTotal_bytes') ?? of('memory_total_bytes');
  const cores = cpu === null ? null : cpu.size - 1;
  return {
    look: { counters, modes, waited },
    sample: {
      ...rates,
      memoryUsedBytes: usedBytes(of, total),
      memoryTotalBytes: total,
      memoryLimited: false,
      ...swapOf(of),
      load1: of('load1'),
      diskFreeBytes: disks.find(({ path }) => path === '/')?.freeBytes ?? null,
    },
    detail: {
      pressure: waited.size === 0 ? null : pressure,
      load5: of('load5'),
      load15: of('load15'),
      ioWait: null,
      coresAllowed: null,
      temperatures: temperaturesOf(samples),
      battery: null,
      disks,
      processes: null,
      oomKills: of('vmstat_oom_kill'),
    },
    facts: { ...systemOf(samples), processor: null, cores, memoryBytes: total, gpus: [] },
  };
}

/** Idle and waiting for a disk are both rest, as on this machine. Null where a page leaves out what a share is made of. */
function cpuOf(samples: readonly Sample[]): { readonly cpu: CpuReading | null; readonly modes: string } {
  const cores = new Map<string, { total: number; busy: number }>();
  const told: string[] = [];
  for (const { name, labels, value } of samples) {
    if (name !== 'node_cpu_seconds_total' || !Number.isFinite(value)) continue;
    const mode = labels.get('mode') ?? '';
    // Guest time is in user already.
    if (mode.startsWith('guest')) continue;
    const core = labels.get('cpu') ?? '0';
    told.push(`${core} ${mode}`);
    const ticks = cores.get(core) ?? { total: 0, busy: 0 };
    ticks.total += value;
    if (mode !== 'idle' && mode !== 'iowait') ticks.busy += value;
    cores.set(core, ticks);
  }
  const modes = told.sort().join();
  const complete = [...cores.keys()].every(
    (core) => told.includes(`${core} idle`) && told.includes(`${core} user`),
  );
  if (cores.size === 0 || !complete) return { cpu: null, modes };
  const sorted = [...cores].sort(([a], [b]) => Number(a) - Number(b));
  const whole = { total: 0, busy: 0 };
  for (const [, { total, busy }] of sorted) {
    whole.total += total;
    whole.busy += busy;
  }
  return { cpu: new Map([['', whole], ...sorted]), modes };
}

function netOf(samples: readonly Sample[]): NetReading | null {
  const seen = { received: false, sent: false };
  const net = { received: 0, sent: 0 };
  for (const { name, labels, value } of samples) {
    const received = name === 'node_network_receive_bytes_total';
    if (!received && name !== 'node_network_transmit_bytes_total') continue;
    if (!Number.isFinite(value) || /^(?:lo\d*$|veth|docker|br-|virbr|utun)/.test(labels.get('device') ?? ''))
      continue;
    const way = received ? 'received' : 'sent';
    seen[way] = true;
    net[way] += value;
  }
  return seen.received && seen.sent ? net : null;
}

type Of = (name: string) => number | null;

function usedBytes(of: Of, total: number | null): number | null {
  if (of('memory_total_bytes') !== null) {
    // What Activity Monitor of macOS calls used; purgeable is younger than the others.
    const parts = [of('memory_internal_bytes'), of('memory_wired_bytes'), of('memory_compressed_bytes')];
    const sum = parts.includes(null) ? null : parts.reduce<number>((all, part) => all + (part ?? 0), 0);
    return sum === null ? null : Math.max(0, sum - (of('memory_purgeable_bytes') ?? 0));
  }
  const available = of('memory_MemAvailable_bytes') ?? availableOfOld(of);
  if (total === null || available === null) return null;
  const size = of('zfs_arc_size');
  const least = of('zfs_arc_c_min');
  const arc = size === null || least === null ? 0 : Math.max(0, size - least);
  return Math.min(total, Math.max(0, total - available - arc));
}

/** Kernels before 3.14 do not tell what is available. */
function availableOfOld(of: Of): number | null {
  const free = of('memory_MemFree_bytes');
  const cached = of('memory_Cached_bytes');
  if (free === null || cached === null) return null;
  const more = (of('memory_Buffers_bytes') ?? 0) + (of('memory_SReclaimable_bytes') ?? 0);
  return Math.max(free, free + cached + more - (of('memory_Shmem_bytes') ?? 0));
}

function swapOf(of: Of): Pick<MachineSample, 'swapUsedBytes' | 'swapTotalBytes'> {
  const total = of('memory_SwapTotal_bytes') ?? of('memory_swap_total_bytes');
  const free = of('memory_SwapFree_bytes');
  const used =
    of('memory_swap_used_bytes') ?? (total === null || free === null ? null : Math.max(0, total - free));
  return { swapTotalBytes: total, swapUsedBytes: used };
}

const MOST_DISKS = 16;

function disksOf(samples: readonly Sample[]): MachineDetail['disks'] {
  const sizes = new Map<string, number>();
  const free = new Map<string, { path: string; bytes: number }>();
  for (const { name, labels, value } of samples) {
    const path = labels.get('mountpoint') ?? '';
    const kind = labels.get('fstype') ?? '';
    if (/^(?:tmpfs|ramfs|devtmpfs|overlay|squashfs|autofs|devfs|efivarfs)$/.test(kind)) continue;
    if (/^\/(?:boot|run|snap|dev|sys|proc|System\/Volumes)(?:\/|$)/.test(path)) continue;
    if (!Number.isFinite(value) || value < 0) continue;
    if (name === 'node_filesystem_size_bytes') sizes.set(path, value);
    // The same disk may be mounted in many places; the first is the one that people know.
    if (name === 'node_filesystem_avail_bytes') {
      const device = labels.get('device') ?? path;
      const known = free.get(device);
      if (!known || path.length < known.path.length) free.set(device, { path, bytes: value });
    }
  }
  return [...free.values()]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .slice(0, MOST_DISKS)
    .map(({ path, bytes }) => ({ path, freeBytes: bytes, totalBytes: sizes.get(path) ?? null }));
}

const MOST_TEMPERATURES = 32;

function temperaturesOf(samples: readonly Sample[]): readonly Temperature[] {
  const chips = new Map<string, string>();
  const sensors = new Map<string, string>();
  for (const { name, labels } of samples) {
    if (name === 'node_hwmon_chip_names') chips.set(labels.get('chip') ?? '', labels.get('chip_name') ?? '');
    if (name === 'node_hwmon_sensor_label')
      sensors.set(`${labels.get('chip') ?? ''} ${labels.get('sensor') ?? ''}`, labels.get('label') ?? '');
  }
  return samples
    .filter(({ name, value }) => name === 'node_hwmon_temp_celsius' && value > 0 && value < 200)
    .slice(0, MOST_TEMPERATURES)
    .map(({ labels, value }) => {
      const chip = labels.get('chip') ?? '';
      const sensor = labels.get('sensor') ?? '';
      const label = `${chips.get(chip) || chip} ${sensors.get(`${chip} ${sensor}`) || sensor}`;
      return { label, celsius: value };
    });
}

function systemOf(samples: readonly Sample[]): Pick<MachineFacts, 'system'> {
  const uname = samples.find(({ name }) => name === 'node_uname_info')?.labels;
  const os = samples.find(({ name }) => name === 'node_os_info')?.labels;
  const kernel = [uname?.get('sysname'), uname?.get('release')].filter((part) => part).join(' ');
  const parts = [os?.get('pretty_name') || kernel, uname?.get('machine')].filter((part) => part);
  return { system: parts.length === 0 ? null : parts.join(' ') };
}
