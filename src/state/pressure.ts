import { formatBytes, formatPercent } from '../../widgets/text/format.js';
import { THIS_MACHINE, type GpuSample, type MachineId } from '../domain/hardware.js';
import type { Model } from '../domain/model.js';
import type { Stamped } from '../events/catalogue.js';
import { machineOfBackend, readingsOf } from './machines.js';
import { readingsWith } from './memory-check.js';
import { withNotice } from './notices.js';
import type { MachineReadings, State } from './state.js';

/** A shortage that was told; it is over when there was none for a while. */
export interface Spell {
  /** Monotonic time since when there is none; null: it lasts. */
  readonly calmSinceMono: number | null;
}

/** What has to be remembered of a machine to see that its memory is getting short. */
export interface PressureWatch {
  readonly memory: Spell | null;
  /** By the id of the card. */
  readonly gpus: ReadonlyMap<string, Spell>;
  readonly oomKills: number | null;
  readonly limitHits: number | null;
  /** Where the growth of swap is counted from. */
  readonly swap: { readonly bytes: number; readonly mono: number } | null;
}

export const NO_PRESSURE: PressureWatch = {
  memory: null,
  gpus: new Map(),
  oomKills: null,
  limitHits: null,
  swap: null,
};

const FIELDS = ['memory', 'gpus', 'oomKills', 'limitHits', 'swap'] as const;

/** Linux PSI over 10 s. The kernel ends programs far above that (systemd-oomd at 60 % for 30 s); here there is time left to act. */
const SOME_WAIT = 0.1;
const ALL_WAIT = 0.05;
/** Below this share of the threshold it counts as calm; between the two nothing changes. */
const CALM_SHARE = 0.5;
/** A shortage is over after so long a calm. */
const CALM_MS = 30_000;
/** A container at its limit gives back cached files all the time, which harms nobody, unless hardly any are left. */
const LIMIT_USED = 0.9;
const SWAP_USED = 0.85;
const SWAP_GROWTH_BYTES = 256e6;
const SWAP_WINDOW_MS = 30_000;
const GPU_FULL = 0.97;
const GPU_CALM = 0.95;
const MOST_NAMED = 3;

type HardwareEvent = Stamped & {
  readonly type: 'hardware.sampled' | 'hardware.detailed' | 'gpus.sampled' | 'memory.checked';
};

/**
 * Tells once that memory or a card is getting full, before the kernel ends a program, and what could be unloaded; again only when it
 * was over in between. That the kernel did end one is told each time. `state` has the readings of the event already.
 */
export function tellPressure(state: State, event: HardwareEvent): State {
  const machine = ('machine' in event ? event.machine : undefined) ?? THIS_MACHINE;
  const readings = readingsOf(state, machine);
  const before = state.hardware.pressure.get(machine) ?? NO_PRESSURE;
  switch (event.type) {
    case 'hardware.sampled': {
      const swap = swapFrom(before, readings, event.mono);
      return swap === before.swap ? state : withWatch(state, machine, { ...before, swap });
    }
    case 'hardware.detailed':
      return onDetail(state, event, machine, before, readings);
    case 'memory.checked': {
      const checked = readingsWith(readings, event.check);
      const swap = swapFrom(before, checked, event.mono);
      return onDetail(state, event, machine, { ...before, swap }, checked);
    }
    case 'gpus.sampled':
      return onGpus(state, event, machine, before, event.gpus);
  }
}

function onDetail(
  state: State,
  event: HardwareEvent,
  machine: MachineId,
  before: PressureWatch,
  readings: MachineReadings,
): State {
  const { detail } = readings;
  const reason = shortageOf(before, readings, event.mono);
  const memory = followed(before.memory, reason !== null, isCalm(before, readings, event.mono), event.mono);
  const after: PressureWatch = {
    ...before,
    memory,
    oomKills: detail?.oomKills ?? null,
    limitHits: detail?.limitHits ?? null,
  };
  let next = withWatch(state, machine, after);
  if (memory && !before.memory && reason !== null)
    next = withNotice(next, event, 'warn', on(machine, reason), whatToDo(state, machine, readings, 'memory'));
  const killed = grown(before.oomKills, after.oomKills);
  if (killed > 0) {
    const programs = killed === 1 ? 'a program' : `${killed} programs`;
    const hint = whatToDo(state, machine, readings, 'memory');
    next = withNotice(
      next,
      event,
      'bad',
      on(machine, `the kernel has ended ${programs}: no memory left`),
      hint,
    );
  }
  return next;
}

