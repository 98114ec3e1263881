import type { Turn } from '../domain/chat.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { backendById, modelByKey, type State } from './state.js';

/** So long it is said that the server has stopped, too. */
const IDLE_SHOWN_MS = 6000;

/** What the server of a stopped answer does is kept with that answer. */
export function onAftermath(state: State, event: Stamped & { readonly type: 'turn.aftermath' }): State {
  const { done } = state.chat;
  const index = done.findLastIndex((turn) => turn.id === event.turnId);
  const turn = done[index];
  if (turn?.outcome !== 'cancelled') return state;
  const told: Turn = { ...turn, aftermath: event.aftermath };
  return {
    ...state,
    at: event.at,
    mono: event.mono,
    chat: { ...state.chat, done: done.with(index, told), aftermathMono: event.mono },
  };
}

/** A stopped answer is over at once; what the stop meant for its server is told a moment later. */
export function onLateNote(
  state: State,
  event: Stamped & { readonly type: 'turn.noted' },
  out: Effect[],
): State {
  const { done } = state.chat;
  const index = done.findLastIndex((turn) => turn.id === event.turnId);
  const turn = done[index];
  if (turn?.outcome !== 'cancelled') return state;
  const noted: Turn = { ...turn, notes: [...turn.notes, event.text] };
  out.push({ type: 'session.write', chatId: state.chat.id, turn: noted });
  return { ...state, chat: { ...state.chat, done: done.with(index, noted) } };
}

/** The last turn when it was stopped and its server goes on. */
export function goesOn(state: State): Turn | null {
  const last = state.chat.done.at(-1);
  return last?.aftermath?.state === 'working' && !state.chat.live ? last : null;
}

/** The key of the model that an unload would stop: the server of the stopped answer goes on and can unload. */
export function hardStop(state: State): string | null {
  const turn = goesOn(state);
  const model = turn && modelByKey(state, turn.modelKey);
  const entry = model && backendById(state, model.backendId);
  if (!model || !entry?.info.features.unload || entry.check.status.state === 'away') return null;
  return model.key;
}

/** `stopped, server idle` is said for a moment. */
export function isIdleNews(state: State): boolean {
  if (state.chat.live || state.chat.done.at(-1)?.aftermath?.state !== 'idle') return false;
  return state.mono - state.chat.aftermathMono < IDLE_SHOWN_MS;
}
