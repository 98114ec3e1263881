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
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
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
import { BackendWire, pause } from './backend-wire.js';
import { asArray, asObject, asText, field, type JsonObject } from './json.js';
import { contextOf, keepAliveOf, ollamaChat } from './ollama-chat.js';
import {
  abilitiesFromList,
  abilitiesFromShow,
  detailsFromShow,
  type OllamaAbilities,
} from './ollama-details.js';
import { LoadedModels } from './ollama-loaded.js';
import { findLoaded, ollamaModel } from './ollama-models.js';
import { ollamaPull } from './ollama-pull.js';
import { NO_EVENT_STREAM } from './not-concerned.js';
import { isLlamaCppFamily, isLocalAi, LOCAL_AI_PATH, ownerOf } from './recognise.js';

const PLACE = {
  kind: 'ollama',
  title: 'Ollama',
  startCommand: 'ollama serve',
  launch: {
    program: 'ollama',
    needsFile: false,
    args: () => ['serve'],
    env: (host: string, port: number) => ({ OLLAMA_HOST: `${host}:${port}` }),
  },
  logPlace:
    '`journalctl -u ollama` on Linux, `~/.ollama/logs/server.log` on macOS, `%LOCALAPPDATA%\\Ollama\\server.log` on Windows',
};
const SHOWS_AT_ONCE = 4;
const UNLOAD_POLL_MS = 250;

const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  load: true,
  unload: true,
  pin: true,
  pull: true,
  delete: true,
  contextSize: true,
  contextChoice: true,
  memory: true,
  evicts: true,
  prefill: true,
};

export const ollama: BackendType = {
  ...PLACE,
  title: 'ollama',
  logPlaces: {
    linux: 'journald:ollama',
    darwin: '~/.ollama/logs/server.log',
    win32: '%LOCALAPPDATA%\\Ollama\\server.log',
  },
  defaultPorts: [11434],
  features: FEATURES,
  notConcerned: NO_EVENT_STREAM,
  // LocalAI and others answer the questions of Ollama too.
  async recognises(list, probe) {
    if (!mayBeOllama(list)) return false;
    const version = await probe('/api/version');
    if (version.status !== 200 || asText(field(asObject(version.json), 'version')) === null) return false;
    return !isLocalAi(await probe(LOCAL_AI_PATH));
  },
  create: (address, ports) => new Ollama(address, ports),
};

/** Asked no further when the list bears the mark of another kind: LM Studio shows its user every wrong question as an error. */
function mayBeOllama(list: WholeAnswer): boolean {
  const owner = ownerOf(list);
  const foreign =
    owner !== null && ['llamacpp', 'llamafile', 'vllm', 'humanity', 'organization_owner'].includes(owner);
  const marked =
    isLlamaCppFamily(list) ||
    list.headers['x-powered-by'] !== undefined ||
    Object.keys(list.headers).some((name) => name.startsWith('x-litellm-'));
  return !foreign && !marked;
}

/** An entry of `/api/tags`. */
interface Listed {
  readonly item: JsonObject;
  readonly digest: string | null;
}

