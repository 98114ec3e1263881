import { faultFor, faultWords } from '../domain/fault-table.js';
import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  NO_FEATURES,
  type PullProgress,
} from '../domain/model.js';
import type { Fault } from '../domain/fault.js';
import { backendId } from '../wire/address.js';
import type { WholeAnswer } from '../wire/read.js';
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
import { type ErrorText, errorTextOf } from './error-text.js';
import { valuesOfPlace } from './server-fault.js';
import { asObject, asText, field } from './json.js';
import {
  LIST_PATHS,
  type LmStudioInterface,
  type LmStudioModel,
  isListOf,
  lmStudioModels,
} from './lmstudio-models.js';
import { lmStudioPull } from './lmstudio-pull.js';
import { NO_NATIVE_DIALECT } from './not-concerned.js';
import { openAiChat } from './openai-chat.js';
import { ownerOf } from './recognise.js';

const PLACE = {
  kind: 'lmstudio',
  title: 'LM Studio',
  startCommand: 'lms server start',
  logPlace: '`lms log stream --source server`, or the files in `~/.lmstudio/server-logs`',
  refine,
};
const LOAD_PATH = '/api/v1/models/load';
const UNLOAD_POLL_MS = 250;

/** Before 0.4: models are loaded by asking them, and nothing else can be changed. */
const OLD_FEATURES: BackendFeatures = { ...NO_FEATURES, thinking: true };
const FEATURES: BackendFeatures = {
  ...OLD_FEATURES,
  load: true,
  unload: true,
  pull: true,
  contextSize: true,
  contextChoice: true,
};

export const lmstudio: BackendType = {
  kind: PLACE.kind,
  title: PLACE.title,
  startCommand: PLACE.startCommand,
  logPlace: PLACE.logPlace,
  logPlaces: { linux: 'lms:server', darwin: 'lms:server', win32: 'lms:server' },
  defaultPorts: [1234],
  features: FEATURES,
  notConcerned: { ...NO_NATIVE_DIALECT, '46': 'tells no progress here', '89': 'has no metrics' },
  async recognises(list, probe) {
    if (isOurRefusal(list)) return true;
    const maybe = /^express$/i.test(list.headers['x-powered-by']?.toString() ?? '');
    if (!maybe && ownerOf(list) !== 'organization_owner') return false;
    const native = await probe(LIST_PATHS.v1);
    if (isOurRefusal(native) || (native.status === 200 && isListOf('v1', native.json))) return true;
    const older = await probe(LIST_PATHS.v0);
    return isOurRefusal(older) || (older.status === 200 && isListOf('v0', older.json));
  },
  create: (address, ports) => new LmStudio(address, ports),
};

