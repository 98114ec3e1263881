import type {
  GpuSample,
  MachineDetail,
  MachineFacts,
  MachineSample,
  SourceState,
} from '../domain/hardware.js';

/** What a probe reports; only what it knows. */
export type ProbeReport =
  | { readonly type: 'machine'; readonly sample: MachineSample }
  | { readonly type: 'detail'; readonly detail: MachineDetail }
  | { readonly type: 'gpus'; readonly gpus: readonly GpuSample[] }
  /** Only of remote machines; those of this one are read by facts.ts. */
  | { readonly type: 'facts'; readonly facts: MachineFacts }
  /** `source`: the part of the probe that it is about (`temperatures`); absent: the probe itself. */
  | { readonly type: 'state'; readonly source?: string; readonly state: SourceState };

/**
 * One source of readings. `start` begins to report and returns at once; a probe never throws, never blocks longer than 5 ms, never
 * overlaps itself, and stops its children in `stop`.
 */
export interface Probe {
  readonly id: string;
  start(intervalMs: number, report: (report: ProbeReport) => void): void;
  stop(): void;
}
