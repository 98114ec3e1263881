import { appendLines, lineAt } from '../domain/log-ring.js';
import { timesOf } from '../domain/log-times.js';
import type { LogLine } from '../domain/log.js';
import { formatLogLine } from '../domain/log-text.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { tellLogWarnings } from './log-warnings.js';
import { withNotice } from './notices.js';
import { backendById, type LogsState, type State } from './state.js';

const KEPT_SOURCES = 32;

/** Folds log lines into the ring, and what happens to their sources. */
export function updateLogs(state: State, event: Stamped, out: Effect[]): State {
  switch (event.type) {
    case 'logs.appended':
      return tellLogWarnings(withLogs(state, appended(state.logs, event)), event, out);
    case 'logs.source':
      return onSource(state, event);
    case 'logs.closed':
      return withLogs(state, {
        opened: state.logs.opened.filter(({ name }) => name !== event.source),
        progress: without(state.logs.progress, event.source),
      });
    case 'logs.progressed':
      return withLogs(state, {
        progress: event.line
          ? new Map(state.logs.progress).set(event.source, event.line)
          : without(state.logs.progress, event.source),
      });
    case 'logs.picked':
      return onPicked(state, event, out);
    default:
      return state;
  }
}

function withLogs(state: State, change: Partial<LogsState>): State {
  return { ...state, logs: { ...state.logs, ...change } };
}

function appended(logs: LogsState, event: Stamped & { type: 'logs.appended' }): Partial<LogsState> {
  const { lines, skipped } = event;
  const names = new Set(lines.map(({ source }) => source));
  const lastTimes = new Map(logs.lastTimes);
  const times = new Array<number>(lines.length);
  // A batch is of one source but for our own tests and joined events.
  for (const name of names) {
    const own: number[] = [];
    for (const [i, line] of lines.entries()) if (line.source === name) own.push(i);
    const of = timesOf(
      own.map((i) => lines[i]).filter((line): line is LogLine => line !== undefined),
      lastTimes.get(name) ?? null,
      event.at,
      event.past === true,
    );
    for (const [at, i] of own.entries()) times[i] = of[at] ?? event.at;
    lastTimes.set(name, of.at(-1) ?? event.at);
  }
  while (lastTimes.size > KEPT_SOURCES) lastTimes.delete(lastTimes.keys().next().value ?? '');
  return {
    ring: appendLines(logs.ring, lines, skipped, times),
    sources: withNames(logs.sources, names),
    lastTimes,
  };
}

function withNames(sources: readonly string[], names: Iterable<string>): readonly string[] {
  const fresh = [...names].filter((name) => !sources.includes(name));
  return fresh.length === 0 ? sources : [...sources, ...fresh].slice(-KEPT_SOURCES);
}

/** Of a source that the user named it is told when it cannot be read; one that was found is only marked. */
function onSource(state: State, event: Stamped & { type: 'logs.source' }): State {
  const { source: name, place, asked, backendIds = [], state: status } = event;
  const entry = { name, place, asked, backendIds, status };
  const known = state.logs.opened.find((other) => other.name === name);
  const opened = known
    ? state.logs.opened.map((other) => (other.name === name ? entry : other))
    : [...state.logs.opened, entry];
  const next = withLogs(state, { opened, sources: withNames(state.logs.sources, [name]) });
  // A try that failed in the same way is no news.
  if (!asked || status.reason === null || status.reason === known?.status.reason) return next;
  return withNotice(next, event, 'warn', `log ${name}: ${status.reason}`, status.hint);
}

/** Copies lines as they stand on the screen. */
function onPicked(state: State, event: Stamped & { type: 'logs.picked' }, out: Effect[]): State {
  const lines = event.lines
    .map((number) => lineAt(state.logs.ring, number))
    .filter((line): line is LogLine => line !== undefined);
  if (lines.length === 0) return withNotice(state, event, 'info', 'there is no line to copy', null);
  const what = lines.length === 1 ? 'line of the log' : `${lines.length} lines of the log`;
  out.push({ type: 'clipboard.copy', text: lines.map(formatLogLine).join('\n'), what });
  return state;
}

/** Looks for the log of a server when it is listed, and again when it has come back: it may have been started in another way. */
export function followServerLogs(before: State, after: State, event: Stamped, out: Effect[]): void {
  switch (event.type) {
    case 'backend.found':
      if (event.backend.kind !== 'mock') out.push({ type: 'log.follow', backendId: event.backend.id });
      return;
    case 'server.started':
      // What it says while it starts, and why it ends, is there before it listens.
      out.push({ type: 'log.follow', backendId: event.backendId, file: event.logFile });
      return;
    case 'backend.removed':
      out.push({ type: 'log.unfollow', backendId: event.backendId });
      return;
    case 'backend.checked': {
      const was = backendById(before, event.backendId)?.check.status.state;
      const is = backendById(after, event.backendId)?.check.status.state;
      if (was === 'away' && is !== undefined && is !== 'away')
        out.push({ type: 'log.follow', backendId: event.backendId });
      return;
    }
    default:
  }
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
