import type { Turn } from '../domain/chat.js';
import { chosenContext } from '../domain/chosen-context.js';
import {
  countContext,
  isSent,
  messageTokens,
  turnTokens,
  type ContextCount,
} from '../domain/context-estimate.js';
import { fits, MOST_RESERVED_TOKENS, reserveIn } from '../domain/context-room.js';
import type { Model } from '../domain/model.js';
import { findTruncation, withUnread } from '../domain/truncation.js';
import { backendById, modelByKey, type Counted, type State } from './state.js';

/** Why a message would not go into the context, and what would help. */
export interface Shortage {
  /** Tokens of all that would be sent with what is reserved for the answer. */
  readonly neededTokens: number;
  /** Tokens of what would be sent, as far as told by the server. */
  readonly promptTokens: number;
  /** The figures are our estimate; else the server counted. */
  readonly estimated: boolean;
  /** Null: not told. */
  readonly allocatedTokens: number | null;
  /** A context that it would fit into and that the server can be asked for; null when there is none. */
  readonly raiseTo: number | null;
  /** The oldest turns without which it would fit; empty when that is not enough. */
  readonly drop: readonly string[];
}

/** The context that is asked for with every request of a model: the same for a whole chat, since another one loads it anew. */
export function contextTokensOf(state: State, model: Model): number | null {
  const info = backendById(state, model.backendId)?.info;
  return info ? chosenContext(state.settings.contexts, info, model) : null;
}

/** The context that the next request gets; null when the server does not tell. */
export function allocatedFor(state: State, model: Model): number | null {
  return contextTokensOf(state, model) ?? model.contextAllocated;
}

/** Tokens in the context after the last figures that a server told; null before the first ones. Another model counts in its own way. */
export function contextUsed(
  { live, done }: State['chat'],
  modelKey: string | null,
): { tokens: number | null; estimated: boolean } {
  if (live && live.usage.promptTokens !== null) return usedBy(live, 0, live.modelKey === modelKey);
  const told = lastTold(done);
  if (!told) return { tokens: null, estimated: false };
  const isAll = told.later === 0 && !live && told.newest;
  return usedBy(told.turn, told.later + (live?.pieces ?? 0), isAll && told.turn.modelKey === modelKey);
}

function usedBy(turn: Turn, later: number, exact: boolean): { tokens: number; estimated: boolean } {
  const { promptTokens, answerTokens } = turn.usage;
  // What was said before an answer was gone on with stands in the prompt.
  const own = answerTokens ?? turn.pieces - (turn.earlier?.pieces ?? 0);
  const tokens = (promptTokens ?? 0) + own + later;
  return { tokens, estimated: !exact || answerTokens === null };
}

interface Told {
  readonly turn: Turn;
  /** Pieces of the turns behind it: they stand in for their tokens. */
  readonly later: number;
  readonly newest: boolean;
}

const lastTold = remembered((done: readonly Turn[]): Told | null => {
  const at = done.findLastIndex((turn) => turn.usage.promptTokens !== null);
  const turn = done[at];
  if (!turn) return null;
  const later = done.slice(at + 1).reduce((sum, each) => sum + each.pieces, 0);
  return { turn, later, newest: at === done.length - 1 };
});

/** What the conversation takes before a new message, for the model that would answer it. */
export function countOf(state: State, model: Model): ContextCount {
  return countFor(state.chat.done, state.chat.dropped, state.settings.system, model.key);
}

/** Looked at with every key and every frame; made anew only when a turn ends or something else is sent. */
const countFor = remembered(
  (turns: readonly Turn[], dropped: readonly string[], system: string, modelKey: string) =>
    countContext({ turns, dropped, system, modelKey }),
);

/** Tokens of the next request as it is being typed, with what runs and waits before it; null while nothing is typed. */
export function nextTokens(state: State): number | null {
  const model = modelByKey(state, state.models.selected);
  const { text } = state.prompt;
  if (!model || text.trim() === '') return null;
  const count = countOf(state, model);
  const { live, queue } = state.chat;
  let tokens = count.tokens + messageTokens(text, count.tokensPerByte);
  for (const waiting of queue) tokens += messageTokens(waiting, count.tokensPerByte);
  if (live) {
    const known = live.modelKey === model.key ? live.usage.promptTokens : null;
    tokens += known === null ? messageTokens(live.prompt, count.tokensPerByte) : known - count.tokens;
    tokens += live.pieces;
  }
  return Math.round(tokens);
}

