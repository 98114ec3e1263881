import { type Model, NO_FEATURES } from '../domain/model.js';
import { isPublic } from '../wire/address.js';
import type { BackendAddress, BackendPorts, BackendType } from './backend.js';
import type { JsonObject } from './json.js';
import { OpenAiServer } from './openai-server.js';
import { isModelList, isPage } from './recognise.js';

/** Any server with the OpenAI dialect that no other entry knows better, also one far away with a key: lists and chats, nothing else. */
export const openai: BackendType = {
  kind: 'openai',
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

class OpenAi extends OpenAiServer {
  readonly #remote: boolean;

  constructor(address: BackendAddress, ports: BackendPorts) {
    const place = { kind: openai.kind, title: 'The server', startCommand: '' };
    const fields = { stream_options: { include_usage: true } };
    super({ place, title: openai.title, features: openai.features, fields }, address, ports);
    this.#remote = isPublic(address.url);
  }

  protected override modelOf(item: JsonObject, name: string): Model {
    return { ...super.modelOf(item, name, 'unknown'), remote: this.#remote };
  }
}
