import { NEW_TURN, type FigureName, type Phase, type Turn, type Usage } from '../domain/chat.js';
import { appendText, EMPTY_TEXT, settledText } from '../domain/text.js';
import type { Stamped, StoredChat } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { emptyChat, modelByKey, backendById, type ChatState, type State } from './state.js';
import { contextTokensOf, withFoundTruncation, withoutLast } from './context.js';
import { makeRoom, wouldAsk } from './make-room.js';
import { messagesOf } from './messages.js';
import { withNotice } from './notices.js';

/** Figures of a running answer are refreshed this often; more would move numbers that nobody can read. */
const FIGURES_MS = 250;
const TITLE_CHARS = 60;

export interface StartOptions {
  /** Said under the answer. */
  readonly notes?: readonly string[];
  /** The turn that this one replaces; it is taken out when the message goes out. */
  readonly replaces?: string | null;
  /** The user has chosen what is done about a context that is too small. */
  readonly checked?: boolean;
}

/** Asks the selected model, which the caller has checked to be there; a question comes first when the message would not fit. */
export function startTurn(
  before: State,
  event: Stamped,
  text: string,
  out: Effect[],
  { notes = [], replaces = null, checked = false }: StartOptions = {},
): State {
  const model = modelByKey(before, before.models.selected);
  const backend = model && backendById(before, model.backendId);
  if (!model || !backend) return before;
  const free = withoutLast(before, replaces);
  const room = checked ? { state: free, go: true, notes } : makeRoom(free, model, { text, replaces }, out);
  if (!room.go) return { ...room.state, chat: { ...room.state.chat, done: before.chat.done } };
  const { state } = room;
  const turn: Turn = {
    id: `${state.idSeed}-${event.seq}`,
    prompt: text,
    askedAt: event.at,
    modelKey: model.key,
    modelLabel: model.label,
    backendTitle: backend.info.title,
    ...NEW_TURN,
    thinking: EMPTY_TEXT,
    answer: EMPTY_TEXT,
    phases: [{ phase: 'sending', mono: event.mono }],
    startedMono: event.mono,
    notes: room.notes,
    droppedTurns: state.chat.dropped,
  };
  const title = state.chat.title || titleOf(text);
  if (!state.chat.stored) out.push({ type: 'session.start', chatId: state.chat.id, title });
  out.push({ type: 'session.write', chatId: state.chat.id, turn });
  out.push({
    type: 'chat.start',
    turnId: turn.id,
    modelKey: model.key,
    // The whole conversation: made when it is sent, which a replay never does.
    get messages() {
      return messagesOf(state, text);
    },
    contextTokens: contextTokensOf(state, model),
    continues: false,
  });
  return {
    ...state,
    chat: { ...state.chat, title, stored: true, live: turn, shownPieces: 0, shownMono: event.mono },
    models: {
      ...state.models,
      chosen: true,
      recent: [model.key, ...state.models.recent.filter((k) => k !== model.key)].slice(0, 20),
    },
    view: { ...state.view, anchor: null },
  };
}

/** Folds the events of the running answer. Late events of an earlier one are ignored. */
export function updateTurn(state: State, event: Stamped, out: Effect[]): State {
  if (!('turnId' in event)) return state;
  const live = state.chat.live;
  if (!live || live.id !== event.turnId) return state;
  switch (event.type) {
    case 'turn.started':
      return state;
    case 'turn.queued':
      return withLive(state, {
        ...enterPhase(live, 'queued', event.mono),
        queuePosition: event.position ?? null,
        sources: withSources(live, ['queued'], event.source),
      });
    case 'turn.loading':
      return withLive(state, {
        ...enterPhase(live, 'loading', event.mono),
        loadProgress: event.progress,
        sources: withSources(live, ['loading'], event.source),
      });
    case 'turn.prefill':
      return withLive(state, {
        ...enterPhase(live, 'prefill', event.mono),
        prefill: event.progress,
        sources: withSources(live, ['prefill'], event.source),
      });
    case 'turn.reasoning.delta':
      return onDelta(state, live, event, out);
    case 'turn.text.delta':
      return onDelta(state, live, event, out);
    case 'turn.usage':
      return withLive(state, {
        ...live,
        usage: mergeUsage(live.usage, event.usage),
        sources: withSources(live, toldFigures(event.usage), event.source),
      });
    case 'turn.truncated':
      return withLive(state, { ...live, truncation: event.truncation });
    case 'turn.aftermath':
      return state;
    case 'turn.answered-by':
      return withLive(state, { ...live, answeredBy: event.name });
    case 'turn.noted':
      return withLive(state, { ...live, notes: [...live.notes, event.text] });
    case 'turn.ended':
      return onEnded(state, live, event, out);
  }
}

