import { passes, type LogFilter } from '../domain/log-filter.js';
import { compilePattern } from '../domain/log-pattern.js';
import { placeText } from '../domain/log-place.js';
import { formatLogLine } from '../domain/log-text.js';
import { timesOf } from '../domain/log-times.js';
import { STARTING, type LogLevel, type LogLine, type LogSourceState } from '../domain/log.js';
import { EXIT, LmappError } from '../errors.js';
import type { LogSource } from '../logs/log-source.js';
import { openSource } from '../logs/open-source.js';
import type { CommandContext } from './command.js';
import { wantedLogs, type NamedLog } from './log-sources.js';
import { isOn, numberOf, textOf, type Arguments } from './options.js';
import { settingsFor } from './settings.js';
import { statusLine } from './status-line.js';

const DEFAULT_LINES = 100;
/** So many lines of each source are looked at for those that a filter lets through. */
const SEARCHED_LINES = { once: 100_000, follow: 20_000 } as const;
/** What was written before is gathered so long, to be put in order; what comes then is printed as it comes. */
const GATHER_MS = 700;
/** A source that has not answered by then is told of as it is. */
const PATIENCE_MS = 15_000;
const LIST_PATIENCE_MS = 4000;
/** A reader that is slower than the logs loses lines, not our memory. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

interface Reading {
  readonly log: NamedLog;
  state: LogSourceState;
  source: LogSource | null;
}

/** `lmapp logs`. Lines go to standard output, what concerns the sources to standard error. */
export async function readLogs(context: CommandContext, args: Arguments): Promise<number> {
  const { stdout, stderr, ports } = context;
  const { settings, problems } = settingsFor(context, args);
  for (const problem of problems) stderr.write(`lmapp: ${problem}\n`);
  const filter = filterOf(args);
  const json = isOn(args, 'json');
  const follow = isOn(args, 'follow');
  const most = numberOf(args, 'lines') ?? DEFAULT_LINES;
  const filtered = filter.pattern !== null || filter.level !== 'debug';
  const wanted = filtered ? Math.max(most, SEARCHED_LINES[follow ? 'follow' : 'once']) : most;
  const abort = new AbortController();
  let exitCode: number | null = null;
  const listeners = Object.entries(SIGNALS).map(([signal, code]) => {
    const listener = (): void => {
      exitCode ??= code;
      abort.abort();
    };
    process.once(signal, listener);
    return () => process.off(signal, listener);
  });
  const aborted = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
  const status = statusLine(stderr);
  const readings: Reading[] = [];
  let lost = 0;

  function print(lines: readonly LogLine[]): void {
    if (lines.length === 0) return;
    if (stdout.writableLength > MOST_WAITING_BYTES) {
      lost += lines.length;
      return;
    }
    if (lost > 0) stderr.write(`lmapp: ${lost} lines were left out: they came faster than they were read\n`);
    lost = 0;
    stdout.write(lines.map((line) => `${json ? jsonOf(line) : formatLogLine(line)}\n`).join(''));
  }

  try {
    status.show('looking for logs');
    const logs = await Promise.race([wantedLogs(context, args, settings, abort.signal), aborted]);
    status.clear();
    if (!logs) return exitCode ?? EXIT.interrupted;
    if (isOn(args, 'list')) {
      await openAll(context, logs, readings, 'list', 1, () => undefined, aborted);
      stdout.write(json ? `${JSON.stringify(readings.map(asJson), null, 2)}\n` : tableOf(readings));
      return EXIT.ok;
    }
    let gathered: Timed[] | null = [];
    const lastTimes = new Map<string, number>();
    const searched = new Map<string, number>();
    const heard = new Set<string>();
    const take = ({ name, place }: NamedLog, lines: readonly LogLine[], skipped: number): void => {
      if (skipped > 0) stderr.write(`lmapp: ${skipped} lines of ${name} were skipped: too many at once\n`);
      heard.add(name);
      if (!gathered) return print(lines.filter((line) => passes(filter, line)));
      const times = timesOf(lines, lastTimes.get(name) ?? null, ports.clock.now(), true);
      lastTimes.set(name, times.at(-1) ?? 0);
      // Of a command all that it says is looked at.
      if (place.via !== 'command') searched.set(name, (searched.get(name) ?? 0) + lines.length);
      for (const [i, line] of lines.entries())
        if (passes(filter, line)) gathered.push({ line, time: times[i] ?? 0 });
      // Twice as many as are wanted at most; of equal times the order stays.
      if (gathered.length > 2 * most + 10_000) gathered = newest(gathered, most);
    };
    const reading = openAll(context, logs, readings, follow ? 'follow' : 'once', wanted, take, aborted);
    await (follow ? Promise.race([pause(context, GATHER_MS), aborted]) : reading);
    if (exitCode !== null) return exitCode;
    print(newest(gathered, most).map(({ line }) => line));
    const silent = readings.filter(({ log, state }) => state.state === 'following' && !heard.has(log.name));
    if (gathered.length === 0 && silent.length > 0)
      stderr.write(`lmapp: no line in ${silent.map(({ log }) => log.name).join(', ')}\n`);
    if (filtered && gathered.length < most)
      for (const [name, lines] of searched)
        if (lines >= wanted)
          stderr.write(`lmapp: of ${name} the last ${lines.toLocaleString('en')} lines were looked at\n`);
    gathered = null;
    if (follow) {
      await aborted;
      return exitCode ?? EXIT.interrupted;
    }
    return readings.some(({ state }) => state.state === 'following') ? EXIT.ok : EXIT.failure;
  } finally {
    status.clear();
    for (const remove of listeners) remove();
    for (const { source } of readings) source?.stop();
  }
}

