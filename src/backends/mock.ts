import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  type ModelDetails,
  MOCK_MODEL,
  NO_FEATURES,
  type PullProgress,
} from '../domain/model.js';
import { NO_NETWORK } from './not-concerned.js';
import type { Backend, BackendPorts, BackendType, ChatEvent, ChatRequest, LoadOptions } from './backend.js';
import { MockModels } from './mock-models.js';

const DEFAULT_TOKENS_PER_SECOND = 30;
const TICK_MS = 20;
const PREFILL_STEPS = 5;
const LOAD_STEPS = 5;
/** A step of a pull, in ticks. */
const PULL_TICKS = 8;
const DEFAULT_TEXT = [
  'This is the mock: no model is running, and nothing was sent anywhere.\n\n',
  'It streams this text so that you can see how an answer looks:\n\n',
  '- first the prompt is read,\n',
  '- then it *thinks* for a moment,\n',
  '- then it answers, piece by piece.\n\n',
  '```js\nconst answer = 6 * 7;\n```\n\n',
  'Start a server like Ollama or llama.cpp to talk to a real model.\n',
].join('');

const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  load: true,
  unload: true,
  pull: true,
  delete: true,
  loadProgress: true,
  promptProgress: true,
  contextSize: true,
};

/** A stand-in without any server. LMAPP_MOCK_TOKENS_PER_SECOND and LMAPP_MOCK_TEXT change its speed and text. */
export const mock: BackendType = {
  kind: 'mock',
  title: 'mock',
  defaultPorts: [],
  startCommand: '',
  logPlace: '—',
  features: FEATURES,
  notConcerned: NO_NETWORK,
  create: (_address, ports) => new Mock(ports, process.env),
};

class Mock implements Backend {
  readonly info: BackendInfo = {
    id: MOCK_MODEL.backendId,
    kind: 'mock',
    title: 'mock',
    url: '',
    features: FEATURES,
  };
  readonly #ports: BackendPorts;
  readonly #text: string;
  readonly #perSecond: number;
  readonly #models = new MockModels();

  constructor(ports: BackendPorts, env: Readonly<Record<string, string | undefined>>) {
    this.#ports = ports;
    this.#text = env['LMAPP_MOCK_TEXT'] ?? DEFAULT_TEXT;
    const speed = Number(env['LMAPP_MOCK_TOKENS_PER_SECOND'] ?? NaN);
    this.#perSecond = speed > 0 ? speed : DEFAULT_TOKENS_PER_SECOND;
  }

  check(): Promise<BackendCheck> {
    return Promise.resolve({ status: { state: 'ready' }, version: null, processing: 0, queued: 0 });
  }

  models(): Promise<readonly Model[]> {
    return Promise.resolve(this.#models.list());
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const promptTokens = request.messages.reduce((sum, message) => sum + tokensOf(message.content).length, 0);
    const started = this.#ports.monotonic();
    yield { type: 'sent' };
    if (!this.#models.isLoaded(request.model.name)) {
      yield { type: 'loading', progress: null };
      if (await this.#tick(signal, LOAD_STEPS)) return yield* this.#cancelled();
      this.#models.setLoaded(request.model.name, true);
    }
    for (let step = 0; step <= PREFILL_STEPS && !signal.aborted; step += 1) {
      const processed = Math.round((promptTokens * step) / PREFILL_STEPS);
      yield { type: 'prefill', progress: { processed, total: promptTokens, cached: 0 } };
      await this.#tick(signal, 1);
    }
    const promptMs = this.#ports.monotonic() - started;
    const begun = this.#ports.monotonic();
    const whole = this.#pieces();
    const pieces = whole.slice(0, request.sampling?.maxTokens ?? undefined);
    let given = 0;
    while (given < pieces.length && !signal.aborted) {
      // By the clock and not by the count of ticks: the speed holds also when timers are late.
      const due = Math.min(
        pieces.length,
        Math.floor(((this.#ports.monotonic() - begun) * this.#perSecond) / 1000) + 1,
      );
      for (const piece of pieces.slice(given, due)) yield piece;
      given = Math.max(given, due);
      if (given < pieces.length) await this.#tick(signal, 1);
    }
    if (signal.aborted) {
      yield* this.#cancelled();
      return;
    }
    const answerMs = this.#ports.monotonic() - begun;
    const answerPerSecond = answerMs > 0 ? (pieces.length / answerMs) * 1000 : null;
    yield {
      type: 'usage',
      usage: {
        promptTokens,
        cachedTokens: 0,
        answerTokens: pieces.length,
        promptMs,
        answerMs,
        answerPerSecond,
      },
    };
    yield { type: 'note', text: 'This was the mock, not a model.' };
    yield {
      type: 'ended',
      outcome: 'complete',
      reason: pieces.length < whole.length ? 'length' : 'stop',
      fault: null,
    };
  }

  async load({ name }: Model, { onProgress }: LoadOptions, signal: AbortSignal): Promise<void> {
    for (let step = 0; step < LOAD_STEPS; step += 1) {
      onProgress(step / LOAD_STEPS, 'the mock');
      if (await this.#tick(signal, 1)) return;
    }
    this.#models.setLoaded(name, true);
  }

  unload({ name }: Model): Promise<void> {
    this.#models.setLoaded(name, false);
    return Promise.resolve();
  }

  details({ name }: Model): Promise<ModelDetails> {
    return Promise.resolve(this.#models.details(name));
  }

  delete({ name }: Model): Promise<void> {
    // A throw becomes a rejection.
    return Promise.resolve().then(() => this.#models.delete(name));
  }

  pull(name: string, signal: AbortSignal): AsyncIterable<PullProgress> {
    return this.#models.pull(name, () => this.#tick(signal, PULL_TICKS));
  }

  close(): void {
    // Holds nothing.
  }

  #pieces(): ChatEvent[] {
    const thought = tokensOf('The user wants to see an answer. ').map((text): ChatEvent => ({
      type: 'reasoning',
      text,
    }));
    return [...thought, ...tokensOf(this.#text).map((text): ChatEvent => ({ type: 'text', text }))];
  }

  *#cancelled(): Generator<ChatEvent> {
    yield { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
  }

  /** Resolves to true when it was cancelled. The timer keeps the process alive: there is no socket that would. */
  #tick(signal: AbortSignal, count: number): Promise<boolean> {
    return new Promise((resolve) => {
      const hold = setInterval(() => undefined, 1 << 30);
      const done = (): void => {
        clearInterval(hold);
        cancel();
        signal.removeEventListener('abort', done);
        resolve(signal.aborted);
      };
      const after = this.#ports.after?.bind(this.#ports) ?? nodeTimer;
      const cancel = after(TICK_MS * count, done);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** A word with the blank before it stands for a token. */
function tokensOf(text: string): string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
}

function nodeTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
