import os from 'node:os';
import type { MachineSample } from '../domain/hardware.js';
import { untilBeat, type Clock } from '../ports.js';
import { openMemoryLimit } from './cgroup.js';
import { cpuShares, readCpu, wentBack, type CpuReading } from './cpu.js';
import { watchDisk } from './disk.js';
import { readMemory } from './memory.js';
import { netRates, readNet, type NetReading } from './network.js';
import type { Probe, ProbeReport } from './probe.js';
import { openProcFiles, type ProcFiles } from './proc-files.js';

export interface LinuxProbeOptions {
  readonly clock: Clock;
  /** Folder that holds proc/ and sys/; a test gives a tree of its own. */
  readonly root?: string;
  /** Folder whose disk is told; the home folder unless given. */
  readonly diskFolder?: string;
  readonly files?: ProcFiles;
}

/** Rates are told only between readings that are so far apart: below, ticks are too coarse; above, the machine slept. */
const SHORTEST_MS = 200;
const LONGEST_MS = 10_000;

/** Reads /proc and the cgroup of this process, once per interval; costs some 0.1 ms per sample. */
export function createLinuxProbe(options: LinuxProbeOptions): Probe {
  const { clock } = options;
  const files = options.files ?? openProcFiles(options.root ?? '/');
  const disk = watchDisk(options.diskFolder ?? os.homedir(), clock);
  const limitFor = openMemoryLimit(files);
  let cancel: (() => void) | null = null;
  let before: { readonly at: number; readonly cpu: CpuReading; readonly net: NetReading | null } | null =
    null;

  function sample(intervalMs: number): MachineSample | null {
    const at = clock.monotonic();
    const stat = files.read('proc/stat');
    const dev = files.read('proc/net/dev');
    const now = { at, cpu: readCpu(stat ?? ''), net: dev === null ? null : readNet(dev) };
    const elapsed = before ? at - before.at : 0;
    // After a sleep of the machine the difference tells nothing about now.
    const usable =
      before && elapsed >= SHORTEST_MS && elapsed <= Math.max(LONGEST_MS, 2 * intervalMs) ? before : null;
    before = now;
    if (usable && wentBack(usable.cpu, now.cpu)) return null;
    const loadavg = files.read('proc/loadavg');
    const load1 = loadavg === null ? NaN : Number.parseFloat(loadavg);
    return {
      ...cpuShares(usable?.cpu ?? null, now.cpu),
      ...readMemory(files, limitFor),
      load1: Number.isFinite(load1) ? load1 : null,
      diskFreeBytes: disk.free(),
      ...netRates(usable?.net ?? null, now.net, elapsed / 1000),
    };
  }

  return {
    id: 'machine',
    start(intervalMs: number, report: (report: ProbeReport) => void) {
      cancel?.();
      before = null;
      let live = false;
      const turn = (): void => {
        const taken = sample(intervalMs);
        if (taken) {
          if (!live) report({ type: 'state', state: { state: 'live' } });
          live = true;
          report({ type: 'machine', sample: taken });
        }
        cancel = clock.after(untilBeat(clock, intervalMs), turn);
      };
      report({ type: 'state', state: { state: 'probing' } });
      turn();
    },
    stop() {
      cancel?.();
      cancel = null;
    },
  };
}
