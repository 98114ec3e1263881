import type { Fault } from './fault.js';
import type { ModelShape } from './model-shape.js';

/** Names a file in src/backends; open, so that a new backend needs no edit here. */
export type BackendKind = string;

/** What a backend can do; a feature that is false is neither offered nor polled. */
export interface BackendFeatures {
  /** Answers come piece by piece. */
  readonly stream: boolean;
  /** Keeps the thinking of a model apart from its answer. */
  readonly thinking: boolean;
  readonly load: boolean;
  readonly unload: boolean;
  /** Keeps a model loaded until it is told otherwise. */
  readonly pin: boolean;
  readonly pull: boolean;
  readonly delete: boolean;
  /** Tells how far a load is. */
  readonly loadProgress: boolean;
  /** Reports the progress of prompt processing. */
  readonly promptProgress: boolean;
  /** Tells the allocated context. */
  readonly contextSize: boolean;
  /** The size of the context can be chosen with a request or a load. */
  readonly contextChoice: boolean;
  /** Tells the memory that a loaded model takes. */
  readonly memory: boolean;
  /** Tells the requests in work and those that wait. */
  readonly queue: boolean;
  /** Has Prometheus metrics. */
  readonly metrics: boolean;
  /** Unloads others by itself when a model needs their memory. */
  readonly evicts: boolean;
  /** Goes on with an assistant message that stands last. Others are asked with words to go on. */
  readonly prefill: boolean;
  /** Can tell how many tokens a prompt takes before it reads it; a single server may be too old for it. */
  readonly promptCount: boolean;
}

/** A server that can do nothing but chat. */
export const NO_FEATURES: BackendFeatures = {
  stream: true,
  thinking: false,
  load: false,
  unload: false,
  pin: false,
  pull: false,
  delete: false,
  loadProgress: false,
  promptProgress: false,
  contextSize: false,
  contextChoice: false,
  memory: false,
  queue: false,
  metrics: false,
  evicts: false,
  prefill: false,
  promptCount: false,
};

/** A server (or the mock) that can be asked. */
export interface BackendInfo {
  /** Stable over runs: `kind@host:port/prefix`, e.g. `ollama@127.0.0.1:11434`. */
  readonly id: string;
  readonly kind: BackendKind;
  /** Shown in the tree: `ollama`, `llama.cpp`. */
  readonly title: string;
  /** Base address without credentials, e.g. `http://127.0.0.1:11434`. Empty for the mock. */
  readonly url: string;
  readonly features: BackendFeatures;
}

/**
 * Why a server is in the list. `run`: named for this run only (`--url`, or a configuration that could not be written); `environment`:
 * a variable like OLLAMA_HOST; `found`: by looking at the default ports; `installed`: its program is on this machine, and may not run;
 * `embedded`: no server, but the engine of this machine.
 */
export type ServerOrigin =
  'run' | 'configuration' | 'environment' | 'found' | 'installed' | 'embedded' | 'mock';

/** The state of a server as its last poll found it. */
export type BackendStatus =
  | { readonly state: 'probing' }
  | { readonly state: 'ready' }
  /** It answers, but its model is still being loaded. */
  | { readonly state: 'loading' }
  /** It accepts connections and does not answer in time: working, not away. */
  | { readonly state: 'busy' }
  | { readonly state: 'away'; readonly fault: Fault; readonly sinceMs: number };

/** Result of one health check. */
export interface BackendCheck {
  readonly status: BackendStatus;
  /** As the server tells it (`0.13.0`, `b6412`); null when it does not. */
  readonly version: string | null;
  /** Requests in work and waiting, when the server tells. */
  readonly processing: number | null;
  readonly queued: number | null;
}

/** When a loaded model will be unloaded by its server. */
export type Expiry = { readonly at: number } | 'never' | 'in-use' | null;

export type LoadState = 'loaded' | 'loading' | 'unloading' | 'unloaded' | 'unknown';

/** One model of one backend. Null means: the server did not say. Sizes in bytes, context in tokens, times in epoch ms. */
export interface Model {
  /** `${backendId}/${name}`: identity everywhere. */
  readonly key: string;
  readonly backendId: string;
  /** As the server knows it; sent unchanged. */
  readonly name: string;
  /** Shown; sanitised, a path's base name. */
  readonly label: string;
  readonly digest: string | null;
  readonly sizeBytes: number | null;
  readonly family: string | null;
  /** As told, e.g. `8.0B`. */
  readonly parameters: string | null;
  readonly quantization: string | null;
  /** The model's own maximum. */
  readonly contextMax: number | null;
  /** What one request may use now. */
  readonly contextAllocated: number | null;
  readonly capabilities: readonly string[] | null;
  /** False only when the server told that it cannot chat (embedding, reranking). */
  readonly chat: boolean;
  /** Runs on somebody else's machine (Ollama cloud). */
  readonly remote: boolean;
  readonly loadState: LoadState;
  /** Fraction 0..1 while loading, when the server tells. */
  readonly loadProgress: number | null;
  readonly memoryBytes: number | null;
  /** The part of memoryBytes that lies on a GPU. */
  readonly vramBytes: number | null;
  readonly expiry: Expiry;
}

/** Whether two lists say the same, in the same order: most polls change nothing, and then nothing needs to be done. */
export function sameModels(a: readonly Model[], b: readonly Model[]): boolean {
  return a === b || (a.length === b.length && a.every((model, i) => sameModel(model, b[i])));
}

function sameModel(a: Model, b: Model | undefined): boolean {
  if (a === b) return true;
  if (b === undefined) return false;
  for (const name of Object.keys(a) as (keyof Model)[])
    if (a[name] !== b[name] && !sameValue(a[name], b[name])) return false;
  return true;
}

/** Of capabilities and time to live, which are small. */
function sameValue(a: unknown, b: unknown): boolean {
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}

/** The one model of the stand-in, which can be asked before its server is in the list. */
export const MOCK_MODEL = {
  key: 'mock/mock',
  backendId: 'mock',
  name: 'mock',
  label: 'mock (no model)',
} as const;

export function modelKey(backendId: string, name: string): string {
  return `${backendId}/${name}`;
}

/** What a server tells of one model when it is asked for it. Texts are sanitised. */
export interface ModelDetails {
  readonly license: string | null;
  readonly system: string | null;
  readonly template: string | null;
  /** Defaults of the model: name and value, a name as often as it has values (`stop`). */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Epoch ms. */
  readonly modifiedAt: number | null;
  /** What else is worth a line: `architecture` `llama`, `layers` `32`. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What decides over its memory; null, and absent in records of earlier versions: the server does not tell it. */
  readonly shape?: ModelShape | null;
}

/** How far a pull is. Bytes over all layers that are known so far; `total` grows as layers appear. */
export interface PullProgress {
  readonly phase: 'preparing' | 'downloading' | 'verifying' | 'done';
  /** The server's own words. */
  readonly status: string;
  readonly completedBytes: number | null;
  readonly totalBytes: number | null;
  readonly layers: readonly PullLayer[];
}

export interface PullLayer {
  readonly id: string;
  readonly completedBytes: number;
  readonly totalBytes: number;
}
