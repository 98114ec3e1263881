import { THIS_MACHINE, type MachineId } from '../domain/hardware.js';
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
}

export interface MachineEffects {
  /** The readings of this machine are wanted, and of no other; null: of none. */
  watch(machine: MachineId | null, intervalMs: number): void;
  stop(): void;
}

/** Reads the machine that is shown: this one, or the one of a server elsewhere. What reads them is loaded when it is wanted. */
export function createMachineEffects(options: MachineEffectOptions): MachineEffects {
  const { ports, publish } = options;
  const pollers = new Map<MachineId, MachinePoller>();
  let wanted: { readonly machine: MachineId | null; readonly intervalMs: number } | null = null;
  let stopped = false;
  let loading = false;

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
        return options.gpu ? publish({ type: 'gpus.sampled', ...machine, gpus: report.gpus }) : undefined;
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
      for (const poller of pollers.values()) poller.stop();
    },
  };
}
