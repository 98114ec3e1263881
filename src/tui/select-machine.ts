import type { MachineProps } from '../../widgets/machine.js';
import { formatBytes } from '../../widgets/text/format.js';
import type { MachineFacts } from '../domain/hardware.js';
import { readingsOf, shownMachine } from '../state/machines.js';
import type { MachineReadings, State } from '../state/state.js';

/** Readings count as old when they did not come for so many intervals. */
const STALE_INTERVALS = 3;
const STALE_AT_LEAST_MS = 5000;

/** Readings, histories and facts of the machine of the selected model. */
export function selectMachine(state: State): MachineProps {
  const hardware = readingsOf(state, shownMachine(state));
  return {
    sample: hardware.sample,
    gpus: hardware.gpus,
    cpuHistory: hardware.cpuHistory,
    memoryHistory: hardware.memoryHistory,
    gpuHistory: hardware.gpuHistory,
    staleMs: staleMs(state, hardware),
    facts: facts(hardware.facts),
    notes: [...hardware.sources].flatMap(([source, s]) =>
      s.state === 'failed' ? [`${source}: ${s.reason}`] : [],
    ),
  };
}

function staleMs(state: State, { sampledMono }: MachineReadings): number | null {
  const { intervalMs } = state.hardware;
  if (sampledMono === null) return null;
  const age = state.mono - sampledMono;
  const interval = state.view.focused ? intervalMs : Math.max(5000, intervalMs);
  return age > Math.max(STALE_AT_LEAST_MS, STALE_INTERVALS * interval) ? age : null;
}

function facts(known: MachineFacts | null): readonly string[] {
  if (!known) return [];
  const cores = known.cores === null ? '' : ` · ${known.cores} cores`;
  const memory = known.memoryBytes === null ? '' : ` · ${formatBytes(known.memoryBytes)}`;
  return [
    known.processor === null ? '' : `${known.processor}${cores}`,
    known.system === null ? '' : `${known.system}${memory}`,
    ...known.gpus,
  ].filter((line) => line !== '');
}
