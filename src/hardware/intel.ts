import type { GpuProcess, GpuSample } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { askProgram } from './ask-program.js';
import { createAskedSource, type Asked } from './asked-source.js';
import { findCards, isAsleep, readCard, type DrmCard } from './drm-cards.js';
import { findExecutable } from './executable.js';
import { engineShare, watchClients, type DrmClient } from './intel-clients.js';
import { asleepCard } from './no-readings.js';
import { NVTOP_ARGS, parseNvtop } from './nvtop.js';
import type { Probe, ProbeReport } from './probe.js';
import { wholeNumber } from './read-values.js';

export interface IntelProbeOptions {
  readonly ports: Ports;
  /** Folder that holds proc/ and sys/; a test gives a tree of its own. */
  readonly root?: string;
  readonly leastMs?: number;
}

const INTEL = '0x8086';
const LEAST_MS = 2000;
const NVTOP_EVERY_MS = 10_000;
const NVTOP_MS = 5000;
const FILES: readonly string[] = ['device', 'tile0/physical_vram_size_bytes'];
const HWMON_FILES: readonly string[] = [
  'energy1_input',
  'power1_max',
  ...[1, 2, 3].flatMap((i) => [`temp${i}_input`, `temp${i}_label`]),
];
/** A difference of energy over less says little; over more, the machine slept. */
const SHORTEST_MS = 200;
const LONGEST_MS = 30_000;

interface Look {
  readonly atMs: number;
  readonly energy: ReadonlyMap<string, number>;
  readonly clients: readonly DrmClient[];
}

/**
 * Intel cards of Linux, as far as they tell without root: heat and power of cards of their own, the work of programs whose counters may
 * be read, and what nvtop knows where it is installed. The kernel has no file with the share of a card; the rest stays unknown.
 */
export function createIntelProbe(options: IntelProbeOptions): Probe {
  const { ports, root = '/' } = options;
  const { clock } = ports;
  const clients = watchClients(root, clock);
  let report: (report: ProbeReport) => void = () => undefined;
  let before: Look | null = null;
  let nvtop: { readonly atMs: number; readonly gpus: readonly GpuSample[] } | null = null;
  /** Parts of processors that have told something; of the others nothing is shown. */
  const talkative = new Set<string>();
  const source = createAskedSource({
    clock,
    tell: (state) => report({ type: 'state', state }),
    leastMs: options.leastMs ?? LEAST_MS,
    timeoutMs: 10_000,
    ask,
  });

  async function ask(): Promise<Asked> {
    const cards = await findCards(root, INTEL);
    if (cards.length === 0) return 'absent';
    const seen = await clients.read();
    const last = before;
    const energy = new Map<string, number>();
    const look: Look = { atMs: clock.monotonic(), energy, clients: seen.clients };
    const elapsed = last ? look.atMs - last.atMs : 0;
    const usable = last && elapsed >= SHORTEST_MS && elapsed <= LONGEST_MS ? last : null;
    const gpus: GpuSample[] = [];
    for (const [index, card] of cards.entries()) {
      if (await isAsleep(card)) {
        gpus.push(asleepCard(`intel-${card.place}`, index, 'Intel GPU'));
        continue;
      }
      const texts = await readCard(card, FILES, HWMON_FILES);
      const joules = wholeNumber(texts.get('hwmon/energy1_input'));
      if (joules !== null) energy.set(card.place, joules);
      gpus.push(sampleOf(card, index, texts, look, usable, seen.complete));
    }
    before = look;
    const whole = gpus.some((gpu) => gpu.utilization === null) ? await withNvtop(gpus) : gpus;
    for (const gpu of whole) if (gpu.utilization !== null || gpu.powerW !== null) talkative.add(gpu.id);
    const shown = whole.filter((gpu, at) => typeof cards[at]?.hwmon === 'string' || talkative.has(gpu.id));
    if (shown.length > 0) report({ type: 'gpus', gpus: shown });
    return 'told';
  }

  async function withNvtop(gpus: readonly GpuSample[]): Promise<readonly GpuSample[]> {
    const file = findExecutable('nvtop', ports.env, ports.platform);
    if (file === null) return gpus;
    if (nvtop === null || clock.monotonic() - nvtop.atMs >= NVTOP_EVERY_MS) {
      const printed = await askProgram(ports, file, NVTOP_ARGS, NVTOP_MS);
      const told = printed.end.exitCode === 0 ? (parseNvtop(printed.text) ?? []) : [];
      const others = /nvidia|geforce|rtx|quadro|tesla|amd|radeon/i;
      nvtop = { atMs: clock.monotonic(), gpus: told.filter((gpu) => !others.test(gpu.name)) };
    }
    const told = nvtop.gpus;
    // It does not tell PCI addresses; only as many cards in the same order are surely the same.
    return told.length === gpus.length ? gpus.map((gpu, at) => completed(gpu, told[at] ?? gpu)) : gpus;
  }

  return {
    id: 'intel',
    start(intervalMs, to) {
      report = to;
      before = null;
      source.start(intervalMs);
    },
    stop: () => source.stop(),
  };
}

