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
  /** What sources say that do not work: `nvidia-smi` → why. */
  readonly problems: Readonly<Record<string, string>>;
}

/** Shares of processor time are differences: two samples so far apart. */
const APART_MS = 300;
/** A driver that wakes a card takes its time; who waits longer learns nothing more. */
const LONGEST_MS = 4000;

/** Where it comes within a second, and not after programs have been run for it. */
const TELLS_DETAIL: ReadonlySet<string> = new Set(['linux']);

/** Runs the probes of the dashboard until each has told its part, at most some seconds. */
export function lookAtMachine(ports: Ports, folder: string, gpu: boolean): Promise<MachineLook> {
  return new Promise((resolve) => {
    let sample: MachineSample | null = null;
    let detail: MachineDetail | null = null;
    let gpus: readonly GpuSample[] = [];
    const states = new Map<string, SourceState>();
    const poller = createMachinePoller({
      ports,
      report: take,
      diskFolder: existingFolder(folder),
      childPath: builtProgram('facts-child.js'),
    });
    const stopWaiting = ports.clock.after(LONGEST_MS, end);

    function take(report: ProbeReport, source: string): void {
      if (report.type === 'machine') sample = report.sample;
      else if (report.type === 'detail') detail = report.detail;
      else if (report.type === 'gpus') gpus = report.gpus;
      else if (report.type === 'state') states.set(source, report.state);
      const hasMachine =
        typeof sample?.cpu === 'number' && (detail !== null || !TELLS_DETAIL.has(ports.platform));
      if (hasMachine && [...states.values()].every(isSettled)) queueMicrotask(end);
    }

    function end(): void {
      stopWaiting();
      poller.stop();
      const problems: Record<string, string> = {};
      for (const [source, state] of states) if (state.state === 'failed') problems[source] = state.reason;
      resolve({ sample, detail, gpus, problems });
    }

    poller.watch({ machine: true, gpu, intervalMs: APART_MS });
  });
}

function isSettled({ state }: SourceState): boolean {
  return state !== 'probing' && state !== 'unknown';
}
