import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { HISTORY_SAMPLES, type State } from './state.js';

/** Sampling interval while the terminal has no focus. */
const UNFOCUSED_MS = 5000;
export const INTERVALS_MS: readonly number[] = [500, 1000, 2000, 5000, 10_000];

/** Folds readings of the machine. */
export function updateHardware(state: State, event: Stamped): State {
  const hardware = state.hardware;
  switch (event.type) {
    case 'hardware.sampled': {
      const { sample } = event;
      const memory =
        sample.memoryUsedBytes !== null && sample.memoryTotalBytes
          ? sample.memoryUsedBytes / sample.memoryTotalBytes
          : null;
      return {
        ...state,
        hardware: {
          ...hardware,
          sample,
          sampledMono: event.mono,
          cpuHistory: pushed(hardware.cpuHistory, sample.cpu),
          memoryHistory: pushed(hardware.memoryHistory, memory),
        },
      };
    }
    case 'gpus.sampled': {
      const busiest = event.gpus.reduce<number | null>(
        (most, gpu) => (gpu.utilization === null ? most : Math.max(most ?? 0, gpu.utilization)),
        null,
      );
      return {
        ...state,
        hardware: {
          ...hardware,
          gpus: event.gpus,
          gpusMono: event.mono,
          gpuHistory: pushed(hardware.gpuHistory, busiest),
        },
      };
    }
    case 'hardware.facts':
      return { ...state, hardware: { ...hardware, facts: event.facts } };
    case 'hardware.source':
      return {
        ...state,
        hardware: { ...hardware, sources: new Map(hardware.sources).set(event.source, event.state) },
      };
    default:
      return state;
  }
}

/** Asks for more or fewer samples when what is shown, the focus or the wished interval changed. */
export function watchWhatIsShown(before: State, after: State, out: Effect[]): State {
  const machine = after.view.shown.includes('machine');
  const intervalMs = after.view.focused
    ? after.hardware.intervalMs
    : Math.max(UNFOCUSED_MS, after.hardware.intervalMs);
  const changed =
    machine !== after.hardware.watching ||
    before.hardware.intervalMs !== after.hardware.intervalMs ||
    (machine && before.view.focused !== after.view.focused);
  if (!changed) return after;
  out.push({ type: 'hardware.watch', machine, intervalMs });
  return { ...after, hardware: { ...after.hardware, watching: machine } };
}

function pushed(history: readonly (number | null)[], value: number | null): readonly (number | null)[] {
  const next = history.length >= HISTORY_SAMPLES ? history.slice(1 - HISTORY_SAMPLES) : history.slice();
  next.push(value);
  return next;
}
