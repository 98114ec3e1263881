import type { ChatMessage, EarlierRuns, Turn } from '../domain/chat.js';
import { NO_USAGE } from '../domain/chat.js';
import { samplingOf } from '../domain/sampling.js';
import { wholeText } from '../domain/text.js';
import type { Stamped } from '../events/catalogue.js';
import { contextTokensOf } from './context.js';
import type { Effect } from './effect.js';
import { awayFault } from './fallback.js';
import { messagesOf } from './messages.js';
import { backendById, modelByKey, type State } from './state.js';

/** Asks a model to go on where a server cannot take up an assistant message. */
export const GO_ON =
  'Your last message was cut off. Go on exactly where it stopped: begin with the very next characters, repeat nothing of it, say nothing about this.';

/** It stopped before its end, and there is text to go on with. */
export function canContinue(turn: Turn): boolean {
  if (turn.outcome === null || turn.answer.length === 0) return false;
  return turn.outcome !== 'complete' || turn.endReason === 'length';
}

/**
 * Goes on with an answer that stopped: the same turn runs again and its text grows. Its own model goes on; the selected one when that is
 * gone or away. Only the last turn can go on. The caller has checked `canContinue`.
 */
export function continueTurn(state: State, event: Stamped, turn: Turn, out: Effect[]): State {
  const own = awayFault(state, turn.modelKey) === null ? modelByKey(state, turn.modelKey) : null;
  const model = own ?? modelByKey(state, state.models.selected);
  const backend = model && backendById(state, model.backendId);
  if (!model || !backend) return state;
  const { prefill } = backend.info.features;
  const by = model === own ? '' : ` by ${model.label}`;
  const way = prefill
    ? `gone on with${by}: the server took up the text so far`
    : `gone on with${by}: asked in words, so some of it may be said twice`;
  const live: Turn = {
    ...turn,
    phase: 'sending',
    phases: [{ phase: 'sending', mono: event.mono }],
    prefill: null,
    loadProgress: null,
    queuePosition: null,
    startedMono: event.mono,
    firstTokenMono: null,
    endedMono: null,
    usage: NO_USAGE,
    sources: {},
    requestId: null,
    outcome: null,
    endReason: null,
    sampling: samplingOf(state.settings),
    fault: null,
    aftermath: null,
    earlier: earlierRuns(turn),
    notes: turn.notes.includes(way) ? turn.notes : [...turn.notes, way],
  };
  const before: State = {
    ...state,
    chat: { ...state.chat, done: state.chat.done.filter((each) => each.id !== turn.id) },
  };
  out.push({ type: 'session.write', chatId: state.chat.id, turn: live });
  out.push({
    type: 'chat.start',
    turnId: turn.id,
    modelKey: model.key,
    get messages() {
      return messagesToGoOn(before, turn, prefill);
    },
    contextTokens: contextTokensOf(state, model),
    sampling: live.sampling,
    goesOn: prefill ? 'prefill' : 'words',
    room: null,
  });
  return {
    ...before,
    chat: {
      ...before.chat,
      live,
      shownPieces: turn.pieces,
      shownMono: event.mono,
      silence: { ms: 0, mono: event.mono },
    },
    view: { ...state.view, anchor: null },
  };
}

function messagesToGoOn(before: State, turn: Turn, prefill: boolean): readonly ChatMessage[] {
  const messages: ChatMessage[] = [
    ...messagesOf(before, turn.prompt),
    { role: 'assistant', content: wholeText(turn.answer) },
  ];
  return prefill ? messages : [...messages, { role: 'user', content: GO_ON }];
}

function earlierRuns({ earlier, pieces, usage, startedMono, endedMono }: Turn): EarlierRuns {
  const told = usage.answerTokens;
  const before = earlier ? earlier.answerTokens : 0;
  return {
    runs: (earlier?.runs ?? 0) + 1,
    pieces,
    answerTokens: told === null || before === null ? null : before + told,
    ms: (earlier?.ms ?? 0) + Math.max(0, (endedMono ?? startedMono) - startedMono),
  };
}
