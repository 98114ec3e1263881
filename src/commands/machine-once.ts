import { builtProgram } from '../built-program.js';
import type { GpuSample, MachineDetail, MachineSample, SourceState } from '../domain/hardware.js';
import { existingFolder } from '../files.js';
import { createMachinePoller } from '../hardware/poller.js';
import type { ProbeReport } from '../hardware/probe.js';
import type { Ports } from '../ports.js';

/** Readings of this machine, taken once. Null: not told in time. */
export interface MachineLook {
  readonly sample: MachineSample | null;
  readonly detail: MachineDetail | null;
  readonly gpus: readonly GpuSample[];
  /** Sources that do not work: `nvidia` → why, and what to do where that is known. */
  readonly failed: Readonly<Record<string, { readonly reason: string; readonly hint: string | null }>>;
}

/** Shares of processor time are differences: two samples so far apart. */
const APART_MS = 300;
/** A driver that wakes a card takes its time; who waits longer learns nothing more. */
const LONGEST_MS = 4000;

/** Where it comes within a second, and not after programs have been run for it. */
const TELLS_DETAIL: ReadonlySet<string> = new Set(['linux']);

export interface LookOptions {
  /** Processor, memory and disk; false: the cards alone. */
  readonly machine: boolean;
  readonly gpu: boolean;
  /** Folder that holds proc/ and sys/; a test gives a tree of its own. */
  readonly root?: string;
}

/** Runs the probes of the dashboard until each has told its part, at most some seconds. `folder`: where lmapp keeps its data. */
export function lookAtMachine(
  ports: Ports,
  folder: string,
  { machine, gpu, root = '/' }: LookOptions,
): Promise<MachineLook> {
  return new Promise((resolve) => {
    let sample: MachineSample | null = null;
    let detail: MachineDetail | null = null;
    let gpus: readonly GpuSample[] = [];
    const states = new Map<string, SourceState>();
    const poller = createMachinePoller({
      ports,
      report: take,
      root,
      diskFolder: existingFolder(folder),
      childPath: builtProgram('facts-child.js'),
    });
    const stopWaiting = ports.clock.after(LONGEST_MS, end);

    function take(report: ProbeReport, source: string): void {
      if (report.type === 'machine') sample = report.sample;
      else if (report.type === 'detail') detail = report.detail;
      else if (report.type === 'gpus') gpus = report.gpus;
      else if (report.type === 'state') states.set(source, report.state);
      // A probe may tell at once, before the next one has said that it is asking.
      queueMicrotask(() => {
        if (isWhole()) end();
      });
    }

    function isWhole(): boolean {
      const hasMachine =
        typeof sample?.cpu === 'number' && (detail !== null || !TELLS_DETAIL.has(ports.platform));
      return (hasMachine || !machine) && [...states.values()].every(isSettled);
    }

    function end(): void {
      stopWaiting();
      poller.stop();
      const failed: Record<string, { reason: string; hint: string | null }> = {};
      for (const [source, state] of states)
        if (state.state === 'failed') failed[source] = { reason: state.reason, hint: state.hint ?? null };
        else if (state.state === 'probing')
          failed[source] = { reason: `no answer within ${LONGEST_MS / 1000} s`, hint: null };
      resolve({ sample, detail, gpus, failed });
    }

    poller.watch({ machine, gpu, intervalMs: APART_MS });
  });
}

function isSettled({ state }: SourceState): boolean {
  return state !== 'probing' && state !== 'unknown';
}
