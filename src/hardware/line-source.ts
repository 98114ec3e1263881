import type { SourceState } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { startChildLines, type ChildEnd, type ChildLines } from './child-lines.js';
import { createSourceLife, type SourceLife } from './source-life.js';

export interface LineSourceTiming {
  /** The first answer may take so long. */
  readonly firstAnswerMs: number;
  /** Silence after an answer, at least, before its readings count as old; three intervals when that is more. */
  readonly staleMs: number;
  /** Silence after an answer, at least, before it is ended and started again; ten intervals when that is more. */
  readonly silenceMs: number;
  readonly backOffMs?: readonly number[];
}

export interface LineCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Its standard input. */
  readonly input?: string;
}

/** What the end of the child means; `again`: start it once more at once. */
export type LineEnd = 'again' | Extract<SourceState, { readonly state: 'absent' | 'failed' }>;

export interface LineSourceOptions {
  readonly ports: Ports;
  /** What it is called in reasons: `nvidia-smi`. */
  readonly name: string;
  readonly timing: LineSourceTiming;
  readonly tell: (state: SourceState) => void;
  /** What to run now, `absent` when it is not installed, or null when it must not run now; asked again by `start` only. */
  command(): LineCommand | 'absent' | null;
  /** `answer`: a reading or a part of one; `other`: something that is neither a reading nor noise. */
  onLine(line: string): 'answer' | 'other' | 'noise';
  onEnd(end: ChildEnd, answered: boolean): LineEnd;
}

export interface LineSource {
  /** Begins, or begins again with another interval. */
  start(intervalMs: number): void;
  stop(): void;
  /** For a source that rests: says so, and what it is then. */
  readonly life: SourceLife;
}

const MOST_BAD_LINES = 20;

/**
 * A source that is one long-lived child which tells lines: started again when it ends, ended when it stays silent or tells only noise.
 * Never is a second one started while one is not reaped: one that hangs in a driver cannot be killed, and more would hang beside it.
 */
export function createLineSource(options: LineSourceOptions): LineSource {
  const { clock, env } = options.ports;
  const { timing, name } = options;
  const life = createSourceLife({
    clock,
    tell: options.tell,
    retry: launch,
    ...(timing.backOffMs && { backOffMs: timing.backOffMs }),
  });
  let intervalMs = 1000;
  let wanted = false;
  /** Started again while the child of before is on its way out. */
  let restarting = false;
  /** Ended by us; what it still says does not count. */
  let givenUp = false;
  let answered = false;
  let badLines = 0;
  /** Set from the start of a child until it is reaped. */
  let running: { child: ChildLines | null } | null = null;
  let cancelSilence: (() => void) | null = null;

  function launch(): void {
    restarting = false;
    if (!wanted) return;
    if (running) return life.failed(`${name} hangs and cannot be ended`);
    const command = options.command();
    if (command === null) return;
    if (command === 'absent') return life.absent();
    life.probing();
    answered = false;
    givenUp = false;
    badLines = 0;
    const run: { child: ChildLines | null } = { child: null };
    running = run;
    expectWithin(timing.firstAnswerMs);
    startChildLines({ ...command, env, onLine: takeLine, onEnd }).then(
      (child) => {
        run.child = child;
        // Stopped while execa was being loaded.
        if (!wanted || restarting || givenUp) child.stop();
      },
      (error: NodeJS.ErrnoException) =>
        onEnd({ exitCode: null, signal: null, code: error.code ?? 'failed', lastLines: [] }),
    );
  }

  function expectWithin(ms: number): void {
    cancelSilence?.();
    cancelSilence = clock.after(ms, () => giveUp(`${name} does not answer`));
  }

  function giveUp(why: string): void {
    givenUp = true;
    cancelSilence?.();
    life.failed(why);
    running?.child?.stop();
  }

  function takeLine(line: string): void {
    if (!wanted || restarting || givenUp || line.trim() === '') return;
    const kind = options.onLine(line);
    if (kind === 'noise') {
      badLines++;
      // Warnings stand between good lines; only nothing but noise is a fault.
      if (badLines >= MOST_BAD_LINES) giveUp(`${name} tells nothing that can be read`);
      return;
    }
    badLines = 0;
    if (kind === 'other') return;
    answered = true;
    life.live(Math.max(timing.staleMs, 3 * intervalMs));
    expectWithin(Math.max(timing.silenceMs, 10 * intervalMs));
  }

  function onEnd(end: ChildEnd): void {
    running = null;
    cancelSilence?.();
    if (!wanted) return;
    if (restarting) return launch();
    // Told when it was given up, with its next try.
    if (givenUp) return;
    const meaning = options.onEnd(end, answered);
    if (meaning === 'again') launch();
    else if (meaning.state === 'absent') life.absent();
    else life.failed(meaning.reason, meaning.hint);
  }

  return {
    life,
    start(ms) {
      intervalMs = ms;
      wanted = true;
      if (!running) return launch();
      restarting = true;
      running.child?.stop();
      life.probing();
      // One that cannot be ended is told at last.
      cancelSilence?.();
      cancelSilence = clock.after(timing.firstAnswerMs, launch);
    },
    stop() {
      wanted = false;
      restarting = false;
      cancelSilence?.();
      life.stop();
      running?.child?.stop();
    },
  };
}
