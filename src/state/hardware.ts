import { THIS_MACHINE, type MachineId, type SourceState } from '../domain/hardware.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { readingsOf, shownMachine } from './machines.js';
import { HISTORY_SAMPLES, type MachineReadings, type State } from './state.js';

/** Sampling interval while the terminal has no focus. */
const UNFOCUSED_MS = 5000;
/** While this machine runs on its battery, unless another interval is chosen. */
const ON_BATTERY_MS = 5000;
export const INTERVALS_MS: readonly number[] = [500, 1000, 2000, 5000, 10_000];

/** Folds readings of machines. */
export function updateHardware(state: State, event: Stamped): State {
  switch (event.type) {
    case 'hardware.sampled': {
      const { sample } = event;
      const memory =
        sample.memoryUsedBytes !== null && sample.memoryTotalBytes
          ? sample.memoryUsedBytes / sample.memoryTotalBytes
          : null;
      return withReadings(state, event.machine, (readings) => ({
        ...readings,
        sample,
        sampledMono: event.mono,
        cpuHistory: pushed(readings.cpuHistory, sample.cpu),
        memoryHistory: pushed(readings.memoryHistory, memory),
        sampleMonos: pushed(readings.sampleMonos, event.mono),
      }));
    }
    case 'hardware.detailed':
      return withReadings(state, event.machine, (readings) => ({ ...readings, detail: event.detail }));
    case 'gpus.sampled': {
      const busiest = event.gpus.reduce<number | null>(
        (most, gpu) =>
          gpu.utilization === null || gpu.stale === true ? most : Math.max(most ?? 0, gpu.utilization),
        null,
      );
      return withReadings(state, event.machine, (readings) => ({
        ...readings,
        gpus: event.gpus,
        gpusMono: event.mono,
        gpuHistory: pushed(readings.gpuHistory, busiest),
        gpuMonos: pushed(readings.gpuMonos, event.mono),
      }));
    }
    case 'hardware.facts':
      return withReadings(state, event.machine, (readings) => ({ ...readings, facts: event.facts }));
    case 'hardware.source':
      return withReadings(state, event.machine, (readings) => ({
        ...readings,
        sources: new Map(readings.sources).set(
          event.source,
          withReason(readings.sources.get(event.source), event.state),
        ),
      }));
    default:
      return state;
  }
}

/** One that hangs is asked most of the time: why it failed stays known until it answers. */
function withReason(before: SourceState | undefined, now: SourceState): SourceState {
  if (now.state !== 'probing') return now;
  const after =
    before?.state === 'failed' ? before.reason : before?.state === 'probing' ? before.after : undefined;
  return after === undefined ? now : { ...now, after };
}

function withReadings(
  state: State,
  machine: MachineId = THIS_MACHINE,
  change: (readings: MachineReadings) => MachineReadings,
): State {
  const machines = new Map(state.hardware.machines).set(machine, change(readingsOf(state, machine)));
  return { ...state, hardware: { ...state.hardware, machines } };
}

/** How often this machine is looked at while the terminal has the focus. */
export function sampleIntervalMs(state: State): number {
  const { intervalMs, intervalChosen } = state.hardware;
  const onBattery = readingsOf(state, THIS_MACHINE).detail?.battery?.mains === false;
  return onBattery && !intervalChosen ? Math.max(ON_BATTERY_MS, intervalMs) : intervalMs;
}

function watchIntervalMs(state: State): number {
  const intervalMs = sampleIntervalMs(state);
  return state.view.focused ? intervalMs : Math.max(UNFOCUSED_MS, intervalMs);
}

/** Asks for the readings of another machine, or for more or fewer, when what is shown, the focus or the wished interval changed. */
export function watchWhatIsShown(before: State, after: State, out: Effect[]): State {
  // Asked after every event: of what it depends on most change nothing.
  const { view, hardware, models, settings } = before;
  if (
    after.view === view &&
    after.hardware === hardware &&
    after.models === models &&
    after.settings === settings
  )
    return after;
  const machine = after.view.shown.includes('machine') ? shownMachine(after) : null;
  const intervalMs = watchIntervalMs(after);
  const changed =
    machine !== after.hardware.watching ||
    before.hardware.intervalMs !== after.hardware.intervalMs ||
    (machine !== null && watchIntervalMs(before) !== intervalMs);
  if (!changed) return after;
  out.push({ type: 'hardware.watch', machine, intervalMs });
  return { ...after, hardware: { ...after.hardware, watching: machine } };
}

function pushed<T>(history: readonly T[], value: T): readonly T[] {
  const next = history.length >= HISTORY_SAMPLES ? history.slice(1 - HISTORY_SAMPLES) : history.slice();
  next.push(value);
  return next;
}