function onDelta(
  state: State,
  live: Turn,
  event: Stamped & { type: 'turn.text.delta' | 'turn.reasoning.delta' },
  out: Effect[],
): State {
  const thinking = event.type === 'turn.reasoning.delta';
  const phase: Phase = thinking ? 'thinking' : 'answering';
  const entered = live.phase === phase ? live : enterPhase(live, phase, event.mono);
  const turn: Turn = {
    ...entered,
    thinking: thinking ? appendText(live.thinking, event.text) : live.thinking,
    answer: thinking ? live.answer : appendText(live.answer, event.text),
    pieces: live.pieces + event.pieces,
    firstTokenMono: live.firstTokenMono ?? event.mono,
  };
  out.push({ type: 'session.write', chatId: state.chat.id, turn });
  const chat: ChatState = { ...state.chat, live: turn };
  if (event.mono - chat.shownMono < FIGURES_MS && chat.shownPieces > 0) return { ...state, chat };
  return {
    ...state,
    mono: event.mono,
    at: event.at,
    chat: { ...chat, shownPieces: turn.pieces, shownMono: event.mono },
  };
}

function onEnded(state: State, live: Turn, event: Stamped & { type: 'turn.ended' }, out: Effect[]): State {
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
      shownPieces: ended.pieces,
      shownMono: event.mono,
    },
  };
  return sendQueued(next, event, ended, out);
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
  return onEnded(
    state,
    live,
    {
      type: 'turn.ended',
      turnId: live.id,
      outcome: 'cancelled',
      reason: null,
      fault: null,
      seq: event.seq,
      at: event.at,
      mono: event.mono,
    },
    out,
  );
}

export function newChat(state: State, event: Stamped): State {
  return {
    ...state,
    chat: { ...emptyChat(`${state.idSeed}-${event.seq}`), chats: state.chat.chats },
    view: { ...state.view, anchor: null, pane: 'message' },
  };
}

export function openChat(state: State, event: Stamped, stored: StoredChat): State {
  const opened: State = {
    ...state,
    chat: {
      ...emptyChat(stored.id),
      title: stored.title,
      stored: true,
      done: stored.turns,
      dropped: stored.turns.at(-1)?.droppedTurns ?? [],
      chats: state.chat.chats,
    },
    view: { ...state.view, anchor: null, pane: 'message' },
  };
  if (stored.skippedLines === 0) return opened;
  const lines = stored.skippedLines === 1 ? '1 line' : `${stored.skippedLines} lines`;
  return withNotice(
    opened,
    event,
    'warn',
    `${lines} of this chat could not be read`,
    'They stay in its file.',
  );
}

function withLive(state: State, turn: Turn): State {
  return { ...state, chat: { ...state.chat, live: turn } };
}

function enterPhase(turn: Turn, phase: Phase, mono: number): Turn {
  if (turn.phase === phase) return turn;
  // A spread array has room for 17 more; a chat holds thousands of these.
  return { ...turn, phase, phases: turn.phases.concat({ phase, mono }) };
}

/** Later figures replace earlier ones; null says nothing. */
function mergeUsage(usage: Usage, more: Partial<Usage>): Usage {
  return { ...usage, ...Object.fromEntries(toldFigures(more).map((name) => [name, more[name]])) };
}

function toldFigures(usage: Partial<Usage>): readonly (keyof Usage)[] {
  return (Object.keys(usage) as (keyof Usage)[]).filter((name) => usage[name] !== null);
}

/** The very same object while nothing new is told: live figures come many times a second. */
function withSources(
  turn: Turn,
  names: readonly FigureName[],
  source: string | null | undefined,
): Turn['sources'] {
  if (!source || names.every((name) => turn.sources[name] === source)) return turn.sources;
  return { ...turn.sources, ...Object.fromEntries(names.map((name) => [name, source])) };
}

/** The first line of a message, shortened. */
export function titleOf(text: string): string {
  const line = (text.trim().split('\n', 1)[0] ?? '').trimEnd();
  return line.length > TITLE_CHARS ? line.slice(0, TITLE_CHARS - 1).trimEnd() + '…' : line;
}
