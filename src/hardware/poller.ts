import type { Ports } from '../ports.js';
import { createAmdProbe } from './amd.js';
import { createAppleProbe } from './apple.js';
import { createIntelProbe } from './intel.js';
import { createLinuxDetailProbe } from './linux-detail.js';
import { createLinuxProbe } from './linux.js';
import { mergeReports } from './merge-reports.js';
import { createNvidiaProbe } from './nvidia.js';
import { createPortableProbe } from './portable.js';
import type { Probe, ProbeReport } from './probe.js';

/** What of the machine is looked at, and how often. */
export interface MachineWatch {
  /** Processor, memory, disk and network are on the screen. */
  readonly machine: boolean;
  /** The cards are on the screen. */
  readonly gpu: boolean;
  readonly intervalMs: number;
}

/** All probes of this platform as one. */
export interface MachinePoller {
  /** What is shown now. Cheap to call again with the same. */
  watch(watch: MachineWatch): void;
  /** Ends all probes and their children; the poller is not used again. */
  stop(): void;
}

export interface MachinePollerOptions {
  readonly ports: Ports;
  /**
   * `source` is the probe's id, or of a state the part of it that it is about (`temperatures`); readings of several are told as those of
   * `machine` and `gpus`.
   */
  readonly report: (report: ProbeReport, source: string) => void;
  /** Folder that holds proc/ and sys/; '/' unless a test gives its own. */
  readonly root?: string;
  readonly diskFolder?: string;
  /** Ports of the known servers of this machine: their processes are told, whatever their names. */
  readonly serverPorts?: () => readonly number[];
  /** The built src/hardware/facts-child.ts; without it there are no readings where there is no /proc. */
  readonly childPath?: string;
  /** How long a child of a hidden pane lives on, see CHILD_LINGER_MS. */
  readonly lingerMs?: number;
  /** Instead of those for this platform. */
  readonly probes?: readonly PolledProbe[];
}

/** A probe and how the poller has to treat it. */
export interface PolledProbe {
  readonly probe: Probe;
  readonly shows: 'machine' | 'gpu';
  /** It runs a child, which costs more to start than to keep for a while. */
  readonly child: boolean;
}

/**
 * A child whose pane is hidden lives on for so long, its readings dropped, and a new interval reaches it only after so long: changing
 * a layout or looking at another window must not start nvidia-smi anew each time.
 */
const CHILD_LINGER_MS = 30_000;

/** Runs the probes of this platform for what is shown; nothing runs for what is hidden. */
export function createMachinePoller(options: MachinePollerOptions): MachinePoller {
  const { clock } = options.ports;
  const lingerMs = options.lingerMs ?? CHILD_LINGER_MS;
  const merge = mergeReports(clock, options.report);
  const runs = (options.probes ?? probesOf(options)).map((polled) => createRun(polled));

  function createRun({ probe, shows, child }: PolledProbe): {
    follow(watch: MachineWatch): void;
    stop(): void;
  } {
    /** The interval it runs at; null: it does not run. */
    let running: number | null = null;
    let visible = false;
    let wantedMs = 0;
    let cancelLinger: (() => void) | null = null;
    /** What it told last about itself and its parts, perhaps while nobody looked. */
    const states = new Map<string, ProbeReport>();

    function take(report: ProbeReport): void {
      const source = report.type === 'state' ? (report.source ?? probe.id) : probe.id;
      if (report.type === 'state') states.set(source, report);
      if (visible) merge.take(report, source);
    }

    function adapt(): void {
      cancelLinger = null;
      if (!visible) {
        if (running !== null) probe.stop();
        running = null;
      } else if (running !== wantedMs) {
        if (running !== null) probe.stop();
        running = wantedMs;
        probe.start(wantedMs, take);
      }
    }

    return {
      follow(watch) {
        const appears = watch[shows] && !visible;
        visible = watch[shows];
        wantedMs = watch.intervalMs;
        cancelLinger?.();
        cancelLinger = null;
        if (appears && running !== null) for (const [source, state] of states) merge.take(state, source);
        if (visible ? running === wantedMs : running === null) return;
        if (child && running !== null) cancelLinger = clock.after(lingerMs, adapt);
        else adapt();
      },
      stop() {
        visible = false;
        cancelLinger?.();
        adapt();
      },
    };
  }

  return {
    watch(watch) {
      for (const run of runs) run.follow(watch);
    },
    stop() {
      for (const run of runs) run.stop();
      merge.stop();
    },
  };
}

function probesOf(options: MachinePollerOptions): readonly PolledProbe[] {
  const { ports, root, diskFolder, childPath } = options;
  const place = root === undefined ? {} : { root };
  const data = diskFolder === undefined ? {} : { dataFolder: diskFolder };
  const nvidia: PolledProbe = { probe: createNvidiaProbe({ ports, ...place }), shows: 'gpu', child: true };
  if (ports.platform === 'linux') {
    const { clock, env } = ports;
    const machine = createLinuxProbe({ clock, ...place, ...(diskFolder !== undefined && { diskFolder }) });
    const detail = createLinuxDetailProbe({
      clock,
      env,
      ...place,
      ...data,
      ...(options.serverPorts && { serverPorts: options.serverPorts }),
    });
    return [
      { probe: machine, shows: 'machine', child: false },
      { probe: detail, shows: 'machine', child: false },
      nvidia,
      { probe: createAmdProbe({ ports, ...place }), shows: 'gpu', child: false },
      { probe: createIntelProbe({ ports, ...place }), shows: 'gpu', child: false },
    ];
  }
  const portable: readonly PolledProbe[] =
    childPath === undefined
      ? []
      : [{ probe: createPortableProbe({ ports, childPath, ...data }), shows: 'machine', child: true }];
  // macOS has had no NVIDIA driver since 10.14.
  if (ports.platform === 'darwin')
    return [...portable, { probe: createAppleProbe({ ports }), shows: 'gpu', child: true }];
  return [...portable, nvidia];
}
