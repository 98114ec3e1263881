import type { Turn } from '../domain/chat.js';
import { THIS_MACHINE } from '../domain/hardware.js';
import type { LogLine } from '../domain/log.js';
import { timeAt } from '../domain/log-ring.js';
import { isInSpan } from '../domain/log-span.js';
import {
  LOG_WARNING_WORDS,
  MOST_KEPT_CHARS,
  warningIn,
  type KeptLogWarning,
  type LogWarning,
} from '../domain/log-warnings.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { machineOfBackend, readingsOf } from './machines.js';
import { withNotice } from './notices.js';
import { modelByKey, type LoggedLoad, type State } from './state.js';
import { spanOf } from './turn-log.js';

const OWN_LOG = 'lmapp';
/** Answers whose late lines still count: a log in a file is looked at once a second, and the next answer may have begun. */
const LATE_TURNS = 2;
const KEPT_LOADS = 4;
/** Many servers write the time in whole seconds. */
const WHOLE_SECOND_MS = 999;
/** Of a line in a notice; and so much may stand before what it says. */
const SHOWN_CHARS = 160;
const LEAD_CHARS = 24;
const LEAST_SHOWN_CHARS = 60;

type Appended = Stamped & { readonly type: 'logs.appended' };

/** Whatever concerns the request or the load that runs is told once of each kind, with the line, and kept with the answer. */
export function tellLogWarnings(state: State, event: Appended, out: Effect[]): State {
  const { chat, logs } = state;
  if (!chat.live && (event.past || (chat.done.length === 0 && logs.loads.length === 0))) return state;
  const first = logs.ring.end - event.lines.length;
  let next = state;
  for (const [i, line] of event.lines.entries()) {
    if (line.source === OWN_LOG || (event.past && !isOfNow(line, chat.live))) continue;
    const warning = warningIn(line);
    if (warning) next = onWarning(next, event, line, timeAt(logs.ring, first + i) ?? event.at, warning, out);
  }
  return next;
}

/** A log that is found after the question was sent is read from before: what it says since then is no less true. */
function isOfNow({ at }: LogLine, live: Turn | null): boolean {
  return at !== null && live !== null && at >= live.askedAt - WHOLE_SECOND_MS;
}

function onWarning(
  state: State,
  event: Appended,
  line: LogLine,
  time: number,
  warning: LogWarning,
  out: Effect[],
): State {
  const servers = state.logs.opened.find(({ name }) => name === line.source)?.backendIds ?? [];
  // Whose log it is that the user named, nobody knows: it may be of any server.
  const isOf = (backendId: string | null): boolean =>
    servers.length === 0 || (backendId !== null && servers.includes(backendId));
  const turn = turnAt(state, line, time, isOf);
  const load = turn ? null : loadAt(state, time, isOf);
  const about = turn ? (modelByKey(state, turn.modelKey)?.backendId ?? null) : (load?.backendId ?? null);
  if (warning.noLayers && !hasGpu(state, about)) return state;
  const { kind } = warning;
  if (turn) {
    if (turn.logWarnings.some((each) => each.kind === kind)) return state;
    const kept: KeptLogWarning = {
      kind,
      at: time,
      source: line.source,
      text: line.text.slice(0, MOST_KEPT_CHARS),
    };
    const logWarnings = [...turn.logWarnings, kept];
    const next = withTurn(state, { ...turn, logWarnings }, out);
    // The answer itself says so, with what can be done.
    if (kind === 'too-long' && turn.fault?.code === 'context-full') return next;
    return told(next, event, line, warning);
  }
  if (!load || load.told.includes(kind)) return state;
  const loads = state.logs.loads.map((each) =>
    each === load ? { ...load, told: [...load.told, kind] } : each,
  );
  const next: State = { ...state, logs: { ...state.logs, loads } };
  return told(next, event, line, warning);
}

function told(state: State, event: Appended, { source, text }: LogLine, warning: LogWarning): State {
  const { title, level, hint } = LOG_WARNING_WORDS[warning.kind];
  // A notice has one row: what a server writes before the words that matter does not fill it.
  const from = warning.start > LEAD_CHARS ? beginningAt(text, warning.start) : 0;
  const shown = text.slice(from, from + SHOWN_CHARS);
  const cut = `${from > 0 ? '…' : ''}${shown}${from + shown.length < text.length ? '…' : ''}`;
  return withNotice(state, event, level, `${title} (${source}): ${cut}`, `F4: its log. ${hint}`);
}

/** Where words stand at the end of a line (`…: CUDA error: out of memory`), those before them say what it was that happened. */
function beginningAt(text: string, start: number): number {
  const least = text.length - LEAST_SHOWN_CHARS;
  if (start <= least) return start;
  if (least <= LEAD_CHARS) return 0;
  const word = text.indexOf(' ', least) + 1;
  return word > 0 && word < start ? word : start;
}

/** The answer that was worked on at that time: the running one, or one that has just ended. */
function turnAt(
  state: State,
  { requestId }: LogLine,
  time: number,
  isOf: (backendId: string | null) => boolean,
): Turn | null {
  const { live, done } = state.chat;
  const turns = [...done.slice(-LATE_TURNS), ...(live ? [live] : [])].filter(
    (turn) =>
      isOf(modelByKey(state, turn.modelKey)?.backendId ?? null) &&
      isInSpan(spanOf(state, turn), time) &&
      !isOther(turn, requestId),
  );
  return turns.findLast((turn) => turn.askedAt <= time) ?? turns.at(-1) ?? null;
}

/** Two requests that are numbered in the same way. */
function isOther(turn: Turn, requestId: string | undefined): boolean {
  const own = turn.requestId;
  if (own === null || requestId === undefined || own === requestId) return false;
  const form = (id: string): string => id.slice(0, id.search(/[-\s]|$/));
  return form(own) === form(requestId);
}

function loadAt(state: State, time: number, isOf: (backendId: string | null) => boolean): LoggedLoad | null {
  return (
    state.logs.loads.findLast(
      ({ backendId, from, to }) => isOf(backendId) && isInSpan({ from, to, requestId: null }, time),
    ) ?? null
  );
}

function hasGpu(state: State, backendId: string | null): boolean {
  const machine = backendId === null ? THIS_MACHINE : machineOfBackend(state, backendId);
  return readingsOf(state, machine).gpus.length > 0;
}

function withTurn(state: State, turn: Turn, out: Effect[]): State {
  const { chat } = state;
  out.push({ type: 'session.write', chatId: chat.id, turn });
  if (chat.live?.id === turn.id) return { ...state, chat: { ...chat, live: turn } };
  const done = chat.done.map((each) => (each.id === turn.id ? turn : each));
  return { ...state, chat: { ...chat, done } };
}

/** Remembers when models were loaded: what is logged of a load that failed may come after its end. */
export function followLoads(before: State, state: State, event: Stamped): State {
  const { loading } = state.models;
  if (before.models.loading === loading) return state;
  const running = state.logs.loads.map((load) =>
    load.to === null && !loading.has(load.key) ? { ...load, to: event.at } : load,
  );
  const fresh = [...loading.keys()].flatMap((key): LoggedLoad[] => {
    const backendId = modelByKey(state, key)?.backendId;
    const known = running.some((load) => load.key === key && load.to === null);
    return known || backendId === undefined ? [] : [{ key, backendId, from: event.at, to: null, told: [] }];
  });
  return { ...state, logs: { ...state.logs, loads: [...running, ...fresh].slice(-KEPT_LOADS) } };
}
