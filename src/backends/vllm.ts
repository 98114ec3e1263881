import { faultWords } from '../domain/fault-table.js';
import type { ChatMessage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import {
  type BackendFeatures,
  type LoadState,
  type Model,
  type ModelDetails,
  NO_FEATURES,
} from '../domain/model.js';
import { CounterRates, type Sample, averageOf, parsePrometheus, sumOf } from '../wire/prometheus.js';
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type {
  Activity,
  BackendAddress,
  BackendPorts,
  BackendType,
  ChatEvent,
  ChatRequest,
} from './backend.js';
import { pause } from './backend-wire.js';
import { NO_DETAILS } from './details.js';
import type { ErrorText } from './error-text.js';
import { type JsonObject, asArray, asObject, asSize, asText, field } from './json.js';
import { OpenAiServer, type ServerLoad } from './openai-server.js';
import { KEEPS_ITS_MODELS, NO_NDJSON, OF_OTHER_KINDS, ONLY_OLLAMA } from './not-concerned.js';
import { isModelList } from './recognise.js';

/** A request that is taken up at once answers faster than this: then nobody needs to ask for a queue. */
const QUEUE_LOOK_MS = 400;
const RUNNING = 'vllm:num_requests_running';
const WAITING = 'vllm:num_requests_waiting';
/** The newer name goes first. */
const KV_USE = ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'];
const SLEEP_STATE = 'vllm:engine_sleep_state';
const SLEEPING = ['weights_offloaded', 'discard_all'];
const GENERATED = 'vllm:generation_tokens_total';
const METRICS = new Set([RUNNING, WAITING, SLEEP_STATE, GENERATED, ...KV_USE]);

const FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  contextSize: true,
  queue: true,
  metrics: true,
  prefill: true,
  promptCount: true,
};

const PLACE = {
  kind: 'vllm',
  title: 'vLLM',
  startCommand: 'vllm serve MODEL',
  logPlace: 'its terminal (standard output)',
  refine,
};

export const vllm: BackendType = {
  kind: PLACE.kind,
  title: PLACE.title,
  startCommand: PLACE.startCommand,
  logPlace: PLACE.logPlace,
  defaultPorts: [8000],
  features: FEATURES,
  notConcerned: {
    ...NO_NDJSON,
    ...ONLY_OLLAMA,
    ...KEEPS_ITS_MODELS,
    ...OF_OTHER_KINDS,
    '34': 'does not open its port before it is ready',
    '46': 'tells no progress of the prompt',
    '48': 'sends no `timings`',
    '79': 'tells no sizes',
  },
  recognises: isVllm,
  create: (address, ports) => new Vllm(address, ports),
};

function isVllm(list: WholeAnswer): boolean {
  if (list.status === 401) return field(asObject(list.json), 'error') === 'Unauthorized';
  if (!isModelList(list)) return false;
  const items = asArray(field(asObject(list.json), 'data')).map(asObject);
  // SGLang tells max_model_len, too, and its own name.
  return items.some((item) => {
    const owner = asText(field(item, 'owned_by'));
    return owner === 'vllm' || (owner !== 'sglang' && asSize(field(item, 'max_model_len')) !== null);
  });
}

class Vllm extends OpenAiServer {
  readonly #rates = new CounterRates();
  /** What the list told of each model, by its name. */
  readonly #items = new Map<string, JsonObject>();
  #metrics: readonly Sample[] = [];
  #perSecond: number | null = null;
  #tokenizes = true;

  constructor(address: BackendAddress, ports: BackendPorts) {
    const fields = { stream_options: { include_usage: true, continuous_usage_stats: true } };
    const profile = { place: PLACE, title: vllm.title, features: FEATURES, fields, healthPath: '/health' };
    super(profile, address, ports);
  }

