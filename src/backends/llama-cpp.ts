import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  NO_FEATURES,
} from '../domain/model.js';
import { backendId } from '../wire/address.js';
import {
  type Backend,
  type BackendAddress,
  BackendError,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
  type LoadOptions,
} from './backend.js';
import { BackendWire, pause } from './backend-wire.js';
import { asArray, asObject, asTexts, field } from './json.js';
import { isRouterList, routerLoad, routerModel, routerUnload } from './llama-cpp-router.js';
import { type LlamaCppProps, metricOf, propsOf, slotsOf } from './llama-cpp-state.js';
import { openAiChat } from './openai-chat.js';
import { listedModels, openAiModel } from './openai-models.js';
import { isLlamaCppFamily } from './recognise.js';

const PLACE = { kind: 'llama.cpp', title: 'llama.cpp', startCommand: 'llama-server -m MODEL.gguf' };
const WAIT_POLL_MS = 1000;
/** A free slot answers a short prompt faster than this: then nobody needs to ask for a queue. */
const QUEUE_LOOK_MS = 400;

/** With one model; a router loads and unloads too. */
const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  promptProgress: true,
  contextSize: true,
  queue: true,
  metrics: true,
};

export const llamaCpp: BackendType = {
  ...PLACE,
  // 9931 is the port that builds since the end of 2026 announce.
  defaultPorts: [8080, 9931],
  logPlace: 'its terminal, or the file of `--log-file`',
  features: { ...FEATURES, load: true, unload: true },
  notConcerned: {},
  recognises: isLlamaCppFamily,
  create: (address, ports) => new LlamaCpp(address, ports),
};

const LOADING: ChatEvent = { type: 'loading', progress: null };

/** Requests at work and waiting. */
interface Load {
  readonly processing: number | null;
  readonly queued: number | null;
}

