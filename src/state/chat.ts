import { formatCount } from '../../widgets/text/format.js';
import { NEW_TURN, type Outcome, type Turn } from '../domain/chat.js';
import { faultFor } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { samplingOf } from '../domain/sampling.js';
import { EMPTY_TEXT, settledText } from '../domain/text.js';
import type { Stamped } from '../events/catalogue.js';
import { onAftermath, onLateNote } from './aftermath.js';
import { titleOf } from './chats.js';
import type { Effect, RoomToCheck } from './effect.js';
import { askedOf, awayFault, missingModel, nextModel, type NextModel } from './fallback.js';
import { heard } from './silence.js';
import { modelByKey, type State } from './state.js';
import { contextTokensOf, withFoundTruncation, withoutLast } from './context.js';
import { foldLive } from './live-turn.js';
import { countedAgainst, makeRoom, wouldAsk } from './make-room.js';
import { messagesOf } from './messages.js';
import { withNotice } from './notices.js';

export interface StartOptions {
  /** Said under the answer. */
  readonly notes?: readonly string[];
  /** The turn that this one replaces; it is taken out when the message goes out. */
  readonly replaces?: string | null;
  /** The user has chosen what is done about a context that is too small. */
  readonly checked?: boolean;
}

/**
 * Asks the selected model; a question comes first when the message would not fit. The caller has checked that there is a model, or
 * somewhere to fall back to.
 */
export function startTurn(
  before: State,
  event: Stamped,
  text: string,
  out: Effect[],
  { notes = [], replaces = null, checked = false }: StartOptions = {},
): State {
  const model = modelByKey(before, before.models.selected);
  const free = withoutLast(before, replaces);
  if (!model) {
    const missing = missingModel(before);
    return missing
      ? askModel(free, event, text, { ...missing, fellBackFrom: [], notes, room: null }, out)
      : before;
  }
  // With somewhere to go, a server that is known to be away is not waited for.
  const fault = before.settings.fallback.length > 0 ? awayFault(before, model.key) : null;
  const unsent = { text, replaces };
  const room = checked || fault ? { state: free, go: true, notes } : makeRoom(free, model, unsent, out);
  if (!room.go) return { ...room.state, chat: { ...room.state.chat, done: before.chat.done } };
  const asking = {
    asked: askedOf(before, model),
    fault,
    fellBackFrom: [],
    notes: room.notes,
    room: checked ? null : countedAgainst(room.state, model, text),
  };
  const replaced = free === before ? null : (before.chat.done.at(-1) ?? null);
  const next = askModel(withUsed(room.state, model.key), event, text, asking, out);
  return next.chat.live ? { ...next, chat: { ...next.chat, replaced } } : next;
}

function withUsed(state: State, key: string): State {
  const recent = [key, ...state.models.recent.filter((k) => k !== key)].slice(0, 20);
  return { ...state, models: { ...state.models, chosen: true, recent } };
}

/** Puts the question of an answer that could not start to the next model; the new answer takes the place of the failed one. */
export function fallBack(state: State, event: Stamped, turn: Turn, next: NextModel, out: Effect[]): State {
  const asking = { ...next, fault: null, notes: [], room: null };
  return askModel(withoutLast(state, turn.id), event, turn.prompt, asking, out);
}

interface Asking extends NextModel {
  /** Why it cannot start at all. */
  readonly fault: Fault | null;
  readonly notes: readonly string[];
  readonly room: RoomToCheck | null;
}

function askModel(state: State, event: Stamped, text: string, asking: Asking, out: Effect[]): State {
  const { asked, fellBackFrom, fault, notes, room } = asking;
  const nth = fellBackFrom.length > 0 ? `.${fellBackFrom.length}` : '';
  const turn: Turn = {
    ...NEW_TURN,
    ...asked,
    // One event may ask several models, one after the other.
    id: `${state.idSeed}-${event.seq}${nth}`,
    prompt: text,
    askedAt: event.at,
    thinking: EMPTY_TEXT,
    answer: EMPTY_TEXT,
    phases: [{ phase: 'sending', mono: event.mono }],
    startedMono: event.mono,
    fellBackFrom,
    notes,
    droppedTurns: state.chat.dropped,
    sampling: samplingOf(state.settings),
  };
  const title = state.chat.title || titleOf(text);
  if (!state.chat.stored) out.push({ type: 'session.start', chatId: state.chat.id, title });
  out.push({ type: 'session.write', chatId: state.chat.id, turn });
  const next: State = {
    ...state,
    chat: {
      ...state.chat,
      title,
      stored: true,
      live: turn,
      shownPieces: 0,
      shownMono: event.mono,
      silence: { ms: 0, mono: event.mono },
    },
    view: { ...state.view, anchor: null },
  };
  if (fault) return onEnded(next, turn, endOf(event, turn, 'failed', fault), out);
  const model = modelByKey(state, turn.modelKey);
  out.push({
    type: 'chat.start',
    turnId: turn.id,
    modelKey: turn.modelKey,
    // The whole conversation: made when it is sent, which a replay never does.
    get messages() {
      return messagesOf(state, text);
    },
    contextTokens: model && contextTokensOf(state, model),
    sampling: turn.sampling,
    goesOn: null,
    room,
  });
  return next;
}

