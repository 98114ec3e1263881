import { faultWords } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { type BackendFeatures, type Model, NO_FEATURES, type PullProgress } from '../domain/model.js';
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import {
  type BackendAddress,
  BackendError,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
  type LoadOptions,
} from './backend.js';
import { pause } from './backend-wire.js';
import type { ErrorText } from './error-text.js';
import { asObject, asText, field } from './json.js';
import { localAiDelete, localAiPull } from './localai-jobs.js';
import { abilitiesOf, loadedOf, memoryOf, withFacts } from './localai-models.js';
import { NO_NDJSON, ONLY_OLLAMA } from './not-concerned.js';
import { OpenAiServer } from './openai-server.js';
import { LOCAL_AI_PATH, isLlamaCppFamily, isLocalAi, ownerOf } from './recognise.js';

const PLACE = {
  kind: 'localai',
  title: 'LocalAI',
  startCommand: 'local-ai run',
  logPlace: 'its terminal or container (more with `--log-level=debug`)',
  refine,
};
/** When the server does not say when to ask again. */
const ASK_AGAIN_MS = 5000;
const MONITORS_AT_ONCE = 4;

const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  load: true,
  unload: true,
  pull: true,
  delete: true,
  loadProgress: true,
  contextSize: true,
  memory: true,
  metrics: true,
};

export const localai: BackendType = {
  kind: PLACE.kind,
  title: PLACE.title,
  startCommand: PLACE.startCommand,
  logPlace: PLACE.logPlace,
  defaultPorts: [8080],
  features: FEATURES,
  notConcerned: {
    ...NO_NDJSON,
    ...ONLY_OLLAMA,
    '30': 'its key counts for every question',
    '46': 'tells no progress of the prompt',
    '48': 'sends no `timings`',
    '59': 'about the stream of LM Studio',
    '82': 'no router',
    '84': 'about GPT4All',
    '90': 'has no metrics of tokens or requests in work',
  },
  async recognises(list, probe) {
    return mayBeLocalAi(list) && isLocalAi(await probe(LOCAL_AI_PATH));
  },
  create: (address, ports) => new LocalAi(address, ports),
};

/** Its list names no owner. Its own page, without a key too, is asked for only where that fits: others show a wrong question as an error. */
function mayBeLocalAi(list: WholeAnswer): boolean {
  const marked =
    isLlamaCppFamily(list) ||
    list.headers['x-powered-by'] !== undefined ||
    Object.keys(list.headers).some((name) => name.startsWith('x-litellm-'));
  return !marked && ownerOf(list) === null && [200, 401, 403, 503].includes(list.status);
}

/** LocalAI by its native interface; the one that it borrows from Ollama tells neither sizes nor errors. */
class LocalAi extends OpenAiServer {
  /** Questions that are refused to this key. */
  readonly #forbidden = new Set<string>();

  constructor(address: BackendAddress, ports: BackendPorts) {
    super(
      {
        place: PLACE,
        title: PLACE.title,
        features: FEATURES,
        fields: { stream_options: { include_usage: true } },
        // Adds the times of prompt and answer to the usage.
        headers: { 'extra-usage': '1' },
        healthPath: '/readyz',
      },
      address,
      ports,
    );
  }

