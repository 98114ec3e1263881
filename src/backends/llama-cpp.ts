import type { ChatMessage } from '../domain/chat.js';
import { faultFor } from '../domain/fault-table.js';
import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  type ModelDetails,
  NO_FEATURES,
  type PullProgress,
} from '../domain/model.js';
import { backendId } from '../wire/address.js';
import {
  type Activity,
  type Backend,
  type BackendAddress,
  BackendError,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
  type LoadOptions,
} from './backend.js';
import { BackendWire } from './backend-wire.js';
import { type FaultPlace, valuesOfPlace } from './server-fault.js';
import { asArray, asObject, asTexts, field } from './json.js';
import { llamaCppChat } from './llama-cpp-chat.js';
import { routerPull } from './llama-cpp-pull.js';
import { LlamaCppQuestions } from './llama-cpp-questions.js';
import {
  isDownloading,
  isRouterList,
  managesModels,
  modelQuery,
  routerDelete,
  routerLoad,
  routerModel,
  routerUnload,
} from './llama-cpp-router.js';
import { detailsFrom, type LlamaCppProps } from './llama-cpp-state.js';
import { NO_NDJSON, OF_OTHER_KINDS, OLLAMA_FORMS } from './not-concerned.js';
import { listedModels, openAiModel } from './openai-models.js';
import { isLlamaCppFamily } from './recognise.js';

const PLACE = {
  kind: 'llama.cpp',
  title: 'llama.cpp',
  startCommand: 'llama-server -m MODEL.gguf',
  launch: {
    program: 'llama-server',
    needsFile: true,
    args: (host: string, port: number, file: string) => ['-m', file, '--host', host, '--port', String(port)],
  },
  logPlace: 'its terminal, or the file of `--log-file`',
};

/** What a server that is built from llama.cpp's says of itself. */
export interface LlamaCppProfile {
  /** `title` here is for sentences. */
  readonly place: Omit<FaultPlace, 'model'>;
  /** Shown in the list of servers. */
  readonly title: string;
}

const PROFILE: LlamaCppProfile = {
  place: PLACE,
  title: 'llama.cpp',
};

/** With one model. */
const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  promptProgress: true,
  contextSize: true,
  queue: true,
  metrics: true,
  prefill: true,
  promptCount: true,
};

/** What a router can do beside that. */
export const ROUTER_FEATURES: BackendFeatures = {
  ...FEATURES,
  load: true,
  unload: true,
  pull: true,
  delete: true,
  loadProgress: true,
};

export const llamaCpp: BackendType = {
  ...PLACE,
  // 9931 is the port that builds since the end of 2026 announce.
  defaultPorts: [8080, 9931],
  features: ROUTER_FEATURES,
  notConcerned: {
    ...NO_NDJSON,
    ...OLLAMA_FORMS,
    ...OF_OTHER_KINDS,
    '87': 'fetches without a job to ask for',
  },
  recognises: isLlamaCppFamily,
  create: (address, ports) => new LlamaCpp(address, ports),
};

/** llama-server, with one model or as a router. Other kinds that are built from it say who they are. */
export class LlamaCpp implements Backend {
  readonly #wire: BackendWire;
  readonly #questions: LlamaCppQuestions;
  #info: BackendInfo;

