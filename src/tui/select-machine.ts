import type { MachineProps } from '../../widgets/machine.js';
import { formatBytes, formatCountdown } from '../../widgets/text/format.js';
import {
  NO_SAMPLE,
  THIS_MACHINE,
  type MachineFacts,
  type MachineId,
  type SourceState,
} from '../domain/hardware.js';
import { sampleIntervalMs } from '../state/hardware.js';
import { readingsOf, shownMachine, unwatchedHost } from '../state/machines.js';
import type { MachineReadings, State } from '../state/state.js';

/** Readings count as old when they did not come for so many intervals. */
const STALE_INTERVALS = 3;
const STALE_AT_LEAST_MS = 5000;
/** Where a source of a machine elsewhere says that it has none, the next ones are not waited for. */
const STALE_INTERVALS_FAILED = 1.5;

/** Readings, histories and facts of the machine of the selected model. */
export function selectMachine(state: State): MachineProps {
  const machine = shownMachine(state);
  const hardware = readingsOf(state, machine);
  const unwatched = unwatchedHost(state);
  const servers = hardware.detail?.servers ?? [];
  return {
    // Of a machine of which only its model servers tell, the rest is unknown.
    sample: hardware.sample ?? (servers.length > 0 ? NO_SAMPLE : null),
    servers,
    gpus: hardware.gpus,
    cpuHistory: hardware.cpuHistory,
    memoryHistory: hardware.memoryHistory,
    gpuHistory: hardware.gpuHistory,
    staleMs: staleMs(state, machine, hardware),
    facts: facts(hardware.facts),
    notes: [
      ...(unwatched === null ? [] : [`${unwatched}: not monitored — set \`machine\` for this server`]),
      ...[...hardware.sources].flatMap(([source, life]) => noteOf(source, life, machine, state.at)),
    ],
  };
}

/** What is wrong with a source; of a machine elsewhere, which may come back any time, also the next step and the next try. */
function noteOf(source: string, life: SourceState, machine: MachineId, at: number): readonly string[] {
  if (life.state === 'probing') {
    if (machine === THIS_MACHINE) return life.after === undefined ? [] : [`${source}: ${life.after}`];
    return life.after === undefined
      ? [`${source}: waiting for an answer`]
      : [`${source}: ${life.after}`, '  asked again now'];
  }
  if (life.state !== 'failed' && life.state !== 'stale') return [];
  const note = `${source}: ${life.reason}`;
  if (machine === THIS_MACHINE || life.state === 'stale') return [note];
  const left = life.nextTryMs === undefined ? 0 : life.nextTryMs - at;
  const again = left > 0 ? ` · again in ${formatCountdown(left)}` : '';
  return [note, ...(life.hint === undefined ? [] : [`  ${life.hint}${again}`])];
}

function staleMs(
  state: State,
  machine: MachineId,
  { sampledMono, gpusMono, sources }: MachineReadings,
): number | null {
  // Some sources tell of cards only.
  const toldMono = sampledMono ?? gpusMono;
  if (toldMono === null) return null;
  const age = state.mono - toldMono;
  // A machine elsewhere is not asked more often.
  const least = state.view.focused && machine === THIS_MACHINE ? 0 : 5000;
  const interval = Math.max(least, sampleIntervalMs(state));
  const fails =
    machine !== THIS_MACHINE &&
    [...sources.values()].some(({ state }) => state !== 'live' && state !== 'absent');
  const most = (fails ? STALE_INTERVALS_FAILED : STALE_INTERVALS) * interval;
  return age > Math.max(STALE_AT_LEAST_MS, most) ? age : null;
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