  override async models(signal: AbortSignal): Promise<readonly Model[]> {
    const [models, abilities, system] = await Promise.all([
      super.models(signal),
      this.#told('/v1/models/capabilities', signal),
      this.#told('/system', signal),
    ]);
    const loaded = system === null ? null : loadedOf(system);
    const memory = await this.#memory(
      models.filter(({ name }) => loaded?.has(name)),
      signal,
    );
    const facts = { abilities: abilities === null ? null : abilitiesOf(abilities), loaded, memory };
    this.offers({ memory: !this.#forbidden.has('/system') });
    return models.map((model) => {
      const told = withFacts(model, facts);
      return { ...told, chat: told.chat && model.chat };
    });
  }

  /** A load that takes long, on another machine, is answered with how far it is: then the same is asked again at the stated time. */
  override async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const { clock } = this.wire;
    const since = clock.monotonic();
    for (;;) {
      let ended: Extract<ChatEvent, { type: 'ended' }> | null = null;
      for await (const event of super.chat(request, signal)) {
        if (event.type === 'ended') ended = event;
        else yield event;
      }
      const fault = ended?.fault ?? null;
      const waitMs = fault?.retryAfterMs ?? ASK_AGAIN_MS;
      const limitMs = request.firstByteTimeoutMs;
      const patient = limitMs <= 0 || clock.monotonic() - since + waitMs < limitMs;
      if (fault?.code !== 'loading' || !patient) {
        if (ended !== null) yield ended;
        return;
      }
      yield { type: 'loading', progress: fault.loadProgress ?? null, source: 'model_loading' };
      try {
        await pause(clock, waitMs, signal);
      } catch {
        yield { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
        return;
      }
    }
  }

  async load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    const path = '/backend/load';
    // It answers when the model is loaded, and tells nothing until then.
    options.onProgress(null, path);
    const body = { model: model.name };
    const timeoutMs = this.wire.limits.loadMs;
    await this.wire.askJson({ method: 'POST', path, body, signal, timeoutMs, model: model.name });
  }

  async unload(model: Model, signal: AbortSignal): Promise<void> {
    const body = { model: model.name };
    const timeoutMs = this.wire.limits.unloadMs;
    const ask = { method: 'POST', path: '/backend/shutdown', body, signal, timeoutMs } as const;
    const answer = await this.wire.ask(ask);
    // 404: it is not loaded, which is what was wanted.
    if ((answer.status >= 200 && answer.status <= 299) || answer.status === 404) return;
    throw new BackendError(this.wire.faultOf(answer, model.name));
  }

  pull(name: string, signal: AbortSignal): AsyncIterable<PullProgress> {
    return localAiPull(this.wire, name, this.wire.limits.pullMs, signal);
  }

  async delete(model: Model, signal: AbortSignal): Promise<void> {
    await localAiDelete(this.wire, model.name, this.wire.limits.unloadMs, signal);
  }

  protected override async askVersion(signal: AbortSignal): Promise<string | null> {
    const version = asText(field(asObject(await this.#told(LOCAL_AI_PATH, signal)), 'version'));
    return version === null ? null : sanitizeLine(version).slice(0, 40);
  }

  protected override onAway(): void {
    super.onAway();
    this.#forbidden.clear();
  }

  /** What is told beside the list. Null: not offered, not to this key, or not now; the list stands without it. */
  async #told(path: string, signal: AbortSignal): Promise<unknown> {
    if (this.#forbidden.has(path)) return null;
    try {
      return (await this.optional(path, signal))?.json ?? null;
    } catch (error) {
      if (signal.aborted) throw error;
      const { code } = this.wire.toBackendError(error).fault;
      if (code === 'forbidden' || code === 'unauthorized') this.#forbidden.add(path);
      return null;
    }
  }

  /** Of loaded models only: the question about another might load it. */
  async #memory(models: readonly Model[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    const queue = [...models];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const path = `/backend/monitor?model=${encodeURIComponent(next.name)}`;
        const bytes = memoryOf(await this.#told(path, signal));
        if (bytes !== null) found.set(next.name, bytes);
      }
    };
    await Promise.all(Array.from({ length: MONITORS_AT_ONCE }, work));
    return found;
  }
}

function refine(fault: Fault, told: ErrorText): Fault {
  if (fault.status === 503 && /"status"\s*:\s*"starting"/.test(told.message))
    return { ...fault, ...faultWords('starting', { title: 'LocalAI' }) };
  if (fault.status === 403) return { ...fault, ...faultWords('localai-administrator') };
  if (fault.code === 'server-error' && told.message === '')
    return { ...fault, hint: faultWords('localai-opaque').hint };
  return fault;
}
