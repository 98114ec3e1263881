import type { Backend, ChatEvent, LoadOptions } from '../../src/backends/backend.js';
import { backendTypeOf } from '../../src/backends/registry.js';
import type { Usage } from '../../src/domain/chat.js';
import type { Sampling } from '../../src/domain/sampling.js';
import { type Model, modelKey } from '../../src/domain/model.js';
import type { BackendPorts } from '../../src/backends/backend.js';

/** A load with nothing special about it. */
export const LOAD: LoadOptions = { keepAlive: '', contextTokens: null, onProgress: () => undefined };

export const REAL_PORTS: BackendPorts = { now: () => Date.now(), monotonic: () => performance.now() };

/** A chat as the user would see it. */
export interface Seen {
  readonly events: readonly ChatEvent[];
  readonly text: string;
  readonly thinking: string;
  readonly notes: readonly string[];
  readonly usage: Partial<Usage>;
  readonly outcome: string;
  readonly reason: string | null;
  readonly fault: Extract<ChatEvent, { type: 'ended' }>['fault'];
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly model?: Partial<Model>;
  readonly content?: string;
  readonly sampling?: Sampling;
  readonly firstByteTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly onEvent?: (event: ChatEvent) => void;
}

export function backendAt(
  kind: string,
  url: string,
  options: { key?: string; ports?: BackendPorts } = {},
): Backend {
  const type = backendTypeOf(kind);
  if (type === null) throw new Error(`no backend ${kind}`);
  return type.create({ url, key: options.key ?? null }, options.ports ?? REAL_PORTS);
}

export function modelOf(backend: Backend, change: Partial<Model> = {}): Model {
  const name = change.name ?? 'm';
  return {
    key: modelKey(backend.info.id, name),
    backendId: backend.info.id,
    name,
    label: name,
    digest: null,
    sizeBytes: null,
    family: null,
    parameters: null,
    quantization: null,
    contextMax: null,
    contextAllocated: null,
    capabilities: null,
    chat: true,
    remote: false,
    loadState: 'loaded',
    loadProgress: null,
    memoryBytes: null,
    vramBytes: null,
    expiry: null,
    ...change,
  };
}

/** Asks and collects everything; fails when the stream does not end with exactly one `ended`. */
export async function ask(backend: Backend, options: AskOptions = {}): Promise<Seen> {
  const events: ChatEvent[] = [];
  const request = {
    model: modelOf(backend, options.model),
    messages: [{ role: 'user' as const, content: options.content ?? 'hi' }],
    keepAlive: '',
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? 10_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 10_000,
    ...(options.sampling ? { sampling: options.sampling } : {}),
  };
  for await (const event of backend.chat(request, options.signal ?? new AbortController().signal)) {
    events.push(event);
    options.onEvent?.(event);
  }
  const ends = events.filter((event) => event.type === 'ended');
  const ended = ends[0];
  if (ends.length !== 1 || ended === undefined || events.at(-1) !== ended)
    throw new Error(`the stream ended ${ends.length} times`);
  const join = (type: 'text' | 'reasoning'): string =>
    events.map((event) => (event.type === type ? event.text : '')).join('');
  return {
    events,
    text: join('text'),
    thinking: join('reasoning'),
    notes: events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
    usage: Object.assign(
      {},
      ...events.map((event) => (event.type === 'usage' ? event.usage : {})),
    ) as Partial<Usage>,
    outcome: ended.outcome,
    reason: ended.reason,
    fault: ended.fault,
  };
}

/** An event of the OpenAI dialect with a text. */
export function c(text: string): string {
  return sse({ choices: [{ index: 0, delta: { content: text } }] });
}

export function finish(reason = 'stop'): string {
  return sse({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
}

export function sse(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

/** A line of Ollama's dialect with a text. */
export function o(text: string): string {
  return nd({ model: 'm', message: { role: 'assistant', content: text }, done: false });
}

export function nd(line: unknown): string {
  return `${JSON.stringify(line)}\n`;
}

export const OLLAMA_DONE = nd({
  model: 'm',
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
});
