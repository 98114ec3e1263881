import type { ChildProcess } from 'node:child_process';
import { FOLLOWING, type LogLine, type LogSourceState, STARTING } from '../domain/log.js';
import type { LogPlace } from '../domain/log-place.js';
import type { Clock, Environment } from '../ports.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { createLineIntake, type IntakeLimits, type LineIntake } from './line-intake.js';
import type { LogSink, LogSource } from './log-source.js';
import { createSeenLines } from './seen-again.js';
import { commandOf, type PlaceCommand } from './place-commands.js';
import { troubleInWords, troubleOfEnd, type SourceEnd } from './source-troubles.js';

export interface ChildSourceOptions extends LogSink {
  readonly place: Exclude<LogPlace, { readonly via: 'file' }>;
  readonly source: string;
  readonly clock: Clock;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** Lines of what was written before that are shown first. */
  readonly lines: number;
  /** Reads what is there and ends. */
  readonly once?: boolean;
  /** 0..1, for the jitter of the pauses. */
  readonly random?: () => number;
  readonly timing?: Partial<ChildTiming>;
  readonly limits?: Partial<IntakeLimits>;
}

export interface ChildTiming {
  /** Pauses before it is started again; the last one is used for ever. */
  readonly backOffMs: readonly number[];
  /** A run that lasted so long begins again with the shortest pause. */
  readonly goodRunMs: number;
  /** What comes first is of the past; and a child that runs so long without a complaint follows. */
  readonly settleMs: number;
  /** With `once`: silence after which nothing more is expected of a command that does not end. */
  readonly quietMs: number;
  readonly killAfterMs: number;
}

const TIMING: ChildTiming = {
  backOffMs: [1000, 2000, 5000, 10_000, 30_000, 60_000],
  goodRunMs: 60_000,
  settleMs: 1500,
  quietMs: 2000,
  killAfterMs: 2000,
};
const KEPT_WORDS = 12;
const LONGEST_WORDS = 300;

/**
 * One long-lived child that tells lines: journalctl, docker logs, ssh, a command. It is started again when it ends, with growing pauses
 * in which many dashboards do not knock at the same time, and goes on behind the last line where the place allows that.
 */
export function followChild(options: ChildSourceOptions): LogSource {
  const { place, clock } = options;
  const timing = { ...TIMING, ...options.timing };
  const random = options.random ?? Math.random;
  let stopped = false;
  let told = '';
  let failures = 0;
  let resumeAt: string | null = null;
  const isRemoteFile = place.via === 'ssh' && place.place.via === 'file';
  const seen = createSeenLines();
  let ranBefore = false;
  let cancelRetry: (() => void) | null = null;
  let running: { stop(): void } | null = null;

  function tell(state: LogSourceState): void {
    const words = `${state.state} ${state.reason ?? ''} ${state.nextTryMs ?? ''}`;
    if (words === told || stopped) return;
    told = words;
    options.onState(state);
  }

  function launch(): void {
    cancelRetry = null;
    if (stopped) return;
    if (told === '') tell(STARTING);
    const command = commandOf(
      place,
      { lines: options.lines, follow: options.once !== true, after: resumeAt },
      options.platform,
    );
    running = run(command);
  }

  function run(command: PlaceCommand): { stop(): void } {
    const startedAt = clock.monotonic();
    const said: string[] = [];
    function onLines(lines: readonly LogLine[], skipped: number, past: boolean): void {
      if (stopped) return;
      const texts = isRemoteFile ? lines.map(({ text }) => text) : [];
      const known = overlaps && past ? seen.again(texts) : 0;
      overlaps = false;
      seen.add(texts);
      const fresh = known > 0 ? lines.slice(known) : lines;
      if (fresh.length > 0 || skipped > 0) options.onLines(fresh, skipped, past);
    }
    const intake = createLineIntake({
      clock,
      sink: { ...options, onLines },
      source: options.source,
      after: resumeAt,
      whole: options.once === true,
      ...(command.envelope ? { envelope: command.envelope } : {}),
      ...(options.limits ? { limits: options.limits } : {}),
    });
    /** It begins some lines before its end each time; what was shown before the connection broke is not shown again. */
    let overlaps = isRemoteFile && ranBefore;
    ranBefore = true;
    let complained = false;
    let errorsAreLines = false;
    let child: ChildProcess | null = null;
    let ended = false;
    let cancelQuiet: (() => void) | null = null;
    const settled = (): boolean => clock.monotonic() - startedAt >= timing.settleMs;
    const cancelSettle = clock.after(timing.settleMs, () => {
      if (!ended && !complained) tell(FOLLOWING);
    });

    function take(bytes: Buffer, output: 'stdout' | 'stderr'): void {
      if (stopped) return;
      // Behind a pause everything that comes is new, but it was written at a time that is not known.
      intake.push(bytes, output, !settled());
      complained = false;
      tell(FOLLOWING);
      expectMore();
    }

    function listen(bytes: Buffer): void {
      for (const line of bytes.toString('utf8').split(/[\r\n]+/)) {
        const words = sanitizeLine(line).trim().slice(0, LONGEST_WORDS);
        if (words === '') continue;
        said.push(words);
        if (said.length > KEPT_WORDS) said.shift();
      }
      // tail says that a file has come.
      if (/has (?:appeared|become accessible)|following/.test(said.at(-1) ?? '')) {
        complained = false;
        said.length = 0;
        return tell(FOLLOWING);
      }
      const trouble = troubleInWords(place, said);
      if (!trouble) return;
      complained = true;
      tell({ ...trouble, nextTryMs: null });
    }

    function onEnd(end: Omit<SourceEnd, 'said'>): void {
      if (ended) return;
      ended = true;
      cancelSettle();
      cancelQuiet?.();
      running = null;
      finish(intake);
      if (stopped) return;
      const trouble = troubleOfEnd(place, { ...end, said });
      if (options.once === true) {
        const fine = end.code === null && end.exitCode === 0 && !complained;
        tell(fine ? FOLLOWING : { ...trouble, nextTryMs: null });
        return options.onDone?.();
      }
      again(trouble, clock.monotonic() - startedAt >= timing.goodRunMs, end.exitCode === 0);
    }

    function expectMore(): void {
      if (options.once !== true) return;
      cancelQuiet?.();
      cancelQuiet = clock.after(timing.quietMs, () => child && endGroup(child, 'SIGTERM'));
    }

    spawnLines(command, options.env, {
      started(fresh) {
        child = fresh;
        if (stopped) return endGroup(fresh, 'SIGTERM');
        expectMore();
      },
      out: (bytes) => take(bytes, 'stdout'),
      err: (bytes) => {
        errorsAreLines ||= command.bothOutputs && !isToolsOwn(command, bytes);
        if (errorsAreLines) take(bytes, 'stderr');
        else listen(bytes);
      },
      end: onEnd,
    });
    return {
      stop() {
        cancelSettle();
        cancelQuiet?.();
        if (!child || ended) return;
        const dying = child;
        endGroup(dying, 'SIGTERM');
        clock.after(timing.killAfterMs, () => !ended && endGroup(dying, 'SIGKILL'));
      },
    };
  }

  function finish(intake: LineIntake): void {
    intake.end();
    options.onProgress?.(null);
    resumeAt = intake.place ?? resumeAt;
  }

  function again(trouble: Omit<LogSourceState, 'nextTryMs'>, goodRun: boolean, wellEnded: boolean): void {
    const isCommand = place.via === 'command' || (place.via === 'ssh' && place.place.via === 'command');
    if (isCommand && wellEnded) return tell({ ...trouble, nextTryMs: null });
    failures = goodRun ? 1 : failures + 1;
    const base = timing.backOffMs[Math.min(failures, timing.backOffMs.length) - 1] ?? 60_000;
    const pause = Math.round(base * (0.8 + 0.4 * random()));
    tell({ ...trouble, nextTryMs: clock.now() + pause });
    cancelRetry = clock.after(pause, launch);
  }

  launch();
  return {
    stop() {
      stopped = true;
      cancelRetry?.();
      running?.stop();
    },
  };
}