function onGpus(
  state: State,
  event: HardwareEvent,
  machine: MachineId,
  before: PressureWatch,
  cards: readonly GpuSample[],
): State {
  const gpus = new Map<string, Spell>();
  const full: GpuSample[] = [];
  for (const card of cards) {
    const was = before.gpus.get(card.id) ?? null;
    const used = usedShare(card);
    const now = followed(
      was,
      used !== null && used >= GPU_FULL,
      used === null || used < GPU_CALM,
      event.mono,
    );
    if (now) gpus.set(card.id, now);
    if (now && !was) full.push(card);
  }
  if (gpus.size === 0 && before.gpus.size === 0) return state;
  const next = withWatch(state, machine, { ...before, gpus });
  const [first] = full;
  if (!first) return next;
  const several =
    full.length > 1 ? `${full.length} GPUs` : cards.length > 1 ? `GPU ${first.index}` : 'the GPU';
  const text = `the memory of ${several} is almost full (${formatPercent(usedShare(first))})`;
  const hint = whatToDo(state, machine, readingsOf(state, machine), 'gpu');
  return withNotice(next, event, 'warn', on(machine, text), hint);
}

/** What makes memory short now, as a sentence; null: nothing does. */
function shortageOf(before: PressureWatch, readings: MachineReadings, mono: number): string | null {
  const { detail } = readings;
  const pressure = detail?.pressure;
  const used = memoryShare(readings);
  if ((pressure?.memoryFull ?? 0) >= ALL_WAIT)
    return `memory is short: all programs wait for it ${formatPercent(pressure?.memoryFull ?? null)} of the time`;
  if ((pressure?.memorySome ?? 0) >= SOME_WAIT)
    return `memory is short: programs wait for it ${formatPercent(pressure?.memorySome ?? null)} of the time`;
  if (pressure?.level === 'warning' || pressure?.level === 'critical')
    return `memory is short: macOS tells ${pressure.level === 'critical' ? 'critical ' : ''}memory pressure`;
  if (grown(before.limitHits, detail?.limitHits ?? null) > 0 && (used ?? 0) >= LIMIT_USED)
    return `memory is short: ${formatPercent(used)} of this container’s limit is in use`;
  const swapped = swapGrowth(before, readings, mono);
  if (swapped >= SWAP_GROWTH_BYTES && (used ?? 0) >= SWAP_USED)
    return `memory is short: ${formatBytes(swapped)} went to swap within ${SWAP_WINDOW_MS / 1000} s`;
  return null;
}

/** Nothing of what makes memory short is near. What is not told any more counts as calm: there is nothing to hold on to. */
function isCalm(before: PressureWatch, readings: MachineReadings, mono: number): boolean {
  const { detail } = readings;
  const pressure = detail?.pressure;
  return (
    (pressure?.memoryFull ?? 0) < ALL_WAIT * CALM_SHARE &&
    (pressure?.memorySome ?? 0) < SOME_WAIT * CALM_SHARE &&
    (pressure?.level ?? 'normal') === 'normal' &&
    grown(before.limitHits, detail?.limitHits ?? null) === 0 &&
    swapGrowth(before, readings, mono) < SWAP_GROWTH_BYTES * CALM_SHARE
  );
}

function followed(was: Spell | null, short: boolean, calm: boolean, mono: number): Spell | null {
  if (short) return was?.calmSinceMono === null ? was : { calmSinceMono: null };
  if (!was) return null;
  if (!calm) return was.calmSinceMono === null ? was : { calmSinceMono: null };
  const calmSinceMono = was.calmSinceMono ?? mono;
  return mono - calmSinceMono >= CALM_MS ? null : { calmSinceMono };
}

/** Swap is counted from the least of the present window on. */
function swapFrom(before: PressureWatch, { sample }: MachineReadings, mono: number): PressureWatch['swap'] {
  const bytes = sample?.swapUsedBytes ?? null;
  if (bytes === null) return null;
  const { swap } = before;
  return swap && bytes >= swap.bytes && mono - swap.mono < SWAP_WINDOW_MS ? swap : { bytes, mono };
}

