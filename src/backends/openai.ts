import { type BackendCheck, type BackendInfo, type Model, NO_FEATURES } from '../domain/model.js';
import { backendId } from '../wire/address.js';
import {
  type Backend,
  type BackendAddress,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
} from './backend.js';
import { BackendWire } from './backend-wire.js';
import { openAiChat } from './openai-chat.js';
import { listedModels, openAiModel } from './openai-models.js';
import { isModelList, isPage } from './recognise.js';

const PLACE = { kind: 'openai', title: 'The server', startCommand: '' };

/** Any server with the OpenAI dialect that no other entry knows better: lists and chats, nothing else. */
export const openai: BackendType = {
  kind: PLACE.kind,
  title: 'openai',
  defaultPorts: [],
  startCommand: '',
  logPlace: 'where it was started',
  features: { ...NO_FEATURES, thinking: true },
  notConcerned: {},
  // A server that wants a key is one too: its check says so.
  recognises: (list) => isModelList(list) || ([401, 403].includes(list.status) && !isPage(list)),
  create: (address, ports) => new OpenAi(address, ports),
};

class OpenAi implements Backend {
  readonly info: BackendInfo;
  readonly #wire: BackendWire;

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.info = {
      id: backendId(PLACE.kind, address.url),
      kind: PLACE.kind,
      title: 'openai',
      url: address.url,
      features: openai.features,
    };
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    const unknown = { version: null, processing: null, queued: null };
    try {
      await this.#wire.askJson({ path: '/v1/models', signal });
      this.#wire.heard();
      return { status: { state: 'ready' }, ...unknown };
    } catch (error) {
      return { status: this.#wire.statusOf(error), ...unknown };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    const body = await this.#wire.askJson({ path: '/v1/models', signal });
    return [...listedModels(body)].map(([name, item]) => openAiModel(item, name, this.info.id, 'unknown'));
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const extras = { stream_options: { include_usage: true } };
    let ended = yield* openAiChat(this.#wire, request, extras, signal);
    // Strict servers refuse a field that they do not know.
    if (ended.fault?.status === 400 && /stream_options/.test(ended.fault.message)) {
      ended = yield* openAiChat(this.#wire, request, {}, signal);
    }
    yield ended;
  }

  close(): void {
    this.#wire.close();
  }
}