interface Timed {
  readonly line: LogLine;
  readonly time: number;
}

/** By time; the order within a source stays, since its times never go back. */
function newest(gathered: readonly Timed[], most: number): Timed[] {
  const sorted = [...gathered].sort((a, b) => a.time - b.time);
  return most === 0 ? [] : sorted.slice(-most);
}

/** Opens all of them. Resolves when each was read to its end (`once`) or has told its state (`list`), or after some patience. */
function openAll(
  context: CommandContext,
  logs: readonly NamedLog[],
  readings: Reading[],
  how: 'once' | 'follow' | 'list',
  lines: number,
  take: (log: NamedLog, lines: readonly LogLine[], skipped: number) => void,
  aborted: Promise<void>,
): Promise<unknown> {
  const finished = logs.map((log) => {
    const reading: Reading = { log, state: STARTING, source: null };
    readings.push(reading);
    return new Promise<void>((resolve) => {
      reading.source = openSource({
        place: log.place,
        source: log.name,
        ports: context.ports,
        lines: Math.max(1, lines),
        once: how === 'once',
        onLines: (more, skipped) => take(log, more, skipped),
        onState(state) {
          reading.state = state;
          if (how !== 'list' && state.reason !== null)
            context.stderr.write(`lmapp: log ${log.name}: ${state.reason}. ${nextStep(state, how)}\n`);
          if (how === 'list' && state.state !== 'starting') resolve();
        },
        onDone: resolve,
      });
    });
  });
  const patience = pause(context, how === 'list' ? LIST_PATIENCE_MS : PATIENCE_MS);
  return Promise.race([Promise.all(finished), patience, aborted]);
}

function nextStep(state: LogSourceState, how: 'once' | 'follow' | 'list'): string {
  return how === 'once' && state.state === 'waiting'
    ? 'With --follow it is read as soon as there is something.'
    : (state.hint ?? '');
}

function pause({ ports }: CommandContext, ms: number): Promise<void> {
  return new Promise((resolve) => void ports.clock.after(ms, resolve));
}

/** Errors: LmappError with code 2 for an expression that cannot be used. */
function filterOf(args: Arguments): LogFilter {
  const grep = textOf(args, 'grep');
  const compiled = grep === null ? null : compilePattern(grep);
  if (compiled?.ok === false)
    throw new LmappError('usage', `--grep: ${compiled.reason}`, {
      hint:
        compiled.wrong === 'syntax'
          ? 'A sign that stands for itself has a \\ before it: \\( \\[ \\*'
          : 'Shorter and with fewer repeats; other tools can search behind a pipe: lmapp logs | grep …',
      exitCode: EXIT.usage,
    });
  return {
    level: (textOf(args, 'level') ?? 'debug') as LogLevel,
    source: null,
    pattern: compiled?.pattern ?? null,
    inverse: false,
  };
}

function jsonOf({ at, level, source, text, requestId }: LogLine): string {
  return JSON.stringify({
    at: at === null ? null : new Date(at).toISOString(),
    level,
    source,
    text,
    requestId: requestId ?? null,
  });
}

function asJson({ log, state }: Reading): Readonly<Record<string, unknown>> {
  return {
    name: log.name,
    place: placeText(log.place),
    state: state.state,
    reason: state.reason,
    nextStep: state.hint,
  };
}

function tableOf(readings: readonly Reading[]): string {
  const rows = readings.map(({ log, state }) => [log.name, state.state, placeText(log.place)]);
  const widths = [0, 1].map((i) => Math.max(0, ...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row, i) => {
      const { reason, hint } = readings[i]?.state ?? STARTING;
      const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      const indent = ' '.repeat((widths[0] ?? 0) + 2);
      return `${cells.trimEnd()}\n${reason === null ? '' : `${indent}${reason}. ${hint ?? ''}\n`}`;
    })
    .join('');
}
