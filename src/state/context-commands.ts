import type { Turn } from '../domain/chat.js';
import type { WhenFull } from '../domain/settings.js';
import type { Model } from '../domain/model.js';
import type { Stamped } from '../events/catalogue.js';
import { startTurn } from './chat.js';
import type { Command, Commands } from './command.js';
import { shortageOf, shortageOfCounted, shortageOfRefused, withoutLast, type Shortage } from './context.js';
import type { Effect } from './effect.js';
import { askForRoom, dropped, raised, roomBySettings, withNewQuestion, type Room } from './make-room.js';
import { withNotice } from './notices.js';
import { editPrompt } from './prompt.js';
import { modelByKey, type State, type Unsent } from './state.js';
import { withView } from './view.js';

/** What the user chooses when the context is full. They are about the message in `chat.unsent`. */
export const CONTEXT_COMMANDS: Commands = {
  'context.shorten': shorten,
  'context.raise': (state, event, out) => raise(state, event, out),
  'context.raise-always': (state, event, out) => raise(always(state, 'raise', out), event, out),
  'context.drop': (state, event, out) => drop(state, event, out),
  'context.drop-always': (state, event, out) => drop(always(state, 'drop', out), event, out),
  'context.send-anyway': (state, event, out) => resend(state, event, { state, go: true, notes: [] }, out),
  'context.choose': choose,
};

/** A server refused an answer because its context is full: what the settings say is done, or the user is asked. */
export function afterTurn(state: State, event: Stamped, out: Effect[]): State {
  if (event.type === 'turn.held') return onHeld(state, event, out);
  if (event.type !== 'turn.ended' || event.fault?.code !== 'context-full' || state.chat.live) return state;
  const refused = state.chat.done.at(-1);
  if (refused?.id !== event.turnId) return state;
  return onRefused(state, event, refused, out, state.prompt.text === '' && state.view.overlays.length === 0);
}

function onRefused(state: State, event: Stamped, refused: Turn, out: Effect[], mayAsk: boolean): State {
  const model = modelByKey(state, refused.modelKey);
  if (!model) return state;
  const unsent: Unsent = { text: refused.prompt, replaces: refused.id };
  const waiting: State = { ...state, chat: { ...state.chat, unsent } };
  return makeRoomFor(waiting, event, model, shortageOfRefused(state, model, refused), out, mayAsk);
}

/** It was counted before it was read. Afterwards nothing of it is in the chat but `chat.unsent`. */
function onHeld(state: State, event: Stamped & { type: 'turn.held' }, out: Effect[]): State {
  const model = modelByKey(state, state.models.selected);
  const short = shortageNow(state);
  if (state.chat.live || !model || !short) return state;
  const mayAsk = state.prompt.text === '' && state.view.overlays.length === 0;
  return makeRoomFor(state, event, model, short, out, mayAsk);
}

/** What the settings say, or a question about what waits in `chat.unsent`. */
function makeRoomFor(
  waiting: State,
  event: Stamped,
  model: Model,
  short: Shortage,
  out: Effect[],
  mayAsk: boolean,
): State {
  const { unsent } = waiting.chat;
  const room = model.key === waiting.models.selected ? roomBySettings(waiting, model, short, out) : null;
  if (room) return resend(room.state, event, room, out);
  if (mayAsk && unsent) return askForRoom(waiting, model, short, unsent, out);
  // A question that pops up under the fingers would be answered by what is being typed.
  return withNotice(
    waiting,
    event,
    'warn',
    `the context of ${model.label} is full`,
    '"make room in the context" in the menu (Ctrl+P) offers what can be done.',
  );
}

/** The details of a model are there: a question that is open about it says what a larger context takes. */
export function withDetailsInQuestion(state: State, event: Stamped): State {
  if (event.type !== 'model.detailed' || !state.chat.unsent) return state;
  const model = modelByKey(state, event.key);
  const short = shortageNow(state);
  return model && short ? withNewQuestion(state, model, short) : state;
}

/** Opens the question again for a message that still waits for room. */
function choose(state: State, event: Command, out: Effect[]): State {
  const short = shortageNow(state);
  const model = modelByKey(state, state.models.selected);
  if (!short || !model || !state.chat.unsent)
    return withNotice(state, event, 'info', 'no message waits for room in the context', null);
  return askForRoom(state, model, short, state.chat.unsent, out);
}

/** The same message may have another shortage now: turns ended, the model was changed. */
function shortageNow(state: State): Shortage | null {
  const { unsent, done } = state.chat;
  const model = modelByKey(state, state.models.selected);
  if (!unsent || !model) return null;
  // An answer that is to be replaced was not counted, and leaving it out makes no room.
  if (unsent.counted?.modelKey === model.key)
    return shortageOfCounted(withoutLast(state, unsent.replaces), model, unsent.counted);
  const last = done.at(-1);
  return last?.id === unsent.replaces && last?.fault?.code === 'context-full' && last.modelKey === model.key
    ? shortageOfRefused(state, model, last)
    : shortageOf(withoutLast(state, unsent.replaces), model, unsent.text);
}

function raise(state: State, event: Command, out: Effect[]): State {
  const model = modelByKey(state, state.models.selected);
  const to = shortageNow(state)?.raiseTo ?? null;
  const room = model && to !== null ? raised(state, model, to, out) : { state, go: true, notes: [] };
  return resend(room.state, event, room, out);
}

function drop(state: State, event: Command, out: Effect[]): State {
  const room = dropped(state, shortageNow(state)?.drop ?? []);
  return resend(room.state, event, room, out);
}

/** Sends what waited, in place of the turn that it was asked in before. */
function resend(state: State, event: Stamped, room: Room, out: Effect[]): State {
  const { unsent, live } = state.chat;
  if (!unsent || live) return state;
  const next: State = { ...state, chat: { ...state.chat, unsent: null } };
  const { replaces } = unsent;
  return startTurn(next, event, unsent.text, out, { notes: room.notes, replaces, checked: true });
}

/** The text goes back into the box; when something else is being written there, it waits in the queue instead. */
function shorten(state: State): State {
  const { unsent, queue } = state.chat;
  if (!unsent) return state;
  const free: State = { ...state, chat: { ...state.chat, unsent: null } };
  if (state.prompt.text.trim() !== '')
    return unsent.replaces === null
      ? { ...free, chat: { ...free.chat, queue: [unsent.text, ...queue] } }
      : free;
  const prompt = editPrompt(state.prompt, { op: 'set', text: unsent.text });
  return withView({ ...free, prompt }, { pane: 'message' });
}

function always(state: State, whenFull: WhenFull, out: Effect[]): State {
  out.push({ type: 'settings.save', key: 'whenFull', value: whenFull });
  return { ...state, settings: { ...state.settings, whenFull } };
}
