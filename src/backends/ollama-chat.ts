import type { Truncation, Usage } from '../domain/chat.js';
import { NO_SAMPLING, samplingFields } from '../domain/sampling.js';
import type { ChatEvent, ChatRequest } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { streamChat } from './chat-stream.js';
import type { LoadedModels } from './ollama-loaded.js';
import { findLoaded, type OllamaLoaded } from './ollama-models.js';
import { OllamaReader } from './ollama-reader.js';

type Ended = Extract<ChatEvent, { type: 'ended' }>;

/** Before a chat: long enough for an idle server, short enough not to be felt. */
const GLANCE_TIMEOUT_MS = 400;
const LOOK_MS = 500;
const SOURCE = '/api/ps';
const SAMPLING_NAMES = {
  temperature: 'temperature',
  topP: 'top_p',
  seed: 'seed',
  maxTokens: 'num_predict',
} as const;

/** An answer of `/api/chat`, with what `/api/ps` tells while it is waited for. */
export async function* ollamaChat(
  wire: BackendWire,
  loaded: LoadedModels,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const { model } = request;
  const before = await loaded.ask(signal, GLANCE_TIMEOUT_MS).catch(() => null);
  const found = before === null ? null : findLoaded(before, model.name, model.digest);
  const cold = before !== null && !model.remote && !fits(found, request);
  if (cold) loaded.loadBegins(model.name);
  const run = { context: cold ? null : (found?.contextAllocated ?? null) };
  let reader = new OllamaReader(wire.place(model.name));
  const attempt = (think: boolean): AsyncGenerator<ChatEvent, Ended> => {
    reader = new OllamaReader(wire.place(model.name));
    return streamChat({
      open: () =>
        wire.openChat(
          '/api/chat',
          bodyOf(request, think, found),
          signal,
          request.firstByteTimeoutMs,
          request.idleTimeoutMs,
        ),
      reader,
      wire,
      place: wire.place(model.name),
      onWord: () => loaded.loadEnds(model.name),
      afterSent: cold ? [{ type: 'loading', progress: null, source: SOURCE }] : [],
      ...(cold ? { whileWaiting: untilLoaded(wire, loaded, request, run) } : {}),
      signal,
    });
  };
  try {
    const thinks = model.capabilities?.includes('thinking') === true;
    let ended = yield* attempt(thinks);
    if (thinks && ended.fault?.code === 'unsupported' && /think/i.test(ended.fault.message)) {
      yield { type: 'note', text: 'Asked again without thinking: the model does not support it.' };
      ended = yield* attempt(false);
    }
    if (ended.outcome === 'cancelled' && loaded.isLoading(model.name)) {
      yield { type: 'note', text: 'The model was still being loaded: that was stopped too.' };
    }
    const context = wantedContext(request) ?? run.context ?? model.contextAllocated;
    const truncation = truncationOf(reader.usage, context, request);
    if (truncation !== null) yield { type: 'truncated', truncation };
    else if (ended.reason === 'length' && isFull(reader.usage, context))
      yield { type: 'note', text: `The context of ${context} tokens is full.` };
    yield ended;
  } finally {
    loaded.loadEnds(model.name);
  }
}

function bodyOf(request: ChatRequest, think: boolean, found: OllamaLoaded | null): unknown {
  const pinned = found?.expiry === 'never';
  return {
    model: request.model.name,
    messages: request.messages,
    stream: true,
    // Without these the server drops old messages and shifts the context, and tells neither.
    truncate: false,
    shift: false,
    // An answer must not take away what keeps the model loaded for ever.
    ...(pinned ? {} : keepAliveOf(request.keepAlive)),
    ...optionsOf(request),
    ...(think ? { think: true } : {}),
  };
}

/** A number is seconds, anything else a duration as Go writes it; empty: the server's own. */
export function keepAliveOf(text: string): { keep_alive?: number | string } {
  if (text === '') return {};
  return { keep_alive: /^-?\d+$/.test(text) ? Number(text) : text };
}

/** Only when it is chosen: another context loads the model anew. */
export function contextOf(tokens: number | null): { options?: { num_ctx: number } } {
  return tokens === null ? {} : { options: { num_ctx: tokens } };
}

function optionsOf({ contextTokens, sampling }: ChatRequest): object {
  const { options: context } = contextOf(contextTokens ?? null);
  const options = { ...context, ...samplingFields(sampling ?? NO_SAMPLING, SAMPLING_NAMES) };
  return Object.keys(options).length > 0 ? { options } : {};
}

/** The server gives no more than the model can hold. */
function wantedContext({ contextTokens, model }: ChatRequest): number | null {
  return contextTokens === null || contextTokens === undefined
    ? null
    : Math.min(contextTokens, model.contextMax ?? contextTokens);
}

/** Loaded, and with the context that is asked for. */
function fits(found: OllamaLoaded | null, request: ChatRequest): boolean {
  if (found === null) return false;
  const tokens = wantedContext(request);
  return tokens === null || found.contextAllocated === null || found.contextAllocated === tokens;
}

/** While no byte has come: once the model is listed as loaded it is the prompt that takes the time. */
function untilLoaded(
  wire: BackendWire,
  loaded: LoadedModels,
  request: ChatRequest,
  run: { context: number | null },
): (signal: AbortSignal) => Promise<ChatEvent | null> {
  let over = false;
  return async (signal) => {
    while (!over) {
      await pause(wire.clock, LOOK_MS, signal);
      const now = await loaded.ask(signal, wire.limits.listMs);
      const found = now === null ? null : findLoaded(now, request.model.name, request.model.digest);
      if (!fits(found, request)) continue;
      over = true;
      run.context = found?.contextAllocated ?? null;
      loaded.loadEnds(request.model.name);
      return { type: 'prefill', progress: { processed: 0, total: 0, cached: 0 }, source: SOURCE };
    }
    return null;
  };
}

function isFull({ promptTokens, answerTokens }: Partial<Usage>, context: number | null): boolean {
  return context !== null && (promptTokens ?? 0) + (answerTokens ?? 0) >= context - 1;
}

/**
 * What the figures of an answer betray of a server that takes `truncate` and `shift` for nothing and tells nothing: one message that is
 * too long is cut to half the context and two tokens, and an answer that passes the end of the context has lost the begin of the chat.
 */
export function truncationOf(
  usage: Partial<Usage>,
  context: number | null,
  { messages }: Pick<ChatRequest, 'messages'>,
): Truncation | null {
  const { promptTokens, answerTokens } = usage;
  if (context === null || typeof promptTokens !== 'number') return null;
  // A token has at least one character: what is shorter than the context was not cut.
  const chars = messages.reduce((all, message) => all + message.content.length, 0);
  if (promptTokens === Math.floor(context / 2) + 2 && chars > context)
    return { messages: null, tokens: null, source: 'prompt_eval_count is num_ctx/2 + 2' };
  if (typeof answerTokens === 'number' && promptTokens + answerTokens > context)
    return { messages: null, tokens: null, source: 'prompt_eval_count + eval_count is above num_ctx' };
  return null;
}
