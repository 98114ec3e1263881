import type { GpuProcess } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { startChildLines, type ChildLines } from './child-lines.js';
import { parseProcessRow, PROCESS_FIELDS } from './nvidia-rows.js';

export interface NvidiaProcesses {
  /** Asks from now on, soon and then every now and then. */
  start(file: string): void;
  stop(): void;
  /** The programs on a card as they were told last; undefined when that is not known. */
  on(gpuId: string): readonly GpuProcess[] | undefined;
}

const EVERY_MS = 10_000;
const ANSWER_MS = 10_000;
/** A question takes 20 ms on a desktop and seconds on machines with many cards: so many times its duration is the pause. */
const PAUSE_FACTOR = 100;
const MOST_PROCESSES = 256;

/**
 * The programs on the cards, by a question of its own: nvidia-smi cannot tell them together with the readings, and in a loop it says
 * nothing at all when there is none, which would look like silence.
 */
export function createNvidiaProcesses(ports: Ports, everyMs = EVERY_MS): NvidiaProcesses {
  const { clock, env } = ports;
  let wanted: string | null = null;
  let running: { child: ChildLines | null } | null = null;
  let cancel: (() => void) | null = null;
  let told: ReadonlyMap<string, readonly GpuProcess[]> | null = null;

  function ask(): void {
    cancel?.();
    cancel = null;
    if (wanted === null || running) return;
    const run: { child: ChildLines | null } = { child: null };
    running = run;
    const began = clock.monotonic();
    const found = new Map<string, GpuProcess[]>();
    const cancelWait = clock.after(ANSWER_MS, () => run.child?.stop());
    const onEnd = (good: boolean): void => {
      running = null;
      cancelWait();
      told = good ? found : null;
      if (wanted === null) return;
      cancel = clock.after(Math.max(everyMs, PAUSE_FACTOR * (clock.monotonic() - began)), ask);
    };
    startChildLines({
      file: wanted,
      args: [`--query-compute-apps=${PROCESS_FIELDS}`, '--format=csv,noheader,nounits'],
      env,
      onLine(line) {
        const row = parseProcessRow(line);
        if (!row) return;
        const all = found.get(row.gpu) ?? [];
        if (all.length < MOST_PROCESSES) all.push(row.process);
        found.set(row.gpu, all);
      },
      onEnd: (end) => onEnd(end.exitCode === 0),
    }).then(
      (child) => {
        run.child = child;
        if (wanted === null) child.stop();
      },
      () => onEnd(false),
    );
  }

  return {
    start(file) {
      if (wanted === file) return;
      wanted = file;
      cancel = clock.after(0, ask);
    },
    stop() {
      wanted = null;
      told = null;
      cancel?.();
      cancel = null;
      running?.child?.stop();
    },
    on: (gpuId) => (told === null ? undefined : (told.get(gpuId) ?? [])),
  };
}
