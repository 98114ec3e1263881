import { type FaultId, faultWords } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { type LoadState, type Model, type ModelDetails, NO_FEATURES } from '../domain/model.js';
import type { WireAnswer } from '../wire/http.js';
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { BackendAddress, BackendPorts, BackendType, ChatEvent, ChatRequest, Probe } from './backend.js';
import { type ErrorText, sentenceOf } from './error-text.js';
import { asCount, asObject, asText, field } from './json.js';
import { type Deployments, deploymentsOf, describeDeployments } from './litellm-models.js';
import { KEEPS_ITS_MODELS, NO_NDJSON, OF_OTHER_KINDS, ONLY_OLLAMA } from './not-concerned.js';
import { OpenAiServer } from './openai-server.js';
import { isPage } from './recognise.js';

/** Never `/health`: that sends a real request to every model. */
const ALIVE_PATH = '/health/liveliness';
const ALIVE = "I'm alive!";
/** It gives every model the same date. */
const CREATED = 1677610602;
/** `/model/info` has some seven kilobytes for each model. */
const INFO_MS = 300_000;

/** What a good key may not do, by the type of the error; the status is 400, 401, 403 or 429 in turn. */
const KEY_LIMITS: Readonly<Record<string, FaultId>> = {
  key_model_access_denied: 'litellm-key-model',
  team_model_access_denied: 'litellm-team-model',
  budget_exceeded: 'litellm-budget',
};

export const litellm: BackendType = {
  kind: 'litellm',
  title: 'LiteLLM',
  defaultPorts: [4000],
  startCommand: 'litellm --config config.yaml',
  logPlace: 'its terminal (standard output)',
  features: { ...NO_FEATURES, thinking: true },
  notConcerned: {
    ...NO_NDJSON,
    ...ONLY_OLLAMA,
    ...KEEPS_ITS_MODELS,
    ...OF_OTHER_KINDS,
    '34': 'does not open its port before it is ready',
    '46': 'does not pass on the progress of the prompt',
    '48': 'does not pass on `timings`',
    '58': 'repeats the errors of others in its own form',
    '79': 'tells no sizes',
    '89': 'its metrics are about its keys and costs',
    '90': 'its metrics are about its keys and costs',
  },
  recognises: isLiteLlm,
  create: (address, ports) => new LiteLlm(address, ports),
};

async function isLiteLlm(list: WholeAnswer, probe: Probe): Promise<boolean> {
  if (Object.keys(list.headers).some((name) => name.startsWith('x-litellm-'))) return true;
  if (!mayBeIt(list)) return false;
  const alive = await probe(ALIVE_PATH).catch(() => null);
  return alive?.status === 200 && alive.json === ALIVE;
}

/** An empty list, one with its date, and the ways in which it refuses a key. */
function mayBeIt(list: WholeAnswer): boolean {
  if (isPage(list)) return false;
  if (list.status !== 200) return [400, 401, 403, 500].includes(list.status);
  const items = field(asObject(list.json), 'data');
  return Array.isArray(items) && items.every((item) => field(asObject(item), 'created') === CREATED);
}

/** A proxy in front of other servers: it knows what was told to it of their models, and nothing of what they do. */
class LiteLlm extends OpenAiServer {
  #deployments: Deployments = new Map();
  /** For which list of names, and when, the deployments were asked for. */
  #asked = { names: '', atMs: -Infinity };

  constructor(address: BackendAddress, ports: BackendPorts) {
    const place = {
      kind: litellm.kind,
      title: litellm.title,
      startCommand: litellm.startCommand,
      logPlace: litellm.logPlace,
      refine: (fault: Fault, told: ErrorText) => refine(fault, told, address),
    };
    const fields = { stream_options: { include_usage: true } };
    const profile = {
      place,
      title: litellm.title,
      features: litellm.features,
      fields,
      healthPath: ALIVE_PATH,
    };
    super(profile, address, ports);
  }

  override async models(signal: AbortSignal): Promise<readonly Model[]> {
    const models = await super.models(signal);
    await this.#askDeployments(JSON.stringify(models.map(({ name }) => name)), signal);
    return models.map((model) => ({ ...model, ...this.#deployments.get(model.name)?.model }));
  }

  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    if (!this.#deployments.has(model.name)) await this.models(signal);
    return describeDeployments(this.#deployments.get(model.name) ?? null);
  }

  /** Behind one name may stand several models, and another name when the asked one failed. */
  protected override onHead(headers: WireAnswer['headers'], request: ChatRequest): readonly ChatEvent[] {
    const fallbacks = asCount(Number(headers['x-litellm-attempted-fallbacks'] ?? 0)) ?? 0;
    if (fallbacks === 0) return [];
    const group = asText(headers['x-litellm-model-group']) ?? asText(headers['x-litellm-model-name']);
    const note: ChatEvent = { type: 'note', text: `LiteLLM fell back from ${request.model.label}.` };
    return group === null || group === request.model.name
      ? [note]
      : [{ type: 'answering-model', name: sanitizeLine(group) }, note];
  }

  protected override loadStateOf(): LoadState {
    return 'unknown';
  }

  protected override async askVersion(signal: AbortSignal): Promise<string | null> {
    const answer = await this.optional('/health/readiness', signal);
    const version = asText(field(asObject(answer?.json), 'litellm_version'));
    return version === null ? null : sanitizeLine(version).slice(0, 20);
  }

  protected override onAway(): void {
    super.onAway();
    this.#asked = { names: '', atMs: -Infinity };
  }

  async #askDeployments(names: string, signal: AbortSignal): Promise<void> {
    const now = this.wire.clock.monotonic();
    if (names === this.#asked.names && now < this.#asked.atMs + INFO_MS) return;
    const timeoutMs = this.wire.limits.detailsMs;
    const answer = await this.wire.ask({ path: '/model/info', signal, timeoutMs }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    });
    // Some keys may not read it: then the names are all there is.
    this.#deployments = answer?.status === 200 ? deploymentsOf(answer.json) : new Map();
    this.#asked = { names, atMs: now };
  }
}

/** Without a key, and without a database, it fails with a bare 500 where it should refuse. */
function refine(fault: Fault, told: ErrorText, { url, key }: BackendAddress): Fault {
  if (key === null && fault.status === 500 && told.message === 'Internal Server Error') {
    return { ...fault, ...faultWords('key', { title: litellm.title, place: url }) };
  }
  const limit = KEY_LIMITS[told.type];
  if (limit !== undefined) return { ...fault, ...faultWords(limit, { words: sentenceOf(told.message) }) };
  if (told.type === 'expired_key') return { ...fault, ...faultWords('litellm-expired', { place: url }) };
  if (fault.code === 'unauthorized') return fault;
  const words = wordsOf(told.message);
  const message = fault.message.startsWith(litellm.title) || words === '' ? fault.message : sentenceOf(words);
  switch (fault.code) {
    case 'context-full':
      return { ...fault, message };
    case 'server-error':
      return /connection error|connect call failed|cannot connect|connection refused/i.test(told.message)
        ? { ...fault, ...faultWords('litellm-upstream', { words: message }) }
        : { ...fault, message };
    default:
      return fault;
  }
}

/**
 * What happened, without the chain of its Python classes; the parameters of the request stand in a line below, and advice for who wrote
 * the configuration behind an empty one.
 */
function wordsOf(message: string): string {
  const told = message.split(/\n(?:model=|\s*\n)/)[0] ?? '';
  return told.replace(/^(?:(?:litellm\.)?\w+Error: )+(?=.)/, '');
}
