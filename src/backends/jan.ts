import { faultWords } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { type BackendFeatures, type LoadState, NO_FEATURES } from '../domain/model.js';
import type { WholeAnswer } from '../wire/read.js';
import type { BackendAddress, BackendPorts, BackendType, Probe } from './backend.js';
import { type ErrorText, sentenceOf } from './error-text.js';
import { type JsonObject, asArray, asObject, asText, field } from './json.js';
import { KEEPS_ITS_MODELS, NO_NDJSON, OF_OTHER_KINDS, ONLY_OLLAMA } from './not-concerned.js';
import { OpenAiServer } from './openai-server.js';
import { isModelList } from './recognise.js';

/** How it refuses, as plain text. */
const REFUSALS = [
  'Missing authorization header',
  'Invalid or missing authorization token',
  'Invalid host header',
  'Missing host header',
];
/** Its description of itself; every other question wants the key. */
const DESCRIPTION_PATH = '/openapi.json';

const FEATURES: BackendFeatures = { ...NO_FEATURES, thinking: true, promptProgress: true };

export const jan: BackendType = {
  kind: 'jan',
  title: 'Jan',
  defaultPorts: [1337],
  startCommand: 'the Jan app, Settings, Local API Server, Start Server',
  logPlace: 'in the app: Settings, Local API Server, Server Logs',
  features: FEATURES,
  notConcerned: {
    ...NO_NDJSON,
    ...ONLY_OLLAMA,
    ...KEEPS_ITS_MODELS,
    ...OF_OTHER_KINDS,
    '30': 'its key counts for every question',
    '34': 'lists a session when it is ready',
    '79': 'tells no sizes',
    '89': 'has no metrics',
    '90': 'has no metrics',
  },
  recognises: isJan,
  create: (address, ports) => new Jan(address, ports),
};

async function isJan(list: WholeAnswer, probe: Probe): Promise<boolean> {
  if ([400, 401, 403].includes(list.status)) return REFUSALS.includes(list.text.trim());
  if (!isModelList(list)) return false;
  const items = asArray(field(asObject(list.json), 'data')).map(asObject);
  if (items.length > 0) return items.every(isSession);
  // Nothing runs, and its list is as empty as that of others.
  const description = await probe(DESCRIPTION_PATH).catch(() => null);
  return /\bJan\b/.test(asText(field(asObject(field(asObject(description?.json), 'info')), 'title')) ?? '');
}

function isSession(item: JsonObject | null): boolean {
  return field(item, 'owned_by') === 'user' && field(item, 'created') === 1;
}

/** Jan's proxy in front of the sessions of llama.cpp that its app runs: it passes on what they say, and adds refusals in plain text. */
class Jan extends OpenAiServer {
  constructor(address: BackendAddress, ports: BackendPorts) {
    const { kind, title, startCommand, logPlace } = jan;
    // Those of llama.cpp; a session that refuses one is asked without it.
    const fields = {
      stream_options: { include_usage: true },
      return_progress: true,
      timings_per_token: true,
    };
    const place = { kind, title, startCommand, logPlace, refine };
    super({ place, title, features: FEATURES, fields }, address, ports);
  }

  /** Its list is of what runs; versions that list more than that do not sign their entries so. */
  protected override loadStateOf(item: JsonObject): LoadState {
    return isSession(item) ? 'loaded' : 'unknown';
  }
}

function refine(fault: Fault, told: ErrorText): Fault {
  const words = told.message;
  if (/^No models are available/.test(words)) return { ...fault, ...faultWords('jan-idle') };
  if (/^No running session found/.test(words))
    return { ...fault, ...faultWords('jan-not-this', { words: sentenceOf(words) }) };
  if (/^(Invalid|Missing) host header/.test(words))
    return { ...fault, ...faultWords('forbidden', { kind: jan.kind, words: fault.message }) };
  if (/^Proxy request to model failed/.test(words))
    return { ...fault, ...faultWords('jan-session-died', { words: fault.message }) };
  return fault;
}
