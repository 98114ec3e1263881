import { faultWords } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { type Model, NO_FEATURES } from '../domain/model.js';
import { isPublic } from '../wire/address.js';
import type { BackendAddress, BackendPorts, BackendType } from './backend.js';
import type { ErrorText } from './error-text.js';
import type { JsonObject } from './json.js';
import { KEEPS_ITS_MODELS, NO_NDJSON, OF_OTHER_KINDS, ONLY_OLLAMA } from './not-concerned.js';
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
  // What another kind has is read here, too, when it comes (46, 48, 58): nobody knows who answers.
  notConcerned: {
    ...NO_NDJSON,
    ...ONLY_OLLAMA,
    ...KEEPS_ITS_MODELS,
    ...OF_OTHER_KINDS,
    '30': 'only its list of models can be asked for nothing',
    '34': 'nothing but a chat tells whether a model is ready',
    '89': 'its metrics are not asked for',
    '90': 'its metrics are not asked for',
  },
  // A server that wants a key is one too: its check says so.
  recognises: (list) => isModelList(list) || ([401, 403].includes(list.status) && !isPage(list)),
  create: (address, ports) => new OpenAi(address, ports),
};

class OpenAi extends OpenAiServer {
  readonly #remote: boolean;

  constructor(address: BackendAddress, ports: BackendPorts) {
    const place = { kind: openai.kind, title: 'The server', startCommand: '', refine };
    const fields = { stream_options: { include_usage: true } };
    super({ place, title: openai.title, features: openai.features, fields }, address, ports);
    this.#remote = isPublic(address.url);
  }

  protected override modelOf(item: JsonObject, name: string): Model {
    return { ...super.modelOf(item, name, 'unknown'), remote: this.#remote };
  }
}

/** A bill that is not paid comes as "too many requests", which no waiting changes. */
function refine(fault: Fault, told: ErrorText): Fault {
  if (!/insufficient_quota/.test(`${told.type} ${told.code}`)) return fault;
  return { ...fault, ...faultWords('no-credit', { words: fault.message }) };
}
