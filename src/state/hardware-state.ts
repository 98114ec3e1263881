import type {
  GpuSample,
  MachineDetail,
  MachineFacts,
  MachineId,
  MachineSample,
  SourceState,
} from '../domain/hardware.js';
import type { PressureWatch } from './pressure.js';

/** Ten minutes at one a second. */
export const HISTORY_SAMPLES = 600;

/** What is known of one machine. */
export interface MachineReadings {
  readonly sample: MachineSample | null;
  readonly sampledMono: number | null;
  readonly gpus: readonly GpuSample[];
  readonly gpusMono: number | null;
  readonly detail: MachineDetail | null;
  readonly facts: MachineFacts | null;
  readonly sources: ReadonlyMap<string, SourceState>;
  /** Newest last; null is a gap. */
  readonly cpuHistory: readonly (number | null)[];
  readonly memoryHistory: readonly (number | null)[];
  /** When the samples of both were taken (monotonic). */
  readonly sampleMonos: readonly number[];
  /** Of the busiest GPU. */
  readonly gpuHistory: readonly (number | null)[];
  readonly gpuMonos: readonly number[];
}

export interface HardwareState {
  /** This machine, and those of servers elsewhere that were looked at. */
  readonly machines: ReadonlyMap<MachineId, MachineReadings>;
  readonly intervalMs: number;
  /** It was chosen by key, so that a battery does not change it. */
  readonly intervalChosen: boolean;
  /** The machine whose readings are wanted now; null: nothing of it is on the screen. */
  readonly watching: MachineId | null;
  /** What was seen and told of memory that is getting short. */
  readonly pressure: ReadonlyMap<MachineId, PressureWatch>;
}

export const NO_READINGS: MachineReadings = {
  sample: null,
  sampledMono: null,
  gpus: [],
  gpusMono: null,
  detail: null,
  facts: null,
  sources: new Map(),
  cpuHistory: [],
  memoryHistory: [],
  sampleMonos: [],
  gpuHistory: [],
  gpuMonos: [],
};