  override async models(signal: AbortSignal): Promise<readonly Model[]> {
    const models = await super.models(signal);
    for (const name of this.#items.keys())
      if (!models.some((model) => model.name === name)) this.#items.delete(name);
    // An adapter runs in the engine of its base model, with what that has.
    return models.map((model) => {
      const base = models.find(({ name }) => name === this.#parentOf(model.name));
      if (base === undefined) return model;
      const contextAllocated = model.contextAllocated ?? base.contextAllocated;
      return { ...model, contextAllocated, family: `LoRA of ${base.label}` };
    });
  }

  /** Names, adapters and figures of the engine; of the figures those that it told last. */
  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    await this.#askMetrics(signal);
    const item = this.#items.get(model.name) ?? null;
    const facts = [
      ['adapter of', asText(field(item, 'parent'))],
      ['weights at', asText(field(item, 'root'))],
      ['KV cache in use', percent(this.#ofModel(averageOf, KV_USE, model))],
      ['requests running', count(this.#ofModel(sumOf, [RUNNING], model))],
      ['requests waiting', count(this.#ofModel(sumOf, [WAITING], model))],
      ['tokens per second, all requests', this.#perSecond?.toFixed(1) ?? null],
    ] as const;
    return {
      ...NO_DETAILS,
      facts: facts.flatMap(([name, value]) => (value === null ? [] : [[name, sanitizeLine(value)] as const])),
    };
  }

  async activity(model: Model, signal: AbortSignal): Promise<Activity> {
    const told = await this.#askMetrics(signal);
    return { working: told ? this.#ofModel(sumOf, [RUNNING], model) : null, source: RUNNING };
  }

  /** By the engine's own tokenizer and template: this asks the front of the server and never the engine. */
  async countTokens(
    model: Model,
    messages: readonly ChatMessage[],
    signal: AbortSignal,
  ): Promise<number | null> {
    if (!this.#tokenizes) return null;
    const body = { model: model.name, messages };
    const timeoutMs = this.wire.limits.listMs;
    const answer = await this.wire.ask({ method: 'POST', path: '/tokenize', body, signal, timeoutMs });
    if ([404, 405, 501].includes(answer.status)) this.#tokenizes = false;
    return answer.status === 200 ? asSize(field(asObject(answer.json), 'count')) : null;
  }

  protected override fieldsOf(request: ChatRequest): Readonly<Record<string, unknown>> {
    return request.continues === true ? { continue_final_message: true, add_generation_prompt: false } : {};
  }

  /** What waits was the last to come: a queue at the first look is one that this request stands in. */
  protected override watchOf(request: ChatRequest) {
    let queued = false;
    let over = false;
    return {
      whileWaiting: async (signal: AbortSignal): Promise<ChatEvent | null> => {
        while (!over) {
          await pause(this.wire.clock, QUEUE_LOOK_MS, signal);
          if (!(await this.#askMetrics(signal))) return null;
          const waiting = this.#ofModel(sumOf, [WAITING], request.model);
          over = waiting === null || waiting === 0;
          if (over) return waiting === null ? null : PREFILL;
          if (!queued) {
            queued = true;
            return { type: 'queued', source: WAITING };
          }
        }
        return null;
      },
    };
  }

  protected override modelOf(item: JsonObject, name: string, loadState: LoadState): Model {
    this.#items.set(name, item);
    return super.modelOf(item, name, loadState);
  }

  /** Everything that is listed is loaded, unless the engine was put to sleep. */
  protected override loadStateOf(): LoadState {
    const asleep = SLEEPING.some(
      (state) => (sumOf(this.#metrics, SLEEP_STATE, { sleep_state: state }) ?? 0) > 0,
    );
    return asleep ? 'unloaded' : 'loaded';
  }

  protected override async askVersion(signal: AbortSignal): Promise<string | null> {
    const answer = await this.optional('/version', signal);
    const version = asText(field(asObject(answer?.json), 'version'));
    return version === null ? null : sanitizeLine(version).slice(0, 20);
  }

  protected override async askLoad(signal: AbortSignal): Promise<ServerLoad> {
    const told = await this.#askMetrics(signal);
    this.offers({ queue: told, metrics: told });
    return { processing: sumOf(this.#metrics, RUNNING), queued: sumOf(this.#metrics, WAITING) };
  }

  protected override onAway(): void {
    super.onAway();
    this.#rates.clear();
    this.#metrics = [];
    this.#perSecond = null;
    this.#tokenizes = true;
  }

  /** False when this server has none (`--disable-log-stats` and proxies). */
  async #askMetrics(signal: AbortSignal): Promise<boolean> {
    const answer = await this.optional('/metrics', signal);
    this.#metrics = answer === null ? [] : parsePrometheus(answer.text, METRICS);
    const tokens = sumOf(this.#metrics, GENERATED);
    this.#perSecond = this.#rates.perSecond('tokens', tokens, this.wire.clock.monotonic());
    return sumOf(this.#metrics, RUNNING) !== null;
  }

  /** Of this model where the metrics name it (an adapter counts as its base model), else of all together. */
  #ofModel(figure: typeof sumOf, names: readonly string[], model: Model): number | null {
    for (const name of names) {
      for (const owner of [model.name, this.#parentOf(model.name)]) {
        const value = owner === null ? null : figure(this.#metrics, name, { model_name: owner });
        if (value !== null) return value;
      }
      const value = figure(this.#metrics, name);
      if (value !== null) return value;
    }
    return null;
  }

  #parentOf(name: string): string | null {
    return asText(field(this.#items.get(name) ?? null, 'parent'));
  }
}

/** It does not tell how far it is. */
const PREFILL: ChatEvent = {
  type: 'prefill',
  progress: { processed: 0, total: 0, cached: 0 },
  source: RUNNING,
};

function percent(share: number | null): string | null {
  return share === null ? null : `${Math.round(share * 100)} %`;
}

function count(value: number | null): string | null {
  return value === null ? null : String(value);
}

function refine(fault: Fault, told: ErrorText): Fault {
  if (fault.code === 'busy' && fault.status === 503 && told.message === '')
    return { ...fault, ...faultWords('vllm-dead', { start: PLACE.startCommand }) };
  const general = fault.code === 'server-error' || fault.code === 'unsupported';
  if (!general || !/chat.template/i.test(told.message)) return fault;
  return { ...fault, hint: faultWords('vllm-template').hint };
}
