import type {
  GpuSample,
  MachineDetail,
  MachineFacts,
  MachineId,
  MachineSample,
  MemoryCheck,
  SourceState,
} from '../domain/hardware.js';

/** Of the machines. `machine` absent: the one that this program runs on. */
export type MachineEvent =
  | { readonly type: 'hardware.sampled'; readonly machine?: MachineId; readonly sample: MachineSample }
  | { readonly type: 'hardware.detailed'; readonly machine?: MachineId; readonly detail: MachineDetail }
  | { readonly type: 'gpus.sampled'; readonly machine?: MachineId; readonly gpus: readonly GpuSample[] }
  /** Of this machine, now and then while its readings are not shown. */
  | { readonly type: 'memory.checked'; readonly check: MemoryCheck }
  | { readonly type: 'hardware.facts'; readonly machine?: MachineId; readonly facts: MachineFacts }
  | {
      readonly type: 'hardware.source';
      readonly machine?: MachineId;
      readonly source: string;
      readonly state: SourceState;
    };
