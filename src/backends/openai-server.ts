import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type LoadState,
  type Model,
} from '../domain/model.js';
import { backendId } from '../wire/address.js';
import type { WireAnswer } from '../wire/http.js';
import type { WholeAnswer } from '../wire/read.js';
import type { Backend, BackendAddress, BackendPorts, ChatEvent, ChatRequest } from './backend.js';
import { BackendError } from './backend.js';
import { BackendWire } from './backend-wire.js';
import type { FaultPlace } from './server-fault.js';
import type { JsonObject } from './json.js';
import { openAiChat, refusedField } from './openai-chat.js';
import { listedModels, openAiModel } from './openai-models.js';

/** Requests in work and waiting; null where the server does not tell. */
export interface ServerLoad {
  readonly processing: number | null;
  readonly queued: number | null;
}

const NOT_TOLD: ServerLoad = { processing: null, queued: null };

/** What a server of this dialect has to say of itself. */
export interface OpenAiProfile {
  /** `title` here is for sentences. */
  readonly place: Omit<FaultPlace, 'model'>;
  /** Shown in the list of servers. */
  readonly title: string;
  readonly features: BackendFeatures;
  /** Fields of a chat request beside model, messages and stream. One that the server refuses is left out from then on. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Headers of a chat request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A question that costs the server nothing, in place of its list of models. */
  readonly healthPath?: string;
}

/** A server with the OpenAI dialect: lists and chats. A kind of server says what is special about it. */
export class OpenAiServer implements Backend {
  protected readonly wire: BackendWire;
  readonly #profile: OpenAiProfile;
  #info: BackendInfo;
  /** Optional questions that this server does not answer; asked again after it was away. */
  readonly #missing = new Set<string>();
  readonly #refused = new Set<string>();
  /** Models that refused to chat: nothing in a list says so. */
  readonly #noChat = new Set<string>();
  #keyIsGood = false;
  #version: string | null = null;
  #versionIsDue = true;

  constructor(profile: OpenAiProfile, address: BackendAddress, ports: BackendPorts) {
    this.#profile = profile;
    this.wire = new BackendWire(address, ports, profile.place);
    this.#info = {
      id: backendId(profile.place.kind, address.url),
      kind: profile.place.kind,
      title: profile.title,
      url: address.url,
      features: profile.features,
    };
  }

  get info(): BackendInfo {
    return this.#info;
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    try {
      await this.#ask(signal);
      if (this.#versionIsDue) {
        this.#version = await this.askVersion(signal).catch(unlessRefused(this.#version));
        this.#versionIsDue = false;
      }
      const load = await this.askLoad(signal).catch(unlessRefused(NOT_TOLD));
      this.wire.heard();
      return { status: { state: 'ready' }, version: this.#version, ...load };
    } catch (error) {
      const status = this.wire.statusOf(error);
      if (status.state === 'away') this.onAway();
      return { status, version: this.#version, ...NOT_TOLD };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    // Another version, or none, is a sign of another server behind this address.
    this.#versionIsDue = true;
    const timeoutMs = this.wire.limits.listMs;
    const items = listedModels(await this.wire.askJson({ path: '/v1/models', signal, timeoutMs }));
    return [...items].map(([name, item]) => {
      const model = this.modelOf(item, name, this.loadStateOf(item, name));
      return this.#noChat.has(name) ? { ...model, chat: false } : model;
    });
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const extras = new Map(Object.entries({ ...this.#profile.fields, ...this.fieldsOf(request) }));
    for (const name of this.#refused) extras.delete(name);
    for (;;) {
      const more = {
        onHead: (headers: WireAnswer['headers']) => this.onHead(headers, request),
        ...this.watchOf(request),
      };
      const fields = Object.fromEntries(extras);
      const ended = yield* openAiChat(this.wire, request, fields, signal, more, this.#profile.headers);
      if (/not support chat/i.test(ended.fault?.message ?? '')) this.#noChat.add(request.model.name);
      const refused = refusedField(ended, [...extras.keys()]);
      if (refused === null) {
        yield ended;
        return;
      }
      this.#refused.add(refused);
      extras.delete(refused);
    }
  }

  close(): void {
    this.wire.close();
  }

  /** Fields for one request. */
  protected fieldsOf(_request: ChatRequest): Readonly<Record<string, unknown>> {
    return {};
  }

  /** What the head of an answer tells. */
  protected onHead(_headers: WireAnswer['headers'], _request: ChatRequest): readonly ChatEvent[] {
    return [];
  }

  /** How to look while an answer is waited for. */
  protected watchOf(_request: ChatRequest): {
    readonly whileWaiting?: (signal: AbortSignal) => Promise<ChatEvent | null>;
  } {
    return {};
  }

  protected modelOf(item: JsonObject, name: string, loadState: LoadState): Model {
    return openAiModel(item, name, this.#info.id, loadState);
  }

  protected loadStateOf(_item: JsonObject, _name: string): LoadState {
    return 'unknown';
  }

  /** Asked as often as the list of models. */
  protected askVersion(_signal: AbortSignal): Promise<string | null> {
    return Promise.resolve(null);
  }

  protected askLoad(_signal: AbortSignal): Promise<ServerLoad> {
    return Promise.resolve(NOT_TOLD);
  }

  /** Another server may answer when it is back: nothing that was found out counts any more. */
  protected onAway(): void {
    this.#missing.clear();
    this.#refused.clear();
    this.#noChat.clear();
    this.#keyIsGood = false;
    this.#version = null;
    this.#versionIsDue = true;
    this.offers(this.#profile.features);
  }

  /** What this server can do turned out to be less, or more. */
  protected offers(features: Partial<BackendFeatures>): void {
    const change = Object.entries(features).some(
      ([name, value]) => this.#info.features[name as keyof BackendFeatures] !== value,
    );
    if (change) this.#info = { ...this.#info, features: { ...this.#info.features, ...features } };
  }

  /** Null when the server does not offer it; it is then not asked again. Throws BackendError otherwise. */
  protected async optional(path: string, signal: AbortSignal): Promise<WholeAnswer | null> {
    if (this.#missing.has(path)) return null;
    const answer = await this.wire.ask({ path, signal });
    if (answer.status >= 200 && answer.status <= 299) return answer;
    if (answer.status !== 404 && answer.status !== 405 && answer.status !== 501)
      throw new BackendError(this.wire.faultOf(answer, null));
    this.#missing.add(path);
    return null;
  }

  /** The list of models wants the key where other questions do not: it is asked once, even when something cheaper tells the rest. */
  async #ask(signal: AbortSignal): Promise<void> {
    const { healthPath } = this.#profile;
    const health = healthPath === undefined ? null : await this.optional(healthPath, signal);
    if (health !== null && this.#keyIsGood) return;
    await this.wire.askJson({ path: '/v1/models', signal });
    this.#keyIsGood = true;
  }
}

/** A server that answers an additional question with an error is there all the same; one that does not answer is not. */
function unlessRefused<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof BackendError && error.fault.status !== null) return otherwise;
    throw error;
  };
}