  constructor(address: BackendAddress, ports: BackendPorts, profile: LlamaCppProfile = PROFILE) {
    const { place, title } = profile;
    this.#wire = new BackendWire(address, ports, place);
    this.#questions = new LlamaCppQuestions(this.#wire);
    this.#info = {
      id: backendId(place.kind, address.url),
      kind: place.kind,
      title,
      url: address.url,
      features: FEATURES,
    };
  }

  /** What a server can do beside chat is known once it has told of itself. */
  get info(): BackendInfo {
    return this.#info;
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    try {
      const props = await this.#props(signal);
      if (props === null) await this.#wire.askJson({ path: '/health', signal });
      this.#wire.heard();
      const none = { processing: null, queued: null };
      const { processing, queued } =
        props === null || props.router ? none : await this.#questions.work(props, '', signal, true);
      return { status: { state: 'ready' }, version: props?.version ?? null, processing, queued };
    } catch (error) {
      const status = this.#wire.statusOf(error);
      if (status.state === 'away') this.#questions.forget();
      return { status, version: null, processing: null, queued: null };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    const body = await this.#list(signal);
    const items = listedModels(body);
    if (isRouterList(items)) {
      const manages = managesModels(items);
      this.#offers({ load: true, unload: true, pull: manages, delete: manages, loadProgress: manages });
      const whole = [...items].filter(([, item]) => !isDownloading(item));
      return whole.map(([name, item]) => routerModel(item, name, this.info.id));
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

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    const { model } = request;
    return llamaCppChat(this.#wire, request, signal, {
      router: this.#isRouter,
      queueWatch: () => this.#questions.queueWatch(this.#queryOf(model)),
    });
  }

  /** Of a model that a router has not loaded, only what its list tells. */
  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    const asked = !this.#isRouter || model.loadState === 'loaded';
    const timeoutMs = this.#wire.limits.detailsMs;
    const [props, list] = await Promise.all([
      asked ? this.#questions.json(`/props${this.#queryOf(model)}`, signal, timeoutMs) : undefined,
      this.#list(signal),
    ]);
    return detailsFrom(props, listedModels(list).get(model.name) ?? null);
  }

  async load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    this.#routerOnly('load another');
    await routerLoad(this.#wire, model, options, signal);
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    this.#routerOnly('unload it');
    await routerUnload(this.#wire, model, signal);
  }

  async *pull(name: string, signal: AbortSignal): AsyncGenerator<PullProgress> {
    this.#routerOnly('fetch another');
    yield* routerPull(this.#wire, name, signal);
  }

  async delete(model: Model, signal: AbortSignal): Promise<void> {
    this.#routerOnly('delete it');
    await routerDelete(this.#wire, model, signal);
  }

  /** All requests of a server with one model; those of the model with a router. */
  async activity(model: Model, signal: AbortSignal): Promise<Activity> {
    if (this.#isRouter && model.loadState === 'unloaded') return { working: 0, source: '/models' };
    return this.#questions.activity(this.#queryOf(model), signal);
  }

  /** Null also for a model that would have to be loaded or woken for it. */
  async countTokens(
    model: Model,
    messages: readonly ChatMessage[],
    signal: AbortSignal,
  ): Promise<number | null> {
    if (model.loadState !== 'loaded') return null;
    const query = this.#queryOf(model);
    const props = await this.#questions.props(query, signal);
    if (props?.sleeping === true) return null;
    return this.#questions.countTokens(model.name, messages, query, signal);
  }

  close(): void {
    this.#wire.close();
  }

  get #isRouter(): boolean {
    return this.#info.features.load;
  }

  #queryOf(model: Model): string {
    return this.#isRouter ? modelQuery(model.name) : '';
  }

  #list(signal: AbortSignal): Promise<unknown> {
    return this.#wire.askJson({ path: '/v1/models', signal, timeoutMs: this.#wire.limits.listMs });
  }

  /** Null when the server has no such question. Never wakes a sleeping model, and in a router never loads one. */
  async #props(signal: AbortSignal): Promise<LlamaCppProps | null> {
    const props = await this.#questions.props('', signal);
    if (props === null) return null;
    if (props.router) this.#offers({ load: true, unload: true });
    else {
      const fresh = props.tellsBuild;
      this.#offers({
        ...{ load: false, unload: false, pull: false, delete: false, loadProgress: false },
        ...{ promptProgress: fresh, prefill: fresh },
        queue: props.slots !== false || props.metrics !== false,
        metrics: props.metrics !== false,
      });
    }
    return props;
  }

  #offers(features: Partial<BackendFeatures>): void {
    const changed = Object.entries(features).some(
      ([name, value]) => this.#info.features[name as keyof BackendFeatures] !== value,
    );
    if (changed) this.#info = { ...this.#info, features: { ...this.#info.features, ...features } };
  }

  #routerOnly(what: string): void {
    if (this.#isRouter) return;
    throw new BackendError(faultFor('one-model', { ...valuesOfPlace(this.#wire.place(null)), words: what }));
  }
}
