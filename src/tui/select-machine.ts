import type { MachineProps } from '../../widgets/machine.js';
import { formatBytes } from '../../widgets/text/format.js';
import type { State } from '../state/state.js';

/** Readings count as old when they did not come for so many intervals. */
const STALE_INTERVALS = 3;
const STALE_AT_LEAST_MS = 5000;

/** Readings, histories and facts of this machine. */
export function selectMachine(state: State): MachineProps {
  const { hardware } = state;
  return {
    sample: hardware.sample,
    gpus: hardware.gpus,
    cpuHistory: hardware.cpuHistory,
    memoryHistory: hardware.memoryHistory,
    gpuHistory: hardware.gpuHistory,
    staleMs: staleMs(state),
    facts: facts(state),
    notes: [...hardware.sources].flatMap(([source, s]) =>
      s.state === 'failed' ? [`${source}: ${s.reason}`] : [],
    ),
  };
}

function staleMs(state: State): number | null {
  const { sampledMono, intervalMs } = state.hardware;
  if (sampledMono === null) return null;
  const age = state.mono - sampledMono;
  const interval = state.view.focused ? intervalMs : Math.max(5000, intervalMs);
  return age > Math.max(STALE_AT_LEAST_MS, STALE_INTERVALS * interval) ? age : null;
}

function facts(state: State): readonly string[] {
  const known = state.hardware.facts;
  if (!known) return [];
  const cores = known.cores === null ? '' : ` · ${known.cores} cores`;
  const memory = known.memoryBytes === null ? '' : ` · ${formatBytes(known.memoryBytes)}`;
  return [
    known.processor === null ? '' : `${known.processor}${cores}`,
    known.system === null ? '' : `${known.system}${memory}`,
    ...known.gpus,
  ].filter((line) => line !== '');
}