/** Folds the events of the running answer. Late events of an earlier one are ignored. */
export function updateTurn(state: State, event: Stamped, out: Effect[]): State {
  if (!('turnId' in event)) return state;
  if (event.type === 'turn.aftermath') return onAftermath(state, event);
  const live = state.chat.live;
  if (event.type === 'turn.noted' && live?.id !== event.turnId) return onLateNote(state, event, out);
  if (!live || live.id !== event.turnId) return state;
  if (event.type === 'turn.held') return withoutHeld(state, live, event, out);
  if (event.type === 'turn.ended') return onEnded(state, live, event, out);
  return foldLive(heard(state, event), live, event, out);
}

type Ended = Stamped & { readonly type: 'turn.ended' };

function onEnded(state: State, live: Turn, event: Ended, out: Effect[]): State {
  const ended = withFoundTruncation(state, {
    ...live,
    thinking: settledText(live.thinking),
    answer: settledText(live.answer),
    outcome: event.outcome,
    endReason: event.reason,
    fault: event.fault,
    endedMono: event.mono,
  });
  out.push({ type: 'session.write', chatId: state.chat.id, turn: ended });
  const took = Math.round(event.mono - live.startedMono);
  out.push({
    type: 'log.write',
    level: event.fault ? 'error' : 'info',
    message: event.fault
      ? `answer ${event.outcome}: ${event.fault.message}`
      : `answer ${event.outcome} after ${took} ms`,
    fields: {
      model: live.modelLabel,
      backend: live.backendTitle,
      tokens: live.usage.answerTokens,
      firstTokenMs: live.firstTokenMono === null ? null : Math.round(live.firstTokenMono - live.startedMono),
      ms: took,
      outcome: event.outcome,
      turn: live.id,
      ...(event.fault ? { fault: event.fault } : {}),
    },
  });
  const backendId = modelByKey(state, live.modelKey)?.backendId;
  if (backendId) out.push({ type: 'models.refresh', backendId });
  const next: State = {
    ...state,
    at: event.at,
    mono: event.mono,
    chat: {
      ...state.chat,
      done: state.chat.done.concat(ended),
      live: null,
      replaced: null,
      shownPieces: ended.pieces,
      shownMono: event.mono,
    },
  };
  const elsewhere = state.settings.fallbackMode === 'auto' ? nextModel(next, ended) : null;
  return elsewhere ? fallBack(next, event, ended, elsewhere, out) : sendQueued(next, event, ended, out);
}

/**
 * Nothing of it was read: its text waits in `chat.unsent` for what the user chooses, and its file says what became of it. The answer that it
 * was to replace stands there again until then.
 */
function withoutHeld(state: State, live: Turn, event: Stamped & { type: 'turn.held' }, out: Effect[]): State {
  const { promptTokens, contextTokens } = event;
  const fault = faultFor('context-held', {
    words: `the chat takes ${formatCount(promptTokens)} tokens, and the context has ${formatCount(contextTokens)}`,
  });
  const held: Turn = { ...live, outcome: 'failed', fault, endedMono: event.mono };
  out.push({ type: 'session.write', chatId: state.chat.id, turn: held });
  const backendId = modelByKey(state, live.modelKey)?.backendId;
  // A model that was loaded for it has a context now.
  if (backendId) out.push({ type: 'models.refresh', backendId });
  const counted =
    promptTokens === null || contextTokens === null
      ? {}
      : { counted: { modelKey: live.modelKey, promptTokens, contextTokens } };
  const { replaced } = state.chat;
  const unsent = { text: live.prompt, replaces: replaced?.id ?? null, ...counted };
  const done = replaced ? state.chat.done.concat(replaced) : state.chat.done;
  const chat = { ...state.chat, done, live: null, replaced: null, unsent };
  return { ...state, at: event.at, mono: event.mono, chat };
}

/** The end of a turn that no server told. */
function endOf(event: Stamped, turn: Turn, outcome: Outcome, fault: Fault | null): Ended {
  const { seq, at, mono } = event;
  return { type: 'turn.ended', turnId: turn.id, outcome, reason: null, fault, seq, at, mono };
}

/** The next waiting message goes out after an answer; after a failure or a cancel it waits for the user. */
function sendQueued(state: State, event: Stamped, ended: Turn, out: Effect[]): State {
  const [first, ...rest] = state.chat.queue;
  if (first === undefined) return state;
  if (ended.outcome !== 'complete' && ended.outcome !== 'incomplete')
    return withNotice(
      state,
      event,
      'info',
      `${state.chat.queue.length} waiting not sent`,
      'Up takes a waiting message back, Enter sends.',
    );
  const model = modelByKey(state, state.models.selected);
  // A question that pops up under the fingers would be answered by what is being typed.
  if (model && wouldAsk(state, model, first))
    return withNotice(
      state,
      event,
      'warn',
      'the waiting message would not fit into the context: not sent',
      'Enter on an empty message asks what to do, Up takes it back.',
    );
  return startTurn({ ...state, chat: { ...state.chat, queue: rest } }, event, first, out);
}

/** Stops the running answer: it is over at once; what arrives later is ignored. */
export function cancelTurn(state: State, event: Stamped, out: Effect[]): State {
  const live = state.chat.live;
  if (!live) return state;
  out.push({ type: 'chat.cancel', turnId: live.id });
  out.push({ type: 'turn.watch', turnId: live.id, modelKey: live.modelKey });
  return onEnded(state, live, endOf(event, live, 'cancelled', null), out);
}
