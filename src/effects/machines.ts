import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { THIS_MACHINE, type GpuSample, type MachineId } from '../domain/hardware.js';
import type { AppEvent } from '../events/catalogue.js';
import type { MachinePoller } from '../hardware/poller.js';
import type { ProbeReport } from '../hardware/probe.js';
import type { Ports } from '../ports.js';

export interface MachineEffectOptions {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  /** False: cards are not asked. */
  readonly gpu: boolean;
  readonly diskFolder: () => string;
  readonly serverPorts: () => readonly number[];
  /** The built src/hardware/facts-child.ts. */
  readonly childPath: string;
  /** Folder that holds proc/ and sys/ of this machine's memory; '/' unless a test gives its own. */
  readonly root?: string;
}

export interface MachineEffects {
  /** The readings of this machine are wanted, and of no other; null: of none. */
  watch(machine: MachineId | null, intervalMs: number): void;
  stop(): void;
}

const LONGEST_NAME = 200;

/** Memory is looked at so often while this machine's readings are not shown: what the kernel tells of waiting is over 10 s. */
const GUARD_MS = 10_000;

/** Reads the machine that is shown: this one, or the one of a server elsewhere. What reads them is loaded when it is wanted. */
export function createMachineEffects(options: MachineEffectOptions): MachineEffects {
  const { ports, publish } = options;
  const pollers = new Map<MachineId, MachinePoller>();
  let wanted: { readonly machine: MachineId | null; readonly intervalMs: number } | null = null;
  let stopped = false;
  let loading = false;
  let cancelGuard: (() => void) | null = null;
  if (ports.platform === 'linux') cancelGuard = ports.clock.after(GUARD_MS, () => void guard());

  /** A machine without memory must not stay unnoticed because its pane is hidden. */
  async function guard(): Promise<void> {
    const { openMemoryGuard } = await import('../hardware/memory-guard.js');
    const check = openMemoryGuard(options.root);
    const turn = (): void => {
      if (stopped) return;
      if (wanted?.machine !== THIS_MACHINE) publish({ type: 'memory.checked', check: check() });
      cancelGuard = ports.clock.after(GUARD_MS, turn);
    };
    turn();
  }

  async function follow(): Promise<void> {
    if (loading) return;
    loading = true;
    try {
      // What is wanted may have changed while it was loaded.
      while (!stopped && wanted && wanted.machine !== null && !pollers.has(wanted.machine)) {
        const { machine } = wanted;
        const poller = await create(machine);
        if (stopped) poller.stop();
        else pollers.set(machine, poller);
      }
    } finally {
      loading = false;
    }
    if (stopped || !wanted) return;
    for (const [machine, poller] of pollers) {
      const shown = machine === wanted.machine;
      poller.watch({ machine: shown, gpu: shown && options.gpu, intervalMs: wanted.intervalMs });
    }
  }

  async function create(machine: MachineId): Promise<MachinePoller> {
    const { createMachinePoller } = await import('../hardware/poller.js');
    const report = (told: ProbeReport, source: string): void => tell(machine, told, source);
    if (machine !== THIS_MACHINE) {
      const { remoteProbes } = await import('../hardware/remote-machine.js');
      return createMachinePoller({ ports, report, probes: remoteProbes(ports, machine) });
    }
    return createMachinePoller({
      ports,
      report,
      diskFolder: options.diskFolder(),
      serverPorts: options.serverPorts,
      childPath: options.childPath,
    });
  }

  function tell(id: MachineId, report: ProbeReport, source: string): void {
    if (stopped) return;
    const machine = id === THIS_MACHINE ? {} : { machine: id };
    switch (report.type) {
      case 'machine':
        return publish({ type: 'hardware.sampled', ...machine, sample: report.sample });
      case 'detail':
        return publish({ type: 'hardware.detailed', ...machine, detail: report.detail });
      case 'gpus':
        return options.gpu
          ? publish({ type: 'gpus.sampled', ...machine, gpus: report.gpus.map(cleaned) })
          : undefined;
      case 'facts':
        return publish({ type: 'hardware.facts', ...machine, facts: report.facts });
      case 'state':
        return publish({ type: 'hardware.source', ...machine, source, state: report.state });
    }
  }

  return {
    watch(machine, intervalMs) {
      wanted = { machine, intervalMs };
      void follow();
    },
    stop() {
      stopped = true;
      cancelGuard?.();
      for (const poller of pollers.values()) poller.stop();
    },
  };
}

/** The door for what programs and pages elsewhere call a card and what runs on it: no control characters, which would have no cell. */
function cleaned(gpu: GpuSample): GpuSample {
  const { processes } = gpu;
  return {
    ...gpu,
    name: sanitizeLine(gpu.name.slice(0, LONGEST_NAME)),
    ...(processes && {
      processes: processes.map((each) => ({ ...each, name: sanitizeLine(each.name.slice(0, LONGEST_NAME)) })),
    }),
  };
}
