import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type LoadState,
  type Model,
  NO_FEATURES,
} from '../domain/model.js';
import { backendId } from '../wire/address.js';
import type {
  Backend,
  BackendAddress,
  BackendPorts,
  BackendType,
  ChatEvent,
  ChatRequest,
  LoadOptions,
} from './backend.js';
import { BackendError } from './backend.js';
import { ASK_TIMEOUT_MS, BackendWire, pause } from './backend-wire.js';
import { streamChat } from './chat-stream.js';
import { asArray, asObject, asText, field } from './json.js';
import { isLlamaCppFamily, isLocalAi, LOCAL_AI_PATH, ownerOf } from './recognise.js';
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import {
  type OllamaDetails,
  type OllamaLoaded,
  detailsFromList,
  detailsFromShow,
  findLoaded,
  loadedFromPs,
  ollamaModel,
} from './ollama-models.js';
import { OllamaReader } from './ollama-reader.js';

const PLACE = { kind: 'ollama', title: 'Ollama', startCommand: 'ollama serve' };
const SHOW_TIMEOUT_MS = 10_000;
const SHOWS_AT_ONCE = 4;
/** Before a chat: long enough for an idle server, short enough not to be felt. */
const GLANCE_TIMEOUT_MS = 400;
/** The server gives up on a load after five minutes without progress. */
const LOAD_TIMEOUT_MS = 15 * 60_000;
const UNLOAD_TIMEOUT_MS = 30_000;
const UNLOAD_POLL_MS = 250;

const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  load: true,
  unload: true,
  contextSize: true,
  memory: true,
};

