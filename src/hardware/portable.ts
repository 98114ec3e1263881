import type { MachineSample } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { startChildLines, type ChildLines } from './child-lines.js';
import type { Probe, ProbeReport } from './probe.js';

export interface PortableProbeOptions {
  readonly ports: Ports;
  /** The program src/hardware/facts-child.ts as it was built. */
  readonly childPath: string;
  /** Runs the child; this Node unless given. */
  readonly node?: string;
  readonly restartMs?: number;
}

const RESTART_MS = 30_000;

/**
 * Machines without /proc (macOS, Windows): systeminformation in a child of its own, because its calls block up to 140 ms and start
 * further programs, each of which would cost this process a fork of its whole memory.
 */
export function createPortableProbe(options: PortableProbeOptions): Probe {
  const { clock, env } = options.ports;
  let wanted = false;
  let running: { child: ChildLines | null } | null = null;
  let cancelRetry: (() => void) | null = null;
  let report: (report: ProbeReport) => void = () => undefined;
  let pollMs = 1000;

  function launch(): void {
    cancelRetry?.();
    if (!wanted || running) return;
    report({ type: 'state', state: { state: 'probing' } });
    const run: { child: ChildLines | null } = { child: null };
    running = run;
    let live = false;
    const onLine = (line: string): void => {
      const sample = readSample(line);
      if (!wanted || !sample) return;
      if (!live) report({ type: 'state', state: { state: 'live' } });
      live = true;
      report({ type: 'machine', sample });
    };
    const onEnd = (): void => {
      running = null;
      if (!wanted) return;
      report({
        type: 'state',
        state: { state: 'failed', reason: 'the program that reads this machine ended' },
      });
      cancelRetry = clock.after(options.restartMs ?? RESTART_MS, launch);
    };
    const args = [options.childPath, '--poll', String(pollMs)];
    startChildLines({ file: options.node ?? process.execPath, args, env, onLine, onEnd }).then((child) => {
      run.child = child;
      if (!wanted) child.stop();
    }, onEnd);
  }

  return {
    id: 'machine',
    start(intervalMs, to) {
      report = to;
      pollMs = Math.max(1000, intervalMs);
      wanted = true;
      launch();
    },
    stop() {
      wanted = false;
      cancelRetry?.();
      running?.child?.stop();
    },
  };
}

/** A sample as the child prints it; null for anything else. */
function readSample(line: string): MachineSample | null {
  try {
    const read: unknown = JSON.parse(line);
    if (typeof read !== 'object' || read === null || !('memoryTotalBytes' in read)) return null;
    const told = read as Readonly<Record<string, unknown>>;
    const number = (name: string): number | null => {
      const value = told[name];
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
    };
    const cores = told['cores'];
    return {
      cpu: number('cpu'),
      cores: Array.isArray(cores) && cores.every((core) => typeof core === 'number') ? cores : null,
      memoryUsedBytes: number('memoryUsedBytes'),
      memoryTotalBytes: number('memoryTotalBytes'),
      memoryLimited: false,
      swapUsedBytes: number('swapUsedBytes'),
      swapTotalBytes: number('swapTotalBytes'),
      load1: number('load1'),
      diskFreeBytes: number('diskFreeBytes'),
      netReceivedPerSecond: number('netReceivedPerSecond'),
      netSentPerSecond: number('netSentPerSecond'),
    };
  } catch {
    return null;
  }
}
