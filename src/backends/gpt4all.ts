import { faultWords } from '../domain/fault-table.js';
import {
  type BackendCheck,
  type BackendFeatures,
  type BackendInfo,
  type Model,
  NO_FEATURES,
} from '../domain/model.js';
import type { Fault } from '../domain/fault.js';
import { NO_SAMPLING, samplingFields } from '../domain/sampling.js';
import { backendId } from '../wire/address.js';
import type { WholeAnswer } from '../wire/read.js';
import {
  type Activity,
  type Backend,
  type BackendAddress,
  BackendError,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
} from './backend.js';
import { BackendWire } from './backend-wire.js';
import { streamChat } from './chat-stream.js';
import type { ErrorText } from './error-text.js';
import { asArray, asObject, field } from './json.js';
import { NO_NATIVE_DIALECT } from './not-concerned.js';
import { listedModels, openAiModel } from './openai-models.js';
import { withRefusedSetting } from './openai-chat.js';
import { OpenAiReader } from './openai-reader.js';
import { isModelList, ownerOf, serverHeader } from './recognise.js';

const PORT = 4891;
const LOG_PLACE =
  '`~/.local/share/nomic.ai/GPT4All/log.txt` on Linux, `~/Library/Application Support/nomic.ai/GPT4All/log.txt` on macOS, `%LOCALAPPDATA%\\nomic.ai\\GPT4All\\log.txt` on Windows';
const PLACE = {
  kind: 'gpt4all',
  title: 'GPT4All',
  startCommand: 'the GPT4All app, with "Enable Local API Server" in its settings',
  logPlace: LOG_PLACE,
  refine,
};
const MODELS = '/v1/models';

/**
 * Without a number it stops after 16 tokens. This is the length that the app itself answers with at most: since a stop is not noticed,
 * a model that never ends would hold the server as long as the number allows.
 */
const MAX_TOKENS = 4096;

const LENGTH_NOTE = `As GPT4All does not notice a stop, it is asked for ${MAX_TOKENS} tokens at most; the setting maxTokens says another number.`;

/** It refuses a request with a seed. */
const SAMPLING_NAMES = { temperature: 'temperature', topP: 'top_p', maxTokens: 'max_tokens' } as const;

const FEATURES: BackendFeatures = { ...NO_FEATURES, stream: false };

/** The desktop app: one request at a time, each answered whole, and nothing told of the model. */
export const gpt4all: BackendType = {
  kind: PLACE.kind,
  title: PLACE.title,
  startCommand: PLACE.startCommand,
  defaultPorts: [PORT],
  logPlace: LOG_PLACE,
  features: FEATURES,
  notConcerned: {
    ...NO_NATIVE_DIALECT,
    '16': 'no event stream: its answer ends with its length',
    '46': 'tells no progress',
    '47': 'one whole answer: its usage stands in it once',
    '81': 'has no unload',
    '89': 'has no metrics',
  },
  async recognises(list, probe, url) {
    if (ownerOf(list) === 'humanity') return true;
    // Its server is switched off in the app: no mark is left but the port.
    if (isSwitchedOff(list)) return new URL(url).port === String(PORT);
    if (!isModelList(list) || list.headers['x-powered-by'] !== undefined || serverHeader(list) !== '')
      return false;
    if (asArray(field(asObject(list.json), 'data')).length > 0) return false;
    // Without a model nobody owns one; but nobody else knows every name.
    const unknown = await probe(`${MODELS}/no-such-model`);
    const known = asObject(unknown.json);
    return unknown.status === 200 && known !== null && Object.keys(known).length === 0;
  },
  create: (address, ports) => new Gpt4All(address, ports),
};

class Gpt4All implements Backend {
  readonly info: BackendInfo;
  readonly #wire: BackendWire;
  /** Chats of ours under way: until they are answered it answers nothing else. */
  #chats = 0;
  #models: readonly Model[] | null = null;

