import type { HistoryMark } from '../../widgets/history-chart.js';
import type { MachineViewProps, ModelInMemory, ProcessRow } from '../../widgets/machine-view.js';
import { formatCountdown, formatPercentNumber, formatSpeed } from '../../widgets/text/format.js';
import type { Turn } from '../domain/chat.js';
import type { GpuProcess, MachineDetail } from '../domain/hardware.js';
import type { Model } from '../domain/model.js';
import { machineOfBackend, readingsOf, shownMachine } from '../state/machines.js';
import { modelByKey, type MachineReadings, type State } from '../state/state.js';
import { speedOf } from './figures.js';
import { selectMachine } from './select-machine.js';

/** Everything that is known of the machine of the selected model. */
export function selectMachineView(state: State): MachineViewProps {
  const machine = shownMachine(state);
  const { sample, detail, gpus } = readingsOf(state, machine);
  const loaded = state.models.backends
    .filter(({ info }) => machineOfBackend(state, info.id) === machine)
    .flatMap(({ info, models }) =>
      models
        .filter(({ loadState, remote }) => loadState === 'loaded' && !remote)
        .map((model) => ({ model, info })),
    );
  return {
    ...selectMachine(state),
    gpus: gpus.map((gpu) => ({
      ...gpu,
      clockMHz: gpu.clockMHz ?? null,
      memoryTemperatureC: gpu.memoryTemperatureC ?? null,
      users: (gpu.processes ?? []).map((process) => ({
        label: userLabel(process, detail, loaded),
        memoryBytes: process.memoryBytes,
      })),
    })),
    cores: sample?.cores ?? null,
    loads: [sample?.load1 ?? null, detail?.load5 ?? null, detail?.load15 ?? null],
    coresAllowed: detail?.coresAllowed ?? null,
    ioWait: detail?.ioWait ?? null,
    pressure: detail?.pressure ?? null,
    temperatures: detail?.temperatures ?? [],
    battery: detail?.battery ?? null,
    disks: detail?.disks ?? [],
    oomKills: detail?.oomKills ?? null,
    models: loaded.map(({ model, info }) => inMemory(model, info.title, state.at)),
    processes: detail?.processes?.map(processRow) ?? null,
  };
}

interface LoadedModel {
  readonly model: Model;
  readonly info: { readonly title: string; readonly url: string };
}

/** `ollama 4123 · qwen3:8b`: the model is named where the server of the process has just one in memory. */
function userLabel(
  process: GpuProcess,
  detail: MachineDetail | null,
  loaded: readonly LoadedModel[],
): string {
  const server = detail?.processes?.find(({ pid }) => pid === process.pid);
  const ports = server?.ports ?? [];
  const byPort = loaded.filter(({ info }) => ports.some((port) => info.url.endsWith(`:${port}`)));
  const byName = loaded.filter(({ info }) => process.name.toLowerCase().includes(info.title.toLowerCase()));
  const served = byPort.length > 0 ? byPort : byName;
  const [only] = served;
  const name = process.name || server?.name || 'program';
  const model = served.length === 1 && only ? only.model.label : (server?.model ?? null);
  return `${name} ${process.pid}${model === null || model.startsWith('sha256-') ? '' : ` · ${model}`}`;
}

function inMemory(model: Model, server: string, at: number): ModelInMemory {
  const { expiry } = model;
  const note =
    expiry === 'never'
      ? 'stays'
      : expiry === 'in-use'
        ? 'in use'
        : expiry === null
          ? ''
          : formatCountdown(Math.max(0, expiry.at - at));
  return { label: model.label, server, memoryBytes: model.memoryBytes, vramBytes: model.vramBytes, note };
}

function processRow(process: NonNullable<MachineDetail['processes']>[number]): ProcessRow {
  const { pid, name, ports, cpu, memoryBytes, mappedBytes } = process;
  return { pid, name, where: ports.map((port) => `:${port}`).join(' '), cpu, memoryBytes, mappedBytes };
}

/** The answers of this run that this machine gave, with their speed and the highest readings while they ran. */
export function answerMarks(state: State): readonly HistoryMark[] {
  const machine = shownMachine(state);
  const readings = readingsOf(state, machine);
  const { done, live } = state.chat;
  // Those of an earlier run have clocks of their own.
  const turns = [...done, ...(live ? [live] : [])].filter(({ startedMono }) => startedMono > 0);
  return turns
    .filter(({ modelKey }) => {
      const model = modelByKey(state, modelKey);
      return model !== null && machineOfBackend(state, model.backendId) === machine;
    })
    .map((turn) => ({
      fromMs: state.mono - turn.startedMono,
      toMs: turn.endedMono === null ? 0 : Math.max(1, state.mono - turn.endedMono),
      label: markLabel(turn, readings, state.mono),
    }));
}

function markLabel(turn: Turn, readings: MachineReadings, mono: number): string {
  const { perSecond, estimated } = speedOf(turn, turn.pieces, mono);
  const from = turn.startedMono;
  const to = turn.endedMono ?? mono;
  const parts = [
    perSecond === null ? '' : `${estimated ? '≈ ' : ''}${formatSpeed(perSecond)}`,
    peakText('CPU', peakIn(readings.cpuHistory, readings.sampleMonos, from, to)),
    peakText('GPU', peakIn(readings.gpuHistory, readings.gpuMonos, from, to)),
  ];
  return parts.filter((text) => text !== '').join(', ') || 'answer';
}

function peakText(name: string, peak: number | null): string {
  return peak === null ? '' : `${name} up to ${formatPercentNumber(peak)} %`;
}

function peakIn(
  history: readonly (number | null)[],
  monos: readonly number[],
  from: number,
  to: number,
): number | null {
  let peak: number | null = null;
  for (let i = history.length - 1; i >= 0; i--) {
    const mono = monos[i] ?? -Infinity;
    if (mono < from) break;
    const value = history[i] ?? null;
    if (mono <= to && value !== null) peak = Math.max(peak ?? 0, value);
  }
  return peak;
}