/** llama-server, with one model or as a router. */
class LlamaCpp implements Backend {
  readonly #wire: BackendWire;
  #info: BackendInfo;
  /** Optional questions that this server does not answer; asked again after it was away. */
  readonly #missing = new Set<string>();

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.#info = {
      id: backendId(PLACE.kind, address.url),
      kind: PLACE.kind,
      title: 'llama.cpp',
      url: address.url,
      features: FEATURES,
    };
  }

  /** Load and unload are known once the server has told that it is a router. */
  get info(): BackendInfo {
    return this.#info;
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    try {
      const props = await this.#props(signal);
      if (props === null) await this.#wire.askJson({ path: '/health', signal });
      this.#wire.heard();
      const load =
        props === null || props.router ? { processing: null, queued: null } : await this.#load(props, signal);
      return { status: { state: 'ready' }, version: props?.version ?? null, ...load };
    } catch (error) {
      const status = this.#wire.statusOf(error);
      if (status.state === 'away') this.#missing.clear();
      return { status, version: null, processing: null, queued: null };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    const body = await this.#wire.askJson({ path: '/v1/models', signal });
    const items = listedModels(body);
    if (isRouterList(items)) {
      this.#setRouter(true);
      return [...items].map(([name, item]) => routerModel(item, name, this.info.id));
    }
    const props = await this.#props(signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    });
    // The part that looks like Ollama's is the only one with capabilities.
    const capabilities = asTexts(
      field(asObject(asArray(field(asObject(body), 'models'))[0]), 'capabilities'),
    );
    return [...items].map(([name, item]) => {
      const model = openAiModel(item, name, this.info.id, props?.sleeping === true ? 'unloaded' : 'loaded');
      return {
        ...model,
        contextAllocated: model.contextAllocated ?? props?.contextAllocated ?? null,
        capabilities: model.capabilities ?? capabilities,
      };
    });
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const extras = {
      stream_options: { include_usage: true },
      // Opens the stream at once, tells the prompt phase, and gives live figures.
      return_progress: true,
      timings_per_token: true,
    };
    const since = this.#wire.clock.monotonic();
    // A router loads what it is asked for, and a sleeping server wakes up.
    const cold = request.model.loadState === 'unloaded';
    for (;;) {
      const more = cold ? { afterSent: [LOADING] } : { whileWaiting: this.#queueWatch() };
      const ended = yield* openAiChat(this.#wire, request, extras, signal, more);
      const patient =
        request.firstByteTimeoutMs <= 0 || this.#wire.clock.monotonic() - since < request.firstByteTimeoutMs;
      if (ended.fault?.code !== 'loading' || !patient) {
        yield ended;
        return;
      }
      yield LOADING;
      if (!(await this.#untilLoaded(signal))) {
        yield { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
        return;
      }
    }
  }

  async load(model: Model, _options: LoadOptions, signal: AbortSignal): Promise<void> {
    this.#routerOnly();
    await routerLoad(this.#wire, model, signal);
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    this.#routerOnly();
    await routerUnload(this.#wire, model, signal);
  }

  close(): void {
    this.#wire.close();
  }

  /** Null when the server has no such question. Never wakes a sleeping model, and in a router never loads one. */
  async #props(signal: AbortSignal): Promise<LlamaCppProps | null> {
    const body = await this.#optional('/props', signal);
    if (body === undefined) return null;
    const props = propsOf(body);
    this.#setRouter(props.router);
    return props;
  }

  async #load(props: LlamaCppProps, signal: AbortSignal): Promise<Load> {
    // `/slots` wakes a sleeping model.
    const body = props.sleeping || props.slots === false ? undefined : await this.#optional('/slots', signal);
    const slots = body === undefined ? null : slotsOf(body);
    // Nothing waits while a slot is free, and a look at the metrics spoils the averages of others who read them.
    if (slots !== null && slots.busy < slots.total) return { processing: slots.busy, queued: 0 };
    if (props.metrics === false || props.sleeping) return { processing: slots?.busy ?? null, queued: null };
    const text = await this.#optionalText('/metrics', signal);
    if (text === null) return { processing: slots?.busy ?? null, queued: null };
    return {
      processing: slots?.busy ?? metricOf(text, 'llamacpp:requests_processing'),
      queued: metricOf(text, 'llamacpp:requests_deferred'),
    };
  }

  /** While no byte has come: a server with all slots at work has put the request in its queue. */
  #queueWatch(): (signal: AbortSignal) => Promise<ChatEvent | null> {
    let told = false;
    return async (signal) => {
      if (told) return null;
      await pause(this.#wire.clock, QUEUE_LOOK_MS, signal);
      const props = await this.#props(signal);
      if (props === null || props.router) return null;
      const { processing, queued } = await this.#load(props, signal);
      told = true;
      if (queued !== null) return queued > 0 ? { type: 'queued' } : null;
      // No count, and no slot is free. A server new enough to tell of its slots would have told the progress of a request that got one.
      return processing !== null && props.slots === true ? { type: 'queued' } : null;
    };
  }

  /** False when it was cancelled. */
  async #untilLoaded(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      try {
        await pause(this.#wire.clock, WAIT_POLL_MS, signal);
        const answer = await this.#wire.ask({ path: '/health', signal });
        if (answer.status !== 503) return true;
      } catch {
        // Cancelled, or away: then the next chat request tells why.
        return !signal.aborted;
      }
    }
  }

  /** Undefined when the server does not offer it; it is then not asked again. Other errors are thrown. */
  async #optional(path: string, signal: AbortSignal): Promise<unknown> {
    const text = await this.#optionalText(path, signal);
    if (text === null) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }

  async #optionalText(path: string, signal: AbortSignal): Promise<string | null> {
    if (this.#missing.has(path)) return null;
    const answer = await this.#wire.ask({ path, signal });
    if (answer.status >= 200 && answer.status <= 299) return answer.text;
    if (answer.status !== 404 && answer.status !== 405 && answer.status !== 501) {
      throw new BackendError(this.#wire.faultOf(answer, null));
    }
    this.#missing.add(path);
    return null;
  }

  #setRouter(router: boolean): void {
    const { features } = this.#info;
    if (features.load === router) return;
    this.#info = { ...this.#info, features: { ...features, load: router, unload: router } };
  }

  #routerOnly(): void {
    if (this.#info.features.load) return;
    throw new BackendError({
      code: 'unsupported',
      message: 'This llama.cpp server holds one model and cannot load another.',
      hint: 'Start llama-server without a model to get a router.',
      status: null,
    });
  }
}