  constructor(address: BackendAddress, ports: BackendPorts) {
    this.#wire = new BackendWire(address, ports, PLACE);
    this.info = {
      id: backendId(PLACE.kind, address.url),
      kind: PLACE.kind,
      title: gpt4all.title,
      url: address.url,
      features: FEATURES,
    };
  }

  async check(signal: AbortSignal): Promise<BackendCheck> {
    const unknown = { version: null, processing: null, queued: null };
    if (this.#chats > 0) return { status: { state: 'busy' }, ...unknown, processing: this.#chats };
    try {
      await this.#wire.askJson({ path: MODELS, signal });
      this.#wire.heard();
      return { status: { state: 'ready' }, ...unknown };
    } catch (error) {
      return { status: this.#wire.statusOf(error), ...unknown };
    }
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    if (this.#chats > 0 && this.#models !== null) return this.#models;
    const body = await this.#wire.askJson({ path: MODELS, signal });
    this.#models = [...listedModels(body)].map(([name, item]) =>
      openAiModel(item, name, this.info.id, 'unknown'),
    );
    return this.#models;
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const { clock } = this.#wire;
    const { sampling = NO_SAMPLING } = request;
    const place = this.#wire.place(request.model.name);
    const chosen = samplingFields(sampling, SAMPLING_NAMES);
    // Any other field, here or in a message, is refused.
    const body = {
      model: request.model.name,
      messages: request.messages.map(({ role, content }) => ({ role, content })),
      max_tokens: MAX_TOKENS,
      ...chosen,
    };
    const begun = clock.monotonic();
    let sent = false;
    this.#chats += 1;
    try {
      const answer = streamChat({
        open: () =>
          this.#wire.openChat(
            '/v1/chat/completions',
            body,
            signal,
            request.firstByteTimeoutMs,
            request.idleTimeoutMs,
          ),
        reader: new OpenAiReader(place),
        wire: this.#wire,
        place,
        signal,
      });
      let next = await answer.next();
      for (; next.done !== true; next = await answer.next()) {
        sent ||= next.value.type === 'sent';
        yield next.value;
      }
      const ended = withRefusedSetting(next.value, chosen);
      if (ended.outcome === 'complete') {
        const seconds = ((clock.monotonic() - begun) / 1000).toFixed(1);
        yield { type: 'note', text: `No streaming: GPT4All sent the whole answer after ${seconds} s.` };
        if (sampling.seed !== null) yield { type: 'note', text: 'GPT4All takes no seed: none was sent.' };
        if (ended.reason === 'length' && sampling.maxTokens === null)
          yield { type: 'note', text: LENGTH_NOTE };
      } else if (sent && ended.outcome === 'cancelled') {
        yield {
          type: 'note',
          text: 'GPT4All does not notice a stop: it works on this answer to its end, and nothing else is answered until then.',
        };
      }
      yield ended;
    } finally {
      this.#chats -= 1;
    }
  }

  /** Its one thread answers nothing while it works on a chat. */
  async activity(_model: Model, signal: AbortSignal): Promise<Activity> {
    try {
      await this.#wire.askJson({ path: MODELS, signal });
      return { working: 0, source: `${MODELS} answers` };
    } catch (error) {
      if (error instanceof BackendError && error.fault.code === 'timeout')
        return { working: 1, source: `${MODELS} is silent` };
      throw error;
    }
  }

  close(): void {
    this.#wire.close();
  }
}

function isSwitchedOff(answer: WholeAnswer): boolean {
  return (
    answer.status === 401 && answer.text.trim() === '' && answer.headers['www-authenticate'] === undefined
  );
}

/** It has no keys: with 401 and no word it says that its server is switched off. */
function refine(fault: Fault, told: ErrorText): Fault {
  if (fault.status !== 401 || told.message !== '') return fault;
  return { ...fault, ...faultWords('gpt4all-off') };
}
