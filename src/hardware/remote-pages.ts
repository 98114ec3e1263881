import type { GpuSample, MachineDetail, MachineFacts, MachineSample } from '../domain/hardware.js';
import { averageOf, parsePrometheus, sumOf, type Sample } from '../wire/prometheus.js';
import { netRates, type NetReading } from './network.js';
import { GPU_NAMES, readGpus } from './remote-gpus.js';
import { detailOfServers, readServers, SERVER_NAMES, type ServerLook } from './remote-servers.js';
import { NODE_NAMES, readNode, type NodeLook } from './remote-node.js';

/** What a page of metrics tells of its machine. */
export interface PageReading {
  readonly sample: MachineSample | null;
  readonly detail: MachineDetail | null;
  readonly facts: MachineFacts | null;
  readonly gpus: readonly GpuSample[];
  /** For the next reading of the same page. */
  readonly look: PageLook;
}

export interface PageLook {
  readonly atSeconds: number;
  readonly node: NodeLook | null;
  readonly net: NetReading | null;
  readonly servers: ServerLook;
}

/** Why a page tells nothing of its machine. */
export interface UselessPage {
  readonly reason: string;
  readonly hint: string;
}

const LLAMA_SWAP_NAMES: readonly string[] = [
  'llamaswap_cpu_util_percent',
  'llamaswap_memory_total_bytes',
  'llamaswap_memory_used_bytes',
  'llamaswap_swap_total_bytes',
  'llamaswap_swap_used_bytes',
  'llamaswap_load_average',
  'llamaswap_network_bytes_total',
];
const MACMON_NAMES: readonly string[] = [
  'macmon_cpu_active_ratio',
  'macmon_cpu_usage_ratio',
  'macmon_memory_ram_total_bytes',
  'macmon_memory_ram_used_bytes',
  'macmon_memory_swap_total_bytes',
  'macmon_memory_swap_used_bytes',
];
const NAMES: ReadonlySet<string> = new Set([
  ...NODE_NAMES,
  ...GPU_NAMES,
  ...SERVER_NAMES,
  ...LLAMA_SWAP_NAMES,
  ...MACMON_NAMES,
]);
const INSTEAD = 'name the address of node_exporter there, or ssh:HOST';

/**
 * Reads a page of metrics, of whatever programs made it: each is known by the beginning of its names. `atSeconds` is monotonic. Shares
 * and speeds are over the time since `before`.
 */
export function readPage(
  body: string,
  before: PageLook | null,
  atSeconds: number,
): PageReading | UselessPage {
  const text = unquoted(body);
  const samples = parsePrometheus(text, NAMES);
  const node = readNode(samples, before?.node ?? null, atSeconds);
  const net = swapNet(samples);
  const seconds = before ? atSeconds - before.atSeconds : 0;
  const { servers, look: served } = readServers(samples, before?.servers ?? null, seconds);
  const look: PageLook = { atSeconds, node: node?.look ?? null, net, servers: served };
  const sample = node?.sample ?? swapSample(samples, before, look) ?? macSample(samples);
  const gpus = readGpus(samples, sample?.memoryTotalBytes ?? null);
  if (sumOf(samples, 'nvidia_smi_last_collect_success') === 0)
    return { reason: 'its nvidia-smi fails', hint: 'run nvidia-smi on that machine' };
  if (sample || gpus.length > 0 || servers.length > 0) {
    const ofServers = servers.length > 0 ? detailOfServers(servers) : null;
    const detail = node && ofServers ? { ...node.detail, servers } : (node?.detail ?? ofServers);
    return { sample, detail, facts: node?.facts ?? null, gpus, look };
  }
  if (/^(?:llamacpp|vllm):/m.test(text))
    return { reason: 'it tells of a model server, not of its machine', hint: INSTEAD };
  if (/^# (?:TYPE|HELP) |^[a-z_]\w*(?:\{[^\n]*\})? [-+\d.]/im.test(text))
    return { reason: 'none of its metrics is of a machine', hint: INSTEAD };
  return { reason: 'this is no page of metrics', hint: 'usually its path is /metrics' };
}

/** Some versions of llama.cpp send the page as one JSON string. */
function unquoted(body: string): string {
  if (!body.startsWith('"')) return body;
  try {
    const text: unknown = JSON.parse(body);
    return typeof text === 'string' ? text : body;
  } catch {
    return body;
  }
}

/** llama-swap tells 0 for what it does not know. */
function swapSample(
  samples: readonly Sample[],
  before: PageLook | null,
  now: PageLook,
): MachineSample | null {
  const total = some(sumOf(samples, 'llamaswap_memory_total_bytes'));
  const cores = samples
    .filter(({ name, value }) => name === 'llamaswap_cpu_util_percent' && value >= 0 && value <= 100)
    .sort((a, b) => Number(a.labels.get('core')) - Number(b.labels.get('core')))
    .map(({ value }) => value / 100);
  if (total === null && cores.length === 0) return null;
  const swapTotal = some(sumOf(samples, 'llamaswap_swap_total_bytes'));
  return {
    cpu: cores.length === 0 ? null : cores.reduce((sum, share) => sum + share, 0) / cores.length,
    cores: cores.length === 0 ? null : cores,
    memoryUsedBytes: total === null ? null : some(sumOf(samples, 'llamaswap_memory_used_bytes')),
    memoryTotalBytes: total,
    memoryLimited: false,
    swapUsedBytes: swapTotal === null ? null : sumOf(samples, 'llamaswap_swap_used_bytes'),
    swapTotalBytes: swapTotal,
    load1: some(sumOf(samples, 'llamaswap_load_average', { interval: '1m' })),
    diskFreeBytes: null,
    ...netRates(before?.net ?? null, now.net, before ? now.atSeconds - before.atSeconds : 0),
  };
}

function swapNet(samples: readonly Sample[]): NetReading | null {
  const of = (...directions: readonly string[]): number | null =>
    directions
      .map((direction) => sumOf(samples, 'llamaswap_network_bytes_total', { direction }))
      .find((value) => value !== null) ?? null;
  const received = of('recv', 'receive', 'rx');
  const sent = of('sent', 'send', 'tx');
  return received === null || sent === null ? null : { received, sent };
}

function macSample(samples: readonly Sample[]): MachineSample | null {
  const total = some(sumOf(samples, 'macmon_memory_ram_total_bytes'));
  if (total === null) return null;
  const cpu = averageOf(samples, 'macmon_cpu_active_ratio') ?? averageOf(samples, 'macmon_cpu_usage_ratio');
  return {
    cpu: cpu !== null && cpu >= 0 && cpu <= 1 ? cpu : null,
    cores: null,
    memoryUsedBytes: some(sumOf(samples, 'macmon_memory_ram_used_bytes')),
    memoryTotalBytes: total,
    memoryLimited: false,
    swapUsedBytes: sumOf(samples, 'macmon_memory_swap_used_bytes'),
    swapTotalBytes: sumOf(samples, 'macmon_memory_swap_total_bytes'),
    load1: null,
    diskFreeBytes: null,
    netReceivedPerSecond: null,
    netSentPerSecond: null,
  };
}

function some(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}
