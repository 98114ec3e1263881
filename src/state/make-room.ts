import { formatBytes, formatCount, formatTokens } from '../../widgets/text/format.js';
import { kvBytesPerToken } from '../domain/kv-cache.js';
import type { Model } from '../domain/model.js';
import { allocatedFor, estimateOf, shortageOf, type Shortage } from './context.js';
import type { Effect, RoomToCheck } from './effect.js';
import { backendById, type Question, type State, type Unsent } from './state.js';
import { askDetails, detailsId } from './model-life.js';
import { choice, openOverlay, withView } from './view.js';

/** What became of a message on its way out. */
export interface Room {
  readonly state: State;
  /** False: the user is asked first, and the message waits in `chat.unsent`. */
  readonly go: boolean;
  /** What was done to make room, to be said under the answer. */
  readonly notes: readonly string[];
}

/**
 * Looks whether a message goes into the context, and does or asks what the settings say when it would not. Where the server counts it
 * exactly, that is waited for.
 */
export function makeRoom(state: State, model: Model, unsent: Unsent, out: Effect[]): Room {
  if (isCounted(state, model)) return { state, go: true, notes: [] };
  const short = shortageOf(state, model, unsent.text);
  if (!short) return { state, go: true, notes: [] };
  return (
    roomBySettings(state, model, short, out) ?? {
      state: askForRoom(state, model, short, unsent, out),
      go: false,
      notes: [],
    }
  );
}

/** Whether its server counts a message before it reads it. */
function isCounted(state: State, model: Model): boolean {
  return backendById(state, model.backendId)?.info.features.promptCount === true;
}

/** What the count of a message is held against; null when it is not counted. */
export function countedAgainst(state: State, model: Model, text: string): RoomToCheck | null {
  if (!isCounted(state, model)) return null;
  return { contextTokens: allocatedFor(state, model), estimatedTokens: estimateOf(state, model, text) };
}

/** What `whenFull` says is done without a question; null when it asks or when that would not help. */
export function roomBySettings(state: State, model: Model, short: Shortage, out: Effect[]): Room | null {
  const { whenFull } = state.settings;
  if (whenFull === 'raise' && short.raiseTo !== null) return raised(state, model, short.raiseTo, out);
  if (whenFull === 'drop' && short.drop.length > 0) return dropped(state, short.drop);
  return null;
}

/** Asks for a larger context from now on; it is kept in the configuration. */
export function raised(state: State, model: Model, tokens: number, out: Effect[]): Room {
  const from = allocatedFor(state, model);
  const settings = { ...state.settings, contexts: { ...state.settings.contexts, [model.key]: tokens } };
  out.push({ type: 'settings.save', key: `contexts.${model.key}`, value: tokens });
  const note = `context raised from ${formatTokens(from)} to ${formatTokens(tokens)} tokens: this would not have fit`;
  return { state: { ...state, settings }, go: true, notes: [note] };
}

/** The oldest turns are not sent any more. */
export function dropped(state: State, ids: readonly string[]): Room {
  const chat = { ...state.chat, dropped: [...state.chat.dropped, ...ids] };
  const note = `left out to make room in the context: ${oldest(ids.length)}`;
  return { state: { ...state, chat }, go: true, notes: [note] };
}

/** The question; its first choice does nothing but give the text back. */
export function askForRoom(
  state: State,
  model: Model,
  short: Shortage,
  unsent: Unsent,
  out: Effect[],
): State {
  // The memory of a larger context is told by the shape of the model.
  const asked = short.raiseTo === null ? state : askDetails(state, model, out);
  const opened = openOverlay(asked, 'question', model.key, question(asked, model, short));
  return { ...opened, chat: { ...opened.chat, unsent } };
}

/** The open question, with what is known by now; what is focused in it stays. */
export function withNewQuestion(state: State, model: Model, short: Shortage): State {
  const top = state.view.overlays.at(-1);
  if (top?.id !== 'question' || top.subject !== model.key) return state;
  const next = { ...top, question: question(state, model, short) };
  return withView(state, { overlays: [...state.view.overlays.slice(0, -1), next] });
}

function question(state: State, model: Model, short: Shortage): Question {
  // A server that counts exactly would refuse it.
  const refused = !short.estimated && short.promptTokens >= (short.allocatedTokens ?? 0);
  return {
    title: refused ? 'The context is full' : 'This would not fit into the context',
    lines: [sizes(model, short), raiseLine(state, model, short), dropLine(short)].filter(
      (line) => line !== '',
    ),
    choices: [
      choice('e', 'shorten it: back into the message box', 'context.shorten'),
      ...(short.raiseTo === null
        ? []
        : [
            choice('r', `raise the context to ${formatTokens(short.raiseTo)}`, 'context.raise'),
            choice('a', 'raise it, and always when it is full', 'context.raise-always'),
          ]),
      ...(short.drop.length === 0
        ? []
        : [
            choice('d', `leave out ${oldest(short.drop.length)}`, 'context.drop'),
            choice('o', 'leave out the oldest, and always when it is full', 'context.drop-always'),
          ]),
      ...(refused ? [] : [choice('s', 'send all as it is', 'context.send-anyway')]),
    ],
  };
}

function sizes(model: Model, short: Shortage): string {
  const approx = short.estimated ? '≈ ' : '';
  const all = `${approx}${formatCount(short.promptTokens)} tokens`;
  const room =
    short.allocatedTokens === null
      ? 'a context of unknown size'
      : `a context of ${formatCount(short.allocatedTokens)}`;
  const reserve = formatCount(short.neededTokens - short.promptTokens);
  return `This chat with the message takes ${all}, and ${reserve} are kept for the answer; ${model.label} has ${room}.`;
}

function raiseLine(state: State, model: Model, short: Shortage): string {
  const backend = backendById(state, model.backendId)?.info;
  if (backend?.features.contextChoice !== true)
    return `${backend?.title ?? 'The server'} chooses the size of its context when it starts.`;
  if (short.raiseTo !== null) {
    const more = short.raiseTo - (short.allocatedTokens ?? 0);
    return `A context of ${formatCount(short.raiseTo)} takes ${memoryOf(state, model, more)} more memory, and the model is loaded anew.`;
  }
  return model.contextMax === null ? '' : `The model cannot have more than ${formatCount(model.contextMax)}.`;
}

function memoryOf(state: State, model: Model, tokens: number): string {
  const details = state.models.details.get(detailsId(model, model.key))?.details;
  const bytes = details ? kvBytesPerToken(details.facts) : null;
  return bytes === null ? formatBytes(null) : `≈ ${formatBytes(bytes * tokens)}`;
}

function dropLine({ drop, raiseTo }: Shortage): string {
  if (drop.length > 0) return 'What is left out stays in the chat, marked as not sent.';
  return raiseTo === null ? 'Leaving out earlier turns would not be enough.' : '';
}

function oldest(turns: number): string {
  return turns === 1
    ? 'the oldest question and its answer'
    : `the ${turns} oldest questions and their answers`;
}

/** A message that waits in the queue is not asked about while the user writes another one. */
export function wouldAsk(state: State, model: Model, text: string): boolean {
  if (isCounted(state, model)) return false;
  const short = shortageOf(state, model, text);
  return short !== null && roomBySettings(state, model, short, []) === null;
}
