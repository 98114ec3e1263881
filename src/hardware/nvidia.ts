import type { GpuSample, SourceState } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { startChildLines, type ChildEnd, type ChildLines } from './child-lines.js';
import { findExecutable } from './executable.js';
import {
  FULL_FIELDS,
  MINIMAL_FIELDS,
  parseGpuRow,
  refusesFields,
  stateOfEnd,
  withoutWakeUp,
} from './nvidia-rows.js';
import type { Probe, ProbeReport } from './probe.js';
import { nvidiaSleeps } from './sleeping-gpu.js';

export interface NvidiaProbeOptions {
  readonly ports: Ports;
  /** Folder that holds sys/; a test gives a tree of its own. */
  readonly root?: string;
  readonly timing?: Partial<NvidiaTiming>;
}

export interface NvidiaTiming {
  /** The first answer may take seconds while the card wakes up; 15 s have been seen. */
  readonly firstAnswerMs: number;
  /** Silence after an answer, at least; ten intervals when that is more. */
  readonly silenceMs: number;
  /** Pauses before it is started again. */
  readonly backOffMs: readonly number[];
  /** A run that lasted so long begins again with the shortest pause. */
  readonly goodRunMs: number;
  /** Rows of one tick come within this. */
  readonly tickMs: number;
  readonly asleepMs: number;
}

const TIMING: NvidiaTiming = {
  firstAnswerMs: 20_000,
  silenceMs: 20_000,
  backOffMs: [5000, 10_000, 30_000, 60_000],
  goodRunMs: 60_000,
  tickMs: 150,
  asleepMs: 30_000,
};

/** Places beside PATH: WSL puts it where ssh and sudo do not look. */
const FURTHER_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  linux: ['/usr/lib/wsl/lib'],
  win32: ['C:\\Windows\\System32'],
};
const MOST_BAD_LINES = 20;

/**
 * NVIDIA cards through one long-lived `nvidia-smi -l` child: a child per sample would cost a fork of this process each time and, on
 * machines with many cards, seconds of work. Never is a second one started while one is not reaped: one that hangs in the driver
 * cannot be killed, and more of them would hang beside it.
 */
export function createNvidiaProbe(options: NvidiaProbeOptions): Probe {
  const { clock, env, platform } = options.ports;
  const timing = { ...TIMING, ...options.timing };
  const gpus = createGpuTicks((all) => report({ type: 'gpus', gpus: all }));
  let report: (report: ProbeReport) => void = () => undefined;
  let seconds = 1;
  let wanted = false;
  /** Started again while the child of before is on its way out. */
  let restarting = false;
  let fields = FULL_FIELDS;
  let failures = 0;
  let badLines = 0;
  let reason: string | null = null;
  let startedAt = 0;
  let answered = false;
  /** Set from the start of a child until it is reaped. */
  let running: { child: ChildLines | null } | null = null;
  let cancelRetry: (() => void) | null = null;
  let cancelSilence: (() => void) | null = null;
  let cancelTick: (() => void) | null = null;

  function tell(state: SourceState): void {
    report({ type: 'state', state });
  }

  function launch(): void {
    cancelRetry?.();
    cancelRetry = null;
    restarting = false;
    if (!wanted || running) return;
    const file = findExecutable('nvidia-smi', env, platform, FURTHER_FOLDERS[platform]);
    if (file === null) return tell({ state: 'absent' });
    if (platform === 'linux' && nvidiaSleeps(options.root ?? '/')) {
      tell({ state: 'failed', reason: 'asleep to save power; not woken' });
      cancelRetry = clock.after(timing.asleepMs, launch);
      return;
    }
    tell({ state: 'probing' });
    answered = false;
    badLines = 0;
    reason = null;
    startedAt = clock.monotonic();
    gpus.begin();
    const run: { child: ChildLines | null } = { child: null };
    running = run;
    expectWithin(timing.firstAnswerMs);
    const args = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits', '-l', String(seconds)];
    startChildLines({ file, args, env, onLine: takeLine, onEnd }).then(
      (child) => {
        run.child = child;
        // Stopped while execa was being loaded.
        if (!wanted || restarting || reason !== null) child.stop();
      },
      (error: NodeJS.ErrnoException) =>
        onEnd({ exitCode: null, signal: null, code: error.code ?? 'failed', lastLines: [] }),
    );
  }

  function expectWithin(ms: number): void {
    cancelSilence?.();
    cancelSilence = clock.after(ms, () => giveUp('nvidia-smi does not answer'));
  }

  /** Ends the child; what comes then is decided when it is reaped. */
  function giveUp(why: string): void {
    reason = why;
    cancelSilence?.();
    tell({ state: 'failed', reason: why });
    running?.child?.stop();
  }

  function takeLine(line: string): void {
    if (!wanted || restarting || reason !== null || line.trim() === '') return;
    const row = parseGpuRow(line, fields.split(',').length);
    if (!row) {
      badLines++;
      // Warnings stand between good rows; only nothing but noise is a fault.
      if (badLines >= MOST_BAD_LINES) giveUp('nvidia-smi tells nothing that can be read');
      return;
    }
    badLines = 0;
    if (!answered) tell({ state: 'live' });
    answered = true;
    expectWithin(Math.max(timing.silenceMs, 10_000 * seconds));
    cancelTick?.();
    cancelTick = gpus.take(row) ? null : clock.after(timing.tickMs, () => gpus.flush());
  }

  function onEnd(end: ChildEnd): void {
    running = null;
    cancelSilence?.();
    cancelTick?.();
    if (!wanted) return;
    if (!answered && fields === FULL_FIELDS && refusesFields(end)) {
      fields = MINIMAL_FIELDS;
      return launch();
    }
    if (restarting) return launch();
    gpus.flush();
    const state: SourceState = reason === null ? stateOfEnd(end) : { state: 'failed', reason };
    tell(state);
    if (state.state === 'absent') return;
    failures = answered && clock.monotonic() - startedAt >= timing.goodRunMs ? 1 : failures + 1;
    const pause = timing.backOffMs[Math.min(failures, timing.backOffMs.length) - 1] ?? 60_000;
    cancelRetry = clock.after(pause, launch);
  }

  return {
    id: 'nvidia',
    start(intervalMs, to) {
      report = to;
      seconds = Math.max(1, Math.round(intervalMs / 1000));
      wanted = true;
      if (!running) return launch();
      restarting = true;
      running.child?.stop();
      tell({ state: 'probing' });
      expectWithin(timing.firstAnswerMs);
    },
    stop() {
      wanted = false;
      restarting = false;
      failures = 0;
      cancelRetry?.();
      cancelSilence?.();
      cancelTick?.();
      running?.child?.stop();
    },
  };
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
