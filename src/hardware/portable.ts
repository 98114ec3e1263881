import type { Ports } from '../ports.js';
import { createLineSource, type LineSourceTiming } from './line-source.js';
import { readPortableLine } from './portable-lines.js';
import type { Probe, ProbeReport } from './probe.js';

export interface PortableProbeOptions {
  readonly ports: Ports;
  /** The program src/hardware/facts-child.ts as it was built. */
  readonly childPath: string;
  /** lmapp's own data, whose disk is told beside those of the models. */
  readonly dataFolder?: string;
  /** Runs the child; this Node unless given. */
  readonly node?: string;
  readonly timing?: Partial<LineSourceTiming>;
}

/** The first sample waits for the programs that are asked, some seconds at most. */
const TIMING: LineSourceTiming = { firstAnswerMs: 20_000, staleMs: 5000, silenceMs: 30_000 };
const LEAST_MS = 1000;

/**
 * Machines without /proc (macOS, Windows): a child of its own asks the system's programs and systeminformation, whose calls block up to
 * 140 ms and start further programs, each of which would cost this process a fork of its whole memory.
 */
export function createPortableProbe(options: PortableProbeOptions): Probe {
  const { ports, dataFolder } = options;
  let pollMs = LEAST_MS;
  let report: (report: ProbeReport) => void = () => undefined;
  const source = createLineSource({
    ports,
    name: 'the program that reads this machine',
    timing: { ...TIMING, ...options.timing },
    tell: (state) => report({ type: 'state', state }),
    command: () => ({
      file: options.node ?? process.execPath,
      args: [
        options.childPath,
        '--poll',
        String(pollMs),
        '--platform',
        ports.platform,
        ...(dataFolder === undefined ? [] : ['--data', dataFolder]),
      ],
    }),
    onLine(line) {
      const told = readPortableLine(line);
      if (!told) return 'noise';
      report(told);
      return told.type === 'machine' ? 'answer' : 'other';
    },
    onEnd: () => ({ state: 'failed', reason: 'the program that reads this machine ended' }),
  });
  return {
    id: 'machine',
    start(intervalMs, to) {
      report = to;
      pollMs = Math.max(LEAST_MS, intervalMs);
      source.start(pollMs);
    },
    stop: () => source.stop(),
  };
}