function swapGrowth({ swap }: PressureWatch, { sample }: MachineReadings, mono: number): number {
  const bytes = sample?.swapUsedBytes ?? null;
  return swap && bytes !== null && mono - swap.mono <= SWAP_WINDOW_MS ? Math.max(0, bytes - swap.bytes) : 0;
}

/** A counter that went back (another container, a new start) has not grown. */
function grown(before: number | null, now: number | null): number {
  return before === null || now === null ? 0 : Math.max(0, now - before);
}

function memoryShare({ sample }: MachineReadings): number | null {
  if (!sample || sample.memoryUsedBytes === null || !sample.memoryTotalBytes) return null;
  return sample.memoryUsedBytes / sample.memoryTotalBytes;
}

/** Of a card that shares the machine's memory it tells nothing. */
function usedShare(card: GpuSample): number | null {
  if (card.shared === true || card.memoryUsedBytes === null || !card.memoryTotalBytes) return null;
  return card.memoryUsedBytes / card.memoryTotalBytes;
}

function on(machine: MachineId, text: string): string {
  return machine === THIS_MACHINE ? text : `${machine}: ${text}`;
}

/** The largest models that are loaded there and how they go, else the program that holds most. */
function whatToDo(
  state: State,
  machine: MachineId,
  { detail, gpus }: MachineReadings,
  where: 'memory' | 'gpu',
): string {
  // Without a card of its own memory everything lies in the machine's.
  const apart = gpus.some(({ shared }) => shared !== true);
  const loaded = loadedOn(state, machine, where === 'gpu' ? 'gpu' : apart ? 'memory' : 'all');
  const unloadable = loaded.filter(({ unloads }) => unloads);
  const named = (unloadable.length > 0 ? unloadable : loaded)
    .slice(0, MOST_NAMED)
    .map(({ model, bytes }) => (bytes === null ? model.label : `${model.label} (${formatBytes(bytes)})`))
    .join(', ');
  if (unloadable.length > 0) return `Unload one in the models pane (u): ${named}.`;
  if (loaded.length > 0) return `Loaded until its server is stopped: ${named}.`;
  const [largest] = [...(detail?.processes ?? [])]
    .filter(({ name, memoryBytes }) => name !== 'lmapp' && memoryBytes !== null)
    .sort((a, b) => (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0));
  return largest
    ? `${largest.name} (process ${largest.pid}) holds ${formatBytes(largest.memoryBytes)}: end it, or other programs.`
    : 'End other programs, or choose a smaller model or a shorter context.';
}

/** `memory` is what does not lie on a card. */
type Place = 'memory' | 'gpu' | 'all';

interface Loaded {
  readonly model: Model;
  readonly bytes: number | null;
  readonly unloads: boolean;
}

/** Largest first; without what lies elsewhere, as far as that is told. */
function loadedOn(state: State, machine: MachineId, where: Place): readonly Loaded[] {
  return state.models.backends
    .filter(({ info }) => machineOfBackend(state, info.id) === machine)
    .flatMap(({ info, models }) =>
      models
        .filter((model) => model.loadState === 'loaded' && !model.remote)
        .map((model) => ({ model, bytes: bytesOf(model, where), unloads: info.features.unload })),
    )
    .filter(({ bytes }) => bytes !== 0)
    .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
}

function bytesOf(model: Model, where: Place): number | null {
  const { memoryBytes, vramBytes } = model;
  const all = memoryBytes ?? model.sizeBytes;
  if (where === 'gpu') return vramBytes ?? all;
  return where === 'all' || memoryBytes === null ? all : Math.max(0, memoryBytes - (vramBytes ?? 0));
}

function withWatch(state: State, machine: MachineId, watch: PressureWatch): State {
  const was = state.hardware.pressure.get(machine) ?? NO_PRESSURE;
  if (FIELDS.every((field) => was[field] === watch[field])) return state;
  const pressure = new Map(state.hardware.pressure).set(machine, watch);
  return { ...state, hardware: { ...state.hardware, pressure } };
}