/** Whether a message would not fit behind the turns that ended. Null: it fits, or nobody can tell. */
export function shortageOf(state: State, model: Model, text: string): Shortage | null {
  const allocated = allocatedFor(state, model);
  if (allocated === null) return null;
  const prompt = estimateOf(state, model, text);
  return fits(prompt, allocated, state.settings.maxTokens)
    ? null
    : shortage(state, model, prompt, allocated, true);
}

/** The same of a message that was counted exactly for this model before it went out. */
export function shortageOfCounted(
  state: State,
  model: Model,
  { promptTokens, contextTokens }: Counted,
): Shortage {
  return shortage(state, model, promptTokens, contextTokens, false);
}

/** Tokens of the next request with this message, before its server counts them. */
export function estimateOf(state: State, model: Model, text: string): number {
  const count = countOf(state, model);
  return Math.round(count.tokens + messageTokens(text, count.tokensPerByte));
}

/** The same of a request that the server refused, by its own figures where it told them. */
export function shortageOfRefused(state: State, model: Model, refused: Turn): Shortage {
  const allocated = refused.fault?.contextTokens ?? allocatedFor(state, model);
  const told = refused.fault?.promptTokens ?? null;
  const estimate = estimateOf(state, model, refused.prompt);
  // It did not fit, so the estimate was too low.
  const prompt = told ?? Math.max(estimate, allocated ?? 0);
  return shortage(state, model, prompt, allocated, told === null);
}

function shortage(
  state: State,
  model: Model,
  promptTokens: number,
  allocated: number | null,
  estimated: boolean,
): Shortage {
  const reserve = reserveIn(allocated ?? MOST_RESERVED_TOKENS * 8, state.settings.maxTokens);
  const missing = allocated === null ? null : promptTokens + reserve - allocated;
  return {
    neededTokens: promptTokens + reserve,
    promptTokens,
    estimated,
    allocatedTokens: allocated,
    raiseTo: raisedContext(state, model, promptTokens + reserve, allocated),
    drop: oldestTurns(state, model, missing),
  };
}

/** At least twice as much, as a power of two; at most what the model can. */
function raisedContext(state: State, model: Model, needed: number, allocated: number | null): number | null {
  if (!backendById(state, model.backendId)?.info.features.contextChoice || allocated === null) return null;
  const asked = contextTokensOf(state, model);
  // It was asked for more and did not give it: asking again would go on for ever.
  if (asked !== null && asked > allocated) return null;
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(needed, allocated * 2)));
  const most = model.contextMax ?? wanted;
  const raised = Math.min(wanted, most);
  return raised > allocated && raised >= needed ? raised : null;
}

/** So many of the oldest turns that are still sent as hold the missing tokens; half of them when it is not known how much is missing. */
function oldestTurns(state: State, model: Model, missing: number | null): readonly string[] {
  const { done, dropped } = state.chat;
  const left = new Set(dropped);
  const sent = done.filter((turn) => isSent(turn) && !left.has(turn.id));
  if (missing === null) return sent.slice(0, Math.ceil(sent.length / 2)).map((turn) => turn.id);
  const { tokensPerByte } = countOf(state, model);
  const ids: string[] = [];
  let freed = 0;
  for (const turn of sent) {
    if (freed >= missing) break;
    freed += turnTokens(turn, tokensPerByte);
    ids.push(turn.id);
  }
  return freed >= missing ? ids : [];
}

/** The turn with what its figures say about a cut that the server did not tell, or about how much was cut. */
export function withFoundTruncation(state: State, ended: Turn): Turn {
  if (ended.outcome === 'failed') return ended;
  const { done, dropped } = state.chat;
  const model = modelByKey(state, ended.modelKey);
  const before = { turns: done, dropped, system: state.settings.system, modelKey: ended.modelKey };
  if (ended.truncation !== null) return { ...ended, truncation: withUnread(ended.truncation, ended, before) };
  const truncation = findTruncation(ended, before, model ? allocatedFor(state, model) : null);
  return truncation === null ? ended : { ...ended, truncation };
}

/** The same question again replaces what the last answer would add to the context; the old answer stays in the chat's file. */
export function withoutLast(state: State, id: string | null): State {
  const { done } = state.chat;
  if (id === null || done.at(-1)?.id !== id) return state;
  return { ...state, chat: { ...state.chat, done: done.slice(0, -1) } };
}

/** The last result, while the arguments are the very same. */
function remembered<A extends readonly unknown[], R>(make: (...args: A) => R): (...args: A) => R {
  let last: { readonly args: A; readonly result: R } | null = null;
  return (...args) => {
    if (last?.args.every((arg, i) => arg === args[i]) !== true) last = { args, result: make(...args) };
    return last.result;
  };
}