export const ollama: BackendType = {
  ...PLACE,
  title: 'ollama',
  defaultPorts: [11434],
  logPlace:
    '`journalctl -u ollama` on Linux, `~/.ollama/logs/server.log` on macOS, `%LOCALAPPDATA%\\Ollama\\server.log` on Windows',
  features: FEATURES,
  notConcerned: {},
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

/** Ollama by its own interface; the OpenAI one hides errors, times and the context. */
class Ollama implements Backend {
  readonly info: BackendInfo;
  readonly #wire: BackendWire;
  readonly #details = new Map<string, OllamaDetails>();
  /** What the last answered `/api/ps` said: it hangs while a model is being loaded. */
  #loaded: readonly OllamaLoaded[] | null = null;
  readonly #loading = new Set<string>();
  /** Since when (monotonic) an unload is under way. */
  readonly #unloading = new Map<string, number>();

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
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
    const [list, running] = await Promise.all([
      this.#wire.askJson({ path: '/api/tags', signal }),
      this.#ps(signal, ASK_TIMEOUT_MS),
    ]);
    const loaded = running ?? this.#loaded;
    const items = new Map<
      string,
      { readonly item: Readonly<Record<string, unknown>>; readonly digest: string | null }
    >();
    for (const entry of asArray(field(asObject(list), 'models'))) {
      const item = asObject(entry);
      const name = asText(field(item, 'name')) ?? asText(field(item, 'model'));
      if (item !== null && name !== null) items.set(name, { item, digest: asText(field(item, 'digest')) });
    }
    await this.#learnDetails(items, signal);
    return [...items].map(([name, { item, digest }]) => {
      const details = this.#details.get(digest ?? name) ?? detailsFromList(item);
      const found = loaded === null ? null : findLoaded(loaded, name, digest);
      return ollamaModel(item, name, this.info.id, details, found, this.#loadState(name, loaded, found));
    });
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const { model } = request;
    const loaded = await this.#ps(signal, GLANCE_TIMEOUT_MS).catch(() => null);
    const cold = loaded !== null && !model.remote && findLoaded(loaded, model.name, model.digest) === null;
    if (cold) this.#loading.add(model.name);
    try {
      const thinks = model.capabilities?.includes('thinking') === true;
      let ended = yield* this.#stream(request, thinks, cold, signal);
      if (thinks && ended.fault?.code === 'unsupported' && /think/i.test(ended.fault.message)) {
        yield { type: 'note', text: 'Asked again without thinking: the model does not support it.' };
        ended = yield* this.#stream(request, false, cold, signal);
      }
      if (ended.outcome === 'cancelled' && this.#loading.has(model.name)) {
        yield { type: 'note', text: 'The model was still being loaded: that was stopped too.' };
      }
      yield ended;
    } finally {
      this.#loading.delete(model.name);
    }
  }

  async load(model: Model, { keepAlive }: LoadOptions, signal: AbortSignal): Promise<void> {
    this.#loading.add(model.name);
    try {
      await this.#touch(model, keepAliveOf(keepAlive), signal, LOAD_TIMEOUT_MS);
    } finally {
      this.#loading.delete(model.name);
    }
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    this.#unloading.set(model.name, this.#wire.clock.monotonic());
    try {
      await this.#touch(model, { keep_alive: 0 }, signal, UNLOAD_TIMEOUT_MS);
    } catch (error) {
      this.#unloading.delete(model.name);
      throw error;
    }
    // The answer comes at once, the model goes when its last request is done.
    while (this.#unloading.has(model.name)) {
      const loaded = await this.#ps(signal, ASK_TIMEOUT_MS);
      const gone = loaded !== null && findLoaded(loaded, model.name, model.digest) === null;
      if (this.#unloadIsOver(model.name, gone)) break;
      await pause(this.#wire.clock, UNLOAD_POLL_MS, signal).catch((error: unknown) => {
        throw this.#wire.toBackendError(error);
      });
    }
  }

  close(): void {
    this.#wire.close();
  }

  #stream(request: ChatRequest, think: boolean, cold: boolean, signal: AbortSignal) {
    const { model } = request;
    const place = this.#wire.place(model.name);
    const body = {
      model: model.name,
      messages: request.messages,
      stream: true,
      // Without these the server drops old messages and shifts the context, and tells neither.
      truncate: false,
      shift: false,
      ...keepAliveOf(request.keepAlive),
      ...(think ? { think: true } : {}),
    };
    return streamChat({
      open: () =>
        this.#wire.openChat('/api/chat', body, signal, request.firstByteTimeoutMs, request.idleTimeoutMs),
      reader: new OllamaReader(place),
      wire: this.#wire,
      place,
      onWord: () => this.#loading.delete(model.name),
      afterSent: cold ? [{ type: 'loading', progress: null }] : [],
      signal,
    });
  }

  async #touch(
    model: Model,
    keepAlive: { keep_alive?: number | string },
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<void> {
    const body = { model: model.name, messages: [], stream: false, ...keepAlive };
    const answer = await this.#wire.askJson({
      method: 'POST',
      path: '/api/chat',
      body,
      signal,
      timeoutMs,
      model: model.name,
    });
    const error = field(asObject(answer), 'error');
    if (error !== undefined) throw new BackendError(this.#wire.faultOfBody(answer, model.name));
  }

  /** Null when it did not answer in time: it is loading a model. */
  async #ps(signal: AbortSignal, timeoutMs: number): Promise<readonly OllamaLoaded[] | null> {
    try {
      const body = await this.#wire.askJson({ path: '/api/ps', signal, timeoutMs });
      this.#loaded = loadedFromPs(body, this.#wire.clock.now());
      return this.#loaded;
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }

  async #learnDetails(
    items: ReadonlyMap<
      string,
      { readonly item: Readonly<Record<string, unknown>>; readonly digest: string | null }
    >,
    signal: AbortSignal,
  ): Promise<void> {
    const unknown = new Map<string, string>();
    for (const [name, { item, digest }] of items) {
      const listed = detailsFromList(item);
      if (listed.capabilities !== null && listed.contextMax !== null) continue;
      if (!this.#details.has(digest ?? name)) unknown.set(digest ?? name, name);
    }
    const queue = [...unknown];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        await this.#show(next[0], next[1], signal);
    };
    await Promise.all(Array.from({ length: SHOWS_AT_ONCE }, work));
  }

  /** A model whose details cannot be read is listed without them. */
  async #show(digest: string, name: string, signal: AbortSignal): Promise<void> {
    try {
      const body = await this.#wire.askJson({
        method: 'POST',
        path: '/api/show',
        body: { model: name },
        signal,
        timeoutMs: SHOW_TIMEOUT_MS,
      });
      this.#details.set(digest, detailsFromShow(body));
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }

  #loadState(name: string, loaded: readonly OllamaLoaded[] | null, found: OllamaLoaded | null): LoadState {
    if (found !== null && this.#unloading.has(name))
      return this.#unloadIsOver(name, false) ? 'loaded' : 'unloading';
    if (loaded !== null && found === null) this.#unloading.delete(name);
    if (found !== null) return 'loaded';
    if (this.#loading.has(name)) return 'loading';
    return loaded === null ? 'unknown' : 'unloaded';
  }

  /** After half a minute it is in use by somebody and stays. */
  #unloadIsOver(name: string, gone: boolean): boolean {
    const since = this.#unloading.get(name);
    if (since !== undefined && !gone && this.#wire.clock.monotonic() - since < UNLOAD_TIMEOUT_MS)
      return false;
    this.#unloading.delete(name);
    return true;
  }
}

/** A number is seconds, anything else a duration as Go writes it. */
function keepAliveOf(text: string): { keep_alive?: number | string } {
  if (text === '') return {};
  return { keep_alive: /^-?\d+$/.test(text) ? Number(text) : text };
}

function textLine(value: unknown): string | null {
  const text = asText(value);
  return text === null ? null : sanitizeLine(text).slice(0, 40);
}
