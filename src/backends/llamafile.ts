import type { ChatMessage } from '../domain/chat.js';
import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  type ModelDetails,
  NO_FEATURES,
  type PullProgress,
} from '../domain/model.js';
import type { WholeAnswer } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type {
  Activity,
  Backend,
  BackendAddress,
  BackendPorts,
  BackendType,
  ChatEvent,
  ChatRequest,
  LoadOptions,
} from './backend.js';
import { BackendWire } from './backend-wire.js';
import { NO_DETAILS } from './details.js';
import { asObject, asText, field } from './json.js';
import { LlamaCpp, ROUTER_FEATURES } from './llama-cpp.js';
import { NO_NDJSON, OF_OTHER_KINDS, OLLAMA_FORMS } from './not-concerned.js';
import { listedModels } from './openai-models.js';
import { OpenAiServer } from './openai-server.js';
import { isLlamaCppFamily, isLlamafiler, serverHeader } from './recognise.js';

const PLACE = {
  kind: 'llamafile',
  title: 'llamafile',
  startCommand: './MODEL.llamafile --server',
  launch: {
    program: null,
    needsFile: true,
    args: (host: string, port: number) => ['--server', '--nobrowser', '--host', host, '--port', String(port)],
  },
  logPlace: 'its terminal',
};

/** llamafiler says how far the prompt is, and nothing else of itself. */
const LLAMAFILER: BackendFeatures = { ...NO_FEATURES, thinking: true, promptProgress: true };

/**
 * Three servers go by this name: that of 0.9, a llama.cpp of early 2024; llamafiler, its own (`--server --v2`); and since 0.10
 * llama.cpp's as it is. Asked before llama.cpp, whose header two of them send.
 */
export const llamafile: BackendType = {
  ...PLACE,
  defaultPorts: [8080],
  features: ROUTER_FEATURES,
  notConcerned: {
    ...NO_NDJSON,
    ...OLLAMA_FORMS,
    ...OF_OTHER_KINDS,
    '87': 'fetches without a job to ask for',
  },
  async recognises(list, probe) {
    if (isLlamafiler(list)) return true;
    if (!isLlamaCppFamily(list)) return false;
    if ([...listedModels(list.json).keys()].some(isLlamafileName)) return true;
    // The words of 0.9 while it loads; llama.cpp says it in an error.
    if (list.status === 503) return field(asObject(list.json), 'status') === 'loading model';
    return list.status === 200 && isLlamafileProps(await probe('/props').catch(() => null));
  },
  create: (address, ports) => new Llamafile(address, ports),
};

function isLlamafileName(name: string): boolean {
  return /\.llamafile$/i.test(name);
}

/** Since 0.10 only the name of the file tells; 0.9 tells the names of the two who talk, and no build. */
function isLlamafileProps(answer: WholeAnswer | null): boolean {
  const props = answer?.status === 200 ? asObject(answer.json) : null;
  if (isLlamafileName(asText(field(props, 'model_path')) ?? '')) return true;
  const names = ['user_name', 'assistant_name'].some((name) => field(props, name) !== undefined);
  return names && field(props, 'build_info') === undefined;
}

/** Passes every question on to the server that it turns out to be. */
class Llamafile implements Backend {
  readonly #wire: BackendWire;
  readonly #llamaCpp: LlamaCpp;
  readonly #llamafiler: Llamafiler;
  /** Null: not told yet, or it was away since. */
  #told: LlamaCpp | Llamafiler | null = null;

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.#llamaCpp = new LlamaCpp(address, ports, {
      place: PLACE,
      title: 'llamafile',
    });
    this.#llamafiler = new Llamafiler(address, ports);
  }

  get info(): BackendInfo {
    return (this.#told ?? this.#llamaCpp).info;
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    const check = await (await this.#server(signal)).check(signal);
    if (check.status.state === 'away') this.#told = null;
    return check;
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    return (await this.#server(signal)).models(signal);
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    yield* (await this.#server(signal)).chat(request, signal);
  }

  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    const server = await this.#server(signal);
    return server instanceof LlamaCpp ? server.details(model, signal) : NO_DETAILS;
  }

  load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    return this.#llamaCpp.load(model, options, signal);
  }

  unload(model: Model, signal: AbortSignal): Promise<void> {
    return this.#llamaCpp.unload(model, signal);
  }

  pull(name: string, signal: AbortSignal): AsyncIterable<PullProgress> {
    return this.#llamaCpp.pull(name, signal);
  }

  delete(model: Model, signal: AbortSignal): Promise<void> {
    return this.#llamaCpp.delete(model, signal);
  }

  async activity(model: Model, signal: AbortSignal): Promise<Activity> {
    const server = await this.#server(signal);
    return server instanceof LlamaCpp
      ? server.activity(model, signal)
      : { working: null, source: '/v1/models' };
  }

  async countTokens(
    model: Model,
    messages: readonly ChatMessage[],
    signal: AbortSignal,
  ): Promise<number | null> {
    const server = await this.#server(signal);
    return server instanceof LlamaCpp ? server.countTokens(model, messages, signal) : null;
  }

  close(): void {
    this.#wire.close();
    this.#llamaCpp.close();
    this.#llamafiler.close();
  }

  /** Never throws: a server that does not answer is told of by the question that comes next. */
  async #server(signal: AbortSignal): Promise<LlamaCpp | Llamafiler> {
    if (this.#told !== null) return this.#told;
    try {
      const list = await this.#wire.ask({ path: '/v1/models', signal });
      this.#told = isLlamafiler(list) ? this.#llamafiler : this.#llamaCpp;
      return this.#told;
    } catch {
      return this.#llamaCpp;
    }
  }
}

/** llamafiler: takes few fields, names itself and its version in a header. */
class Llamafiler extends OpenAiServer {
  constructor(address: BackendAddress, ports: BackendPorts) {
    super(
      {
        place: PLACE,
        title: 'llamafile',
        features: LLAMAFILER,
        fields: { stream_options: { include_usage: true } },
      },
      address,
      ports,
    );
  }

  protected override async askVersion(signal: AbortSignal): Promise<string | null> {
    const header = serverHeader(await this.wire.ask({ path: '/v1/models', signal }));
    const version = /^llamafile\/(\S+)/i.exec(header)?.[1];
    return version === undefined ? null : sanitizeLine(version).slice(0, 20);
  }
}
