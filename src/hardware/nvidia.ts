import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GpuSample, SourceState } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { createLineSource, type LineSourceTiming } from './line-source.js';
import { asleepCard } from './no-readings.js';
import { createNvidiaProcesses } from './nvidia-processes.js';
import {
  fewerFields,
  FULL_FIELDS,
  parseGpuRow,
  stateOfEnd,
  withoutWakeUp,
  withSharedMemory,
} from './nvidia-rows.js';
import { findNvidiaSmi } from './nvidia-smi.js';
import type { Probe, ProbeReport } from './probe.js';
import { numberAfter } from './proc-files.js';
import { sleepingNvidia } from './sleeping-gpu.js';

export interface NvidiaProbeOptions {
  readonly ports: Ports;
  /** Folder that holds sys/ and proc/; a test gives a tree of its own. */
  readonly root?: string;
  readonly timing?: Partial<NvidiaTiming>;
}

export interface NvidiaTiming extends LineSourceTiming {
  /** Rows of one tick come within this. */
  readonly tickMs: number;
  readonly asleepMs: number;
  readonly processesMs: number;
}

const TIMING: NvidiaTiming = {
  // While a card wakes up; 15 s have been seen.
  firstAnswerMs: 20_000,
  staleMs: 5000,
  silenceMs: 20_000,
  tickMs: 150,
  asleepMs: 30_000,
  processesMs: 10_000,
};

/**
 * NVIDIA cards through one long-lived `nvidia-smi -l` child: a child per sample would cost a fork of this process each time and, on
 * machines with many cards, seconds of work.
 */
export function createNvidiaProbe(options: NvidiaProbeOptions): Probe {
  const { ports, root = '/' } = options;
  const { clock, platform } = ports;
  const timing = { ...TIMING, ...options.timing };
  let report: (report: ProbeReport) => void = () => undefined;
  let seconds = 1;
  let fields = FULL_FIELDS;
  let file = '';
  let names: ReadonlyMap<number, GpuSample> = new Map();
  let cancelTick: (() => void) | null = null;
  let cancelAsleep: (() => void) | null = null;
  /** With the first row it is live, but what it tells comes with the last row of the tick: first the cards, then that they are known. */
  let isTold = false;
  let heldBack: SourceState | null = null;
  const processes = createNvidiaProcesses(ports, timing.processesMs);
  const gpus = createGpuTicks((all) => {
    names = new Map(all.map((gpu) => [gpu.index, gpu]));
    report({ type: 'gpus', gpus: all.map(completed) });
    isTold = true;
    if (heldBack) report({ type: 'state', state: heldBack });
    heldBack = null;
  });
  const source = createLineSource({
    ports,
    name: 'nvidia-smi',
    timing,
    tell(state) {
      heldBack = state.state === 'live' && !isTold ? state : null;
      if (!heldBack) report({ type: 'state', state });
    },
    command() {
      const found = findNvidiaSmi(ports);
      if (found === null) return 'absent';
      file = found;
      const asleep = platform === 'linux' ? sleepingNvidia(root) : [];
      if (asleep.length > 0) {
        rest(asleep);
        return null;
      }
      gpus.begin();
      isTold = false;
      const args = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits', '-l', String(seconds)];
      return { file, args };
    },
    onLine(line) {
      const row = parseGpuRow(line, fields.split(',').length);
      if (!row) return 'noise';
      cancelTick?.();
      cancelTick = gpus.take(row) ? null : clock.after(timing.tickMs, () => gpus.flush());
      processes.start(file);
      return 'answer';
    },
    onEnd(end, answered) {
      cancelTick?.();
      processes.stop();
      const fewer = answered ? null : fewerFields(fields, end);
      if (fewer !== null) {
        fields = fewer;
        return 'again';
      }
      gpus.flush();
      return stateOfEnd(end);
    },
  });

  function completed(gpu: GpuSample): GpuSample {
    const on = processes.on(gpu.id);
    return withSharedMemory(on === undefined ? gpu : { ...gpu, processes: on }, () => machineBytes(root));
  }

  /** Cards that are switched off are shown so and looked at again later; a question would wake them. */
  function rest(asleep: readonly string[]): void {
    const cards = asleep.map((place, index) => {
      const known = names.get(index);
      return asleepCard(known?.id ?? `pci-${place}`, index, known?.name ?? 'NVIDIA GPU');
    });
    report({ type: 'gpus', gpus: cards });
    isTold = true;
    source.life.live();
    cancelAsleep = clock.after(timing.asleepMs, () => source.start(1000 * seconds));
  }

  return {
    id: 'nvidia',
    start(intervalMs, to) {
      report = to;
      cancelAsleep?.();
      seconds = Math.max(1, Math.round(intervalMs / 1000));
      source.start(1000 * seconds);
    },
    stop() {
      cancelTick?.();
      cancelAsleep?.();
      processes.stop();
      source.stop();
    },
  };
}

/** The machine's memory, for cards that have none of their own. */
function machineBytes(root: string): number | null {
  try {
    const kilobytes = numberAfter(fs.readFileSync(path.join(root, 'proc/meminfo'), 'latin1'), 'MemTotal:');
    return kilobytes === null ? null : kilobytes * 1024;
  } catch {
    return root === '/' ? os.totalmem() : null;
  }
}

interface GpuTicks {
  begin(): void;
  /** True when the row completed a tick, which was told. */
  take(gpu: GpuSample): boolean;
  /** Tells what has come of a tick. */
  flush(): void;
}

/**
 * Gathers the rows of one tick. It is complete when as many cards answered as last time; else when the numbers begin anew, or after a
 * moment of silence. Equal times cannot be relied on: a tick of 32 cards takes half a second.
 */
function createGpuTicks(tell: (gpus: readonly GpuSample[]) => void): GpuTicks {
  let rows: GpuSample[] = [];
  let known = 0;
  const seen = new Set<string>();
  function flush(): void {
    if (rows.length === 0) return;
    known = rows.length;
    const complete = rows;
    rows = [];
    tell(complete);
  }
  return {
    begin() {
      rows = [];
      known = 0;
      seen.clear();
    },
    take(gpu) {
      const last = rows.at(-1);
      if (last && gpu.index <= last.index) flush();
      rows.push(seen.has(gpu.id) ? gpu : withoutWakeUp(gpu));
      seen.add(gpu.id);
      if (rows.length !== known) return false;
      flush();
      return true;
    },
    flush,
  };
}