function sampleOf(
  card: DrmCard,
  index: number,
  texts: ReadonlyMap<string, string>,
  now: Look,
  before: Look | null,
  complete: boolean,
): GpuSample {
  const of = (look: Look): readonly DrmClient[] =>
    look.clients.filter((client) => client.card === card.place);
  const elapsedMs = before ? now.atMs - before.atMs : 0;
  const share = before ? engineShare(of(before), of(now), elapsedMs * 1e6) : null;
  const joules = now.energy.get(card.place);
  const earlier = before?.energy.get(card.place);
  const spent = joules === undefined || earlier === undefined || joules < earlier ? null : joules - earlier;
  const memory = of(now).map((client) => client.memoryBytes);
  return {
    id: `intel-${card.place}`,
    index,
    name: 'Intel GPU',
    // Nothing seen of programs that may all be looked at is nothing done; of some of them it is not known.
    utilization: share === 0 && !complete ? null : share,
    memoryUsedBytes:
      complete && memory.length > 0 && !memory.includes(null)
        ? memory.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
        : null,
    memoryTotalBytes: sizeOf(texts.get('tile0/physical_vram_size_bytes')),
    temperatureC: temperature(texts, 'pkg') ?? thousandth(texts.get('hwmon/temp1_input')),
    // Microjoules over milliseconds.
    powerW: spent === null || elapsedMs <= 0 ? null : spent / 1000 / elapsedMs,
    powerLimitW: limit(texts.get('hwmon/power1_max')),
    fan: null,
    memoryTemperatureC: temperature(texts, 'vram'),
    processes: of(now).map(({ pid, memoryBytes }): GpuProcess => ({ pid, name: '', memoryBytes })),
  };
}

/** What the kernel does not tell, from nvtop. */
function completed(gpu: GpuSample, told: GpuSample): GpuSample {
  return {
    ...gpu,
    name: told.name === 'GPU' ? gpu.name : told.name,
    utilization: gpu.utilization ?? told.utilization,
    memoryUsedBytes: gpu.memoryUsedBytes ?? told.memoryUsedBytes,
    memoryTotalBytes: gpu.memoryTotalBytes ?? told.memoryTotalBytes,
    temperatureC: gpu.temperatureC ?? told.temperatureC,
    powerW: gpu.powerW ?? told.powerW,
    fan: told.fan,
    clockMHz: told.clockMHz ?? null,
  };
}

function temperature(texts: ReadonlyMap<string, string>, label: string): number | null {
  for (let i = 1; i <= 3; i++)
    if (texts.get(`hwmon/temp${i}_label`) === label) return thousandth(texts.get(`hwmon/temp${i}_input`));
  return null;
}

function sizeOf(text: string | undefined): number | null {
  return text !== undefined && /^(?:0x[0-9a-f]+|\d+)$/i.test(text) && Number(text) > 0 ? Number(text) : null;
}

function thousandth(text: string | undefined): number | null {
  const value = wholeNumber(text);
  return value === null ? null : value / 1000;
}

function limit(text: string | undefined): number | null {
  const value = wholeNumber(text);
  return value === null || value === 0 ? null : value / 1e6;
}
