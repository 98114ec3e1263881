import type { Model } from '../domain/model.js';
import type { ChatEvent, ChatRequest } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import type { ChatCall, Ended } from './chat-stream.js';
import { EVENTS_PATH, loadProgress } from './llama-cpp-events.js';
import { openAiChat } from './openai-chat.js';

const WAIT_POLL_MS = 1000;

/** What is known of the server that is asked. */
export interface ChatPlace {
  readonly router: boolean;
  /** Looks whether the request waits for a slot. */
  readonly queueWatch: () => (signal: AbortSignal) => Promise<ChatEvent | null>;
}

/** An answer of llama-server; one that is still loading its model is asked again when it has. */
export async function* llamaCppChat(
  wire: BackendWire,
  request: ChatRequest,
  signal: AbortSignal,
  place: ChatPlace,
): AsyncGenerator<ChatEvent> {
  const since = wire.clock.monotonic();
  let extras: Readonly<Record<string, unknown>> = {
    stream_options: { include_usage: true },
    // Opens the stream at once, tells the prompt phase, and gives live figures.
    return_progress: true,
    timings_per_token: true,
  };
  for (;;) {
    const ended = yield* openAiChat(wire, request, extras, signal, watchOf(wire, request.model, place));
    if (wantsNoThinking(ended) && !('chat_template_kwargs' in extras)) {
      extras = { ...extras, chat_template_kwargs: { enable_thinking: false } };
      yield {
        type: 'note',
        text: 'Continued without thinking: the server does not continue a thinking model.',
      };
      continue;
    }
    const patient =
      request.firstByteTimeoutMs <= 0 || wire.clock.monotonic() - since < request.firstByteTimeoutMs;
    if (ended.fault?.code !== 'loading' || !patient) {
      yield ended;
      return;
    }
    yield { type: 'loading', progress: null, source: '/health' };
    if (!(await untilLoaded(wire, signal))) {
      yield { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
      return;
    }
  }
}

/** A thinking model begins with its thinking; an answer that is to be continued has that behind it. */
function wantsNoThinking({ fault }: Ended): boolean {
  return fault?.status === 400 && /prefill.*thinking/i.test(fault.message);
}

/** What is told while an answer is waited for. A router loads what it is asked for, and a sleeping server wakes up. */
function watchOf(
  wire: BackendWire,
  model: Model,
  { router, queueWatch }: ChatPlace,
): Pick<ChatCall, 'afterSent' | 'whileWaiting'> {
  if (model.loadState !== 'unloaded' && model.loadState !== 'loading') return { whileWaiting: queueWatch() };
  const loading = (progress: number | null, source: string): ChatEvent => ({
    type: 'loading',
    progress,
    source,
  });
  if (!router) return { afterSent: [loading(null, '/props')] };
  let steps: AsyncGenerator<number | null, void> | null = null;
  return {
    afterSent: [loading(null, '/models')],
    whileWaiting: async (waiting) => {
      steps ??= loadProgress(wire, model.name, waiting);
      const step = await steps.next();
      return step.done === true ? null : loading(step.value, EVENTS_PATH);
    },
  };
}

/** False when it was cancelled. */
async function untilLoaded(wire: BackendWire, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      await pause(wire.clock, WAIT_POLL_MS, signal);
      const answer = await wire.ask({ path: '/health', signal });
      if (answer.status !== 503) return true;
    } catch {
      // Cancelled, or away: then the next chat request tells why.
      return !signal.aborted;
    }
  }
}