/** LM Studio: lists, loads and downloads by its own interface, chats by the OpenAI one, since its own takes no history. */
class LmStudio implements Backend {
  readonly #wire: BackendWire;
  #info: BackendInfo;
  /** Null: not asked yet, or it was away, and may be another version now. */
  #api: LmStudioInterface | null = null;
  #lines: readonly LmStudioModel[] = [];

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.#info = {
      id: backendId(PLACE.kind, address.url),
      kind: PLACE.kind,
      title: lmstudio.title,
      url: address.url,
      features: FEATURES,
    };
  }

  get info(): BackendInfo {
    return this.#info;
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    const unknown = { version: null, processing: null, queued: null };
    try {
      await this.#list(signal);
      this.#wire.heard();
      return { status: { state: 'ready' }, ...unknown };
    } catch (error) {
      const status = this.#wire.statusOf(error);
      if (status.state === 'away') this.#api = null;
      return { status, ...unknown };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    return (await this.#list(signal)).map(({ model }) => model);
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const wanted = request.contextTokens ?? null;
    if (wanted !== null && this.#api === 'v1') {
      yield { type: 'loading', progress: null, source: LOAD_PATH };
      try {
        await this.#widen(request.model, wanted, signal);
      } catch (error) {
        const cancelled = { type: 'ended', outcome: 'cancelled', reason: null, fault: null } as const;
        const { fault } = this.#wire.toBackendError(error);
        yield signal.aborted ? cancelled : { ...cancelled, outcome: 'failed', fault };
        return;
      }
    }
    const cold = wanted === null && request.model.loadState === 'unloaded';
    const more = cold
      ? { afterSent: [{ type: 'loading', progress: null, source: LIST_PATHS[this.#api ?? 'v1'] } as const] }
      : {};
    const extras = { stream_options: { include_usage: true } };
    yield yield* openAiChat(this.#wire, request, extras, signal, more);
  }

  async load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    this.#newOnly('load a model on request', 'Ask the model something: that loads it. Or: lms load');
    const { contextTokens } = options;
    // It answers when the model is loaded, and tells nothing until then.
    options.onProgress(null, LOAD_PATH);
    const body = {
      model: this.#lineOf(model)?.key ?? model.name,
      ...(contextTokens === null ? {} : { context_length: contextTokens }),
    };
    await this.#order(LOAD_PATH, body, model, this.#wire.limits.loadMs, signal);
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    this.#newOnly('unload a model on request', 'Use: lms unload');
    const timeoutMs = this.#wire.limits.unloadMs;
    const since = this.#wire.clock.monotonic();
    if (this.#lineOf(model) === null) await this.#list(signal);
    const instance = this.#lineOf(model)?.instance ?? null;
    if (instance === null) return;
    await this.#order('/api/v1/models/unload', { instance_id: instance }, model, timeoutMs, signal);
    while (this.#wire.clock.monotonic() - since < timeoutMs) {
      if (!(await this.#list(signal)).some((line) => line.instance === instance)) return;
      await pause(this.#wire.clock, UNLOAD_POLL_MS, signal).catch((error: unknown) => {
        throw this.#wire.toBackendError(error);
      });
    }
  }

  async *pull(name: string, signal: AbortSignal): AsyncGenerator<PullProgress> {
    this.#newOnly('download a model on request', `Use: lms get`);
    yield* lmStudioPull(this.#wire, name, this.#wire.limits.pullMs, signal);
  }

  close(): void {
    this.#wire.close();
  }

  /** Finds out once which interface there is: the newest that answers with a list. */
  async #list(signal: AbortSignal): Promise<readonly LmStudioModel[]> {
    const candidates: readonly LmStudioInterface[] =
      this.#api === null ? ['v1', 'v0', 'openai'] : [this.#api];
    for (const api of candidates) {
      const answer = await this.#wire.ask({ path: LIST_PATHS[api], signal });
      if (answer.status === 200 && isListOf(api, answer.json)) {
        this.#setApi(api);
        this.#lines = lmStudioModels(api, answer.json, this.#info.id);
        return this.#lines;
      }
      const fault = this.#faultOf(answer);
      // A missing path of an older server; all else is about every path.
      const missing = answer.status === 404 || fault.code === 'unknown-endpoint' || isRefusal(answer);
      if (api !== candidates.at(-1) && missing) continue;
      throw new BackendError(fault);
    }
    return [];
  }

  /** Errors come with status 200 as well. */
  #faultOf(answer: WholeAnswer): Fault {
    if (answer.status !== 200) return this.#wire.faultOf(answer, null);
    if (errorTextOf(answer.json) !== null) return this.#wire.faultOfBody(answer.json, null);
    return faultFor('other-answer', valuesOfPlace(this.#wire.place(null)), 200);
  }

  #setApi(api: LmStudioInterface): void {
    if (this.#api === api) return;
    this.#api = api;
    const features = api === 'v1' ? FEATURES : { ...OLD_FEATURES, contextSize: api === 'v0' };
    this.#info = { ...this.#info, features };
  }

  #lineOf(model: Model): LmStudioModel | null {
    return this.#lines.find((line) => line.model.name === model.name) ?? null;
  }

  /** Loads a model with the wished context, in the place of an instance with a smaller one. */
  async #widen(model: Model, contextTokens: number, signal: AbortSignal): Promise<void> {
    await this.#list(signal);
    const line = this.#lineOf(model);
    if (line === null || (line.model.contextAllocated ?? 0) >= contextTokens) return;
    if (line.instance !== null) await this.unload(model, signal);
    await this.load(model, { keepAlive: '', contextTokens, onProgress: () => undefined }, signal);
  }

  async #order(
    path: string,
    body: unknown,
    model: Model,
    timeoutMs: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    const ask = { method: 'POST', path, body, signal, timeoutMs, model: model.name } as const;
    const answer = await this.#wire.askJson(ask);
    if (errorTextOf(answer) !== null) throw new BackendError(this.#wire.faultOfBody(answer, model.name));
  }

  #newOnly(what: string, hint: string): void {
    if (this.#api === null || this.#api === 'v1') return;
    throw new BackendError({ ...faultFor('lmstudio-old', { words: what }), hint });
  }
}

/** The answer to an unknown path, with status 200. */
function isRefusal(answer: WholeAnswer): boolean {
  return /^Unexpected endpoint or method/i.test(asText(field(asObject(answer.json), 'error')) ?? '');
}

/** An error that names the server itself, or that only this one writes. */
function isOurRefusal(answer: WholeAnswer): boolean {
  return isRefusal(answer) || /LM Studio API token/i.test(errorTextOf(answer.json)?.message ?? '');
}

function refine(fault: Fault, told: ErrorText): Fault {
  if (told.code === 'invalid_api_key') return { ...fault, ...faultWords('lmstudio-key') };
  if (/no models? loaded/i.test(told.message)) return { ...fault, ...faultWords('lmstudio-idle') };
  return fault;
}