interface ChildEars {
  readonly started: (child: ChildProcess) => void;
  readonly out: (bytes: Buffer) => void;
  readonly err: (bytes: Buffer) => void;
  readonly end: (end: Omit<SourceEnd, 'said'>) => void;
}

/**
 * Execa is loaded with the first child. The child leads a group of its own: the whole of it can be ended (a pipe of several programs),
 * Ctrl+C of the terminal does not reach it, and nothing in it (sudo, ssh) can ask for a password on the screen of the dashboard.
 */
function spawnLines(command: PlaceCommand, env: Environment, ears: ChildEars): void {
  import('execa').then(
    ({ execa }) => {
      const child = execa(command.file, command.args, {
        stdin: 'ignore',
        buffer: false,
        reject: false,
        cleanup: false,
        detached: process.platform !== 'win32',
        windowsHide: true,
        env: command.inEnglish ? { ...env, LC_ALL: 'C' } : { ...env },
        extendEnv: false,
      });
      const onProcessExit = (): void => endGroup(child, 'SIGTERM');
      process.once('exit', onProcessExit);
      const end = (exitCode: number | null, signal: string | null, code: string | null): void => {
        process.off('exit', onProcessExit);
        child.stdout?.destroy();
        child.stderr?.destroy();
        ears.end({ exitCode, signal, code });
      };
      child.stdout?.on('data', ears.out).on('error', () => undefined);
      child.stderr?.on('data', ears.err).on('error', () => undefined);
      child.once('error', (error: NodeJS.ErrnoException) => end(null, null, error.code ?? 'failed'));
      // `close` tells that all was read. It does not come while a grandchild holds a pipe, which an ended one may leave behind.
      child.once('close', (exitCode, signal) => end(exitCode, signal, null));
      child.once('exit', (exitCode, signal) => {
        const late = setTimeout(() => end(exitCode, signal, null), 500);
        late.unref();
      });
      void child.then((result) => {
        if (result.failed && child.pid === undefined) end(null, null, result.code ?? 'failed');
      });
      // Neither the child nor its pipes keep the program from ending.
      child.unref();
      if (child.pid !== undefined) ears.started(child);
    },
    () => ears.end({ exitCode: null, signal: null, code: 'failed' }),
  );
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

/** docker tells its own troubles where it also tells the container's standard error; lines of that begin with a time. */
function isToolsOwn({ envelope }: PlaceCommand, bytes: Buffer): boolean {
  return envelope === 'docker' && !/^\d{4}-\d\d-\d\dT/.test(bytes.toString('latin1', 0, 11));
}