/** Ollama by its own interface; the OpenAI one hides errors, times and the context. */
class Ollama implements Backend {
  readonly info: BackendInfo;
  readonly #wire: BackendWire;
  readonly #loaded: LoadedModels;
  /** By digest, for servers whose list does not tell them. */
  readonly #abilities = new Map<string, OllamaAbilities>();

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.#loaded = new LoadedModels(this.#wire);
    for (const { digest, capabilities, contextMax } of ports.known ?? [])
      if (digest !== null && capabilities !== null) this.#abilities.set(digest, { capabilities, contextMax });
    this.info = {
      id: backendId(PLACE.kind, address.url),
      kind: PLACE.kind,
      title: 'ollama',
      url: address.url,
      features: FEATURES,
    };
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    try {
      const body = await this.#wire.askJson({ path: '/api/version', signal });
      this.#wire.heard();
      return {
        status: { state: 'ready' },
        version: textLine(field(asObject(body), 'version')),
        processing: null,
        queued: null,
      };
    } catch (error) {
      return { status: this.#wire.statusOf(error), version: null, processing: null, queued: null };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    const { listMs } = this.#wire.limits;
    const [list] = await Promise.all([
      this.#wire.askJson({ path: '/api/tags', signal, timeoutMs: listMs }),
      this.#loaded.ask(signal, listMs),
    ]);
    const items = new Map<string, Listed>();
    for (const entry of asArray(field(asObject(list), 'models'))) {
      const item = asObject(entry);
      const name = asText(field(item, 'name')) ?? asText(field(item, 'model'));
      if (item !== null && name !== null) items.set(name, { item, digest: asText(field(item, 'digest')) });
    }
    await this.#learnAbilities(items, signal);
    return [...items].map(([name, { item, digest }]) => {
      const abilities = this.#abilities.get(digest ?? name) ?? abilitiesFromList(item);
      const { found, state } = this.#loaded.stateOf(name, digest);
      return ollamaModel(item, name, this.info.id, abilities, found, state);
    });
  }

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return ollamaChat(this.#wire, this.#loaded, request, signal);
  }

  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    return detailsFromShow(await this.#show(model.name, signal));
  }

  async load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    this.#loaded.loadBegins(model.name);
    // It tells no figure: only that the model is not listed as loaded yet.
    options.onProgress(null, '/api/ps');
    try {
      const more = { ...keepAliveOf(options.keepAlive), ...contextOf(options.contextTokens) };
      await this.#touch(model, more, signal, this.#wire.limits.loadMs);
    } finally {
      this.#loaded.loadEnds(model.name);
    }
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    this.#loaded.unloadBegins(model.name);
    try {
      await this.#touch(model, { keep_alive: 0 }, signal, this.#wire.limits.unloadMs);
    } catch (error) {
      this.#loaded.unloadFailed(model.name);
      throw error;
    }
    // The answer comes at once, the model goes when its last request is done.
    while (this.#loaded.isUnloading(model.name)) {
      const loaded = await this.#loaded.ask(signal, this.#wire.limits.listMs);
      const gone = loaded !== null && findLoaded(loaded, model.name, model.digest) === null;
      if (this.#loaded.unloadIsOver(model.name, gone)) break;
      await pause(this.#wire.clock, UNLOAD_POLL_MS, signal).catch((error: unknown) => {
        throw this.#wire.toBackendError(error);
      });
    }
  }

  pull(name: string, signal: AbortSignal): AsyncIterable<PullProgress> {
    return ollamaPull(this.#wire, name, signal);
  }

  async delete(model: Model, signal: AbortSignal): Promise<void> {
    await this.#wire.order({
      method: 'DELETE',
      path: '/api/delete',
      body: { model: model.name },
      signal,
      timeoutMs: this.#wire.limits.unloadMs,
      model: model.name,
    });
  }

  /**
   * Ollama counts no requests. It only tells a model that is not loaded, on which nothing works, and one that is in its first request;
   * a request of a client that left may still be read by the runner, and nothing shows that.
   */
  async activity(model: Model, signal: AbortSignal): Promise<Activity> {
    const source = '/api/ps';
    const loaded = await this.#loaded.ask(signal, this.#wire.limits.listMs);
    if (loaded === null) return { working: null, source };
    const found = findLoaded(loaded, model.name, model.digest);
    if (found === null) return { working: 0, source };
    return { working: found.expiry === 'in-use' ? 1 : null, source };
  }

  close(): void {
    this.#wire.close();
  }

  async #touch(
    model: Model,
    more: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    timeoutMs: number | null,
  ): Promise<void> {
    const answer = await this.#wire.askJson({
      method: 'POST',
      path: '/api/chat',
      body: { model: model.name, messages: [], stream: false, ...more },
      signal,
      timeoutMs,
      model: model.name,
    });
    const error = field(asObject(answer), 'error');
    if (error !== undefined) throw new BackendError(this.#wire.faultOfBody(answer, model.name));
  }

  async #learnAbilities(items: ReadonlyMap<string, Listed>, signal: AbortSignal): Promise<void> {
    const unknown = new Map<string, string>();
    for (const [name, { item, digest }] of items) {
      const listed = abilitiesFromList(item);
      if (listed.capabilities !== null && listed.contextMax !== null) continue;
      if (!this.#abilities.has(digest ?? name)) unknown.set(digest ?? name, name);
    }
    const queue = [...unknown];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [digest, name] = next;
        try {
          this.#abilities.set(digest, abilitiesFromShow(await this.#show(name, signal)));
        } catch (error) {
          // A model whose details cannot be read is listed without them.
          if (signal.aborted) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: SHOWS_AT_ONCE }, work));
  }

  /** Without `verbose`: the words of the tokenizer are megabytes. */
  async #show(name: string, signal: AbortSignal): Promise<unknown> {
    return this.#wire.askJson({
      method: 'POST',
      path: '/api/show',
      body: { model: name },
      signal,
      timeoutMs: this.#wire.limits.detailsMs,
      model: name,
    });
  }
}

function textLine(value: unknown): string | null {
  const text = asText(value);
  return text === null ? null : sanitizeLine(text).slice(0, 40);
}
