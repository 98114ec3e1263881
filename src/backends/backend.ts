import type { ChatMessage, Outcome, PrefillProgress, Truncation, Usage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import type { Limits } from '../domain/limits.js';
import type {
  BackendCheck,
  BackendFeatures,
  BackendInfo,
  Model,
  ModelDetails,
  PullProgress,
} from '../domain/model.js';
import type { Sampling } from '../domain/sampling.js';
import type { WholeAnswer } from '../wire/read.js';
import type { EmbeddedSource } from '../engine/source.js';

/** One question to a model. Time limits are in milliseconds. */
export interface ChatRequest {
  readonly model: Model;
  /** With `continues` the last one is the assistant's own text so far. */
  readonly messages: readonly ChatMessage[];
  /** Ollama only; empty: the server's own. */
  readonly keepAlive: string;
  /** 0: without limit. */
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Where features.contextChoice: tokens; null: as the server has it. The same for a whole chat, since another value loads anew. */
  readonly contextTokens?: number | null;
  /** Absent: all as the server has it. */
  readonly sampling?: Sampling;
  /** Go on with the assistant message that stands last. Only where features.prefill. */
  readonly continues?: boolean;
  /** Refuse a prompt that leaves the answer no room, before it is read: `context-full` with both figures. By backends that count without being asked. */
  readonly keepsRoom?: boolean;
}

export interface LoadOptions {
  /** Empty: the server's own; `-1`: for ever (features.pin). */
  readonly keepAlive: string;
  /** As in ChatRequest. */
  readonly contextTokens: number | null;
  /** Fraction 0..1, or null for "at work"; `source` is what told it. */
  readonly onProgress: (progress: number | null, source: string) => void;
}

/** What a server is working on, looked at from outside. */
export interface Activity {
  /** Requests in work for this model, or for all where the server does not part them. Null: not told. */
  readonly working: number | null;
  /** What told it: `/slots`, `/api/ps`, `vllm:num_requests_running`. */
  readonly source: string;
}

/** What a chat stream yields. Every stream ends with exactly one `ended`, and nothing after it. */
export type ChatEvent =
  /** The request is written; the server has not answered yet. */
  | { readonly type: 'sent' }
  /** `source` here and below: what told it (`/slots`, `prompt_progress`, `eval_count`), for the details of an answer. */
  | { readonly type: 'queued'; readonly position?: number | null; readonly source?: string }
  | { readonly type: 'loading'; readonly progress: number | null; readonly source?: string }
  | { readonly type: 'prefill'; readonly progress: PrefillProgress; readonly source?: string }
  /** `pieces`: how many the server sent, when it was not one. */
  | { readonly type: 'reasoning'; readonly text: string; readonly pieces?: number }
  | { readonly type: 'text'; readonly text: string; readonly pieces?: number }
  /** Figures known so far; replaces the earlier ones field by field (null does not replace). */
  | { readonly type: 'usage'; readonly usage: Partial<Usage>; readonly source?: string }
  /** The server read only a part of what was sent. */
  | { readonly type: 'truncated'; readonly truncation: Truncation }
  /** Another model than the asked one answers. */
  | { readonly type: 'answering-model'; readonly name: string }
  /** How the server numbers this request, also in its log. */
  | { readonly type: 'request'; readonly id: string }
  /** Something to be said under the answer. */
  | { readonly type: 'note'; readonly text: string }
  | {
      readonly type: 'ended';
      readonly outcome: Exclude<Outcome, 'interrupted'>;
      readonly reason: string | null;
      readonly fault: Fault | null;
    };

/**
 * One server. All methods take a signal that closes the socket at once. All but `chat` throw BackendError; `chat` never throws:
 * errors are its `ended` event. A method that stands for a feature is there when the feature can be true.
 */
export interface Backend {
  readonly info: BackendInfo;
  /** One cheap question that never wakes or loads a model. At most 3 s; a slow server is `busy`, not `away`. */
  check(signal: AbortSignal): Promise<BackendCheck>;
  /** All models with their load state. Details that need one more request per model are cached by digest. */
  models(signal: AbortSignal): Promise<readonly Model[]>;
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** What only one more request per model tells, for the details of a model. */
  details?(model: Model, signal: AbortSignal): Promise<ModelDetails>;
  /** Loads a model and resolves when it is loaded. */
  load?(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void>;
  /** Asks for the unload; the truth is what `models` tells afterwards. */
  unload?(model: Model, signal: AbortSignal): Promise<void>;
  /** Fetches a model by name. Ends after a progress with phase `done`; the signal stops it, and what came so far is kept by the server. */
  pull?(name: string, signal: AbortSignal): AsyncIterable<PullProgress>;
  delete?(model: Model, signal: AbortSignal): Promise<void>;
  /** What it works on now; never wakes or loads a model. */
  activity?(model: Model, signal: AbortSignal): Promise<Activity>;
  /**
   * The exact number of tokens of these messages in this model's own template; null when it cannot be told. Absent where `keepsRoom` is
   * heeded, or nothing counts (features.promptCount).
   */
  countTokens?(model: Model, messages: readonly ChatMessage[], signal: AbortSignal): Promise<number | null>;
  /** Drops kept connections. */
  close(): void;
}

/** A fault that was thrown. */
export class BackendError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, cause?: unknown) {
    super(fault.message, cause === undefined ? undefined : { cause });
    this.name = 'BackendError';
    this.fault = fault;
  }
}

/** One more question of an identification, by its path. Throws BackendError when nothing answers. */
export type Probe = (path: string) => Promise<WholeAnswer>;

/** How to reach a server. */
export interface BackendAddress {
  /** Base without credentials and without a trailing slash or `/v1`. */
  readonly url: string;
  /** Bearer key; sent to this origin only. */
  readonly key: string | null;
}

/** How a server is started. It listens where it is told to, so that it stands where the list expects it. */
export interface Launch {
  /** Looked for in PATH. Null: the model's file is the program (llamafile). */
  readonly program: string | null;
  /** It serves one model file, which the user chooses. */
  readonly needsFile: boolean;
  /** `file` is empty where none is needed. */
  args(host: string, port: number, file: string): readonly string[];
  env?(host: string, port: number): Readonly<Record<string, string>>;
}

/** An entry of the registry: a new server is one file with one of these, and one line in registry.ts. */
export interface BackendType {
  readonly kind: string;
  readonly title: string;
  /** Loopback ports asked at start, e.g. [11434]. Empty: never looked for. */
  readonly defaultPorts: readonly number[];
  /** How to start it, for hints: `ollama serve`. */
  readonly startCommand: string;
  /** How lmapp starts it on this machine; absent: it does not. */
  readonly launch?: Launch;
  /** Where its log is, for hints and docs/backends.md. */
  readonly logPlace: string;
  /** The same as domain/log-place.ts reads it, where it is always the same place, by system. */
  readonly logPlaces?: Readonly<Partial<Record<NodeJS.Platform, string>>>;
  /** What this kind can do at best, for docs/backends.md; a server tells in its `info` what it can. */
  readonly features: BackendFeatures;
  /** Cases of conformance (docs/backends.md) that cannot concern this kind, each with the reason: `21` → `no NDJSON`. */
  readonly notConcerned: Readonly<Record<string, string>>;
  /**
   * Tells this kind by the shape of the answer to `GET /v1/models`, and of further questions where that is not enough; these are kept, so
   * the next kind that asks the same costs nothing. `url` is for answers without any mark, where only the port is left. Asked in the order of the registry. Absent: never found by looking.
   */
  readonly recognises?: (list: WholeAnswer, probe: Probe, url: string) => boolean | Promise<boolean>;
  create(address: BackendAddress, ports: BackendPorts): Backend;
}

/** Time for a backend; `Clock` of src/ports.ts fits. Without `after` the timers of Node are used. */
export interface BackendPorts {
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly after?: (delayMs: number, run: () => void) => () => void;
  /** Time limits of small questions, loads and pulls; absent: the defaults of the place. */
  readonly limits?: Limits;
  /** The engine and the model files of this machine, for the embedded backend; absent: there is no engine. */
  readonly embedded?: EmbeddedSource;
  /** What an earlier run knew of this server's models: what they can do is not asked again while their files are the same. */
  readonly known?: readonly Model[];
  /** Told of every request when it is answered or has failed, for the debug log. */
  readonly onRequest?: (trace: RequestTrace) => void;
}

/** One request in the debug log; the address holds no credentials. */
export interface RequestTrace {
  readonly method: string;
  readonly url: string;
  /** Null: no answer came. */
  readonly status: number | null;
  /** Until the whole answer, of a chat until its first byte. */
  readonly ms: number;
  readonly problem: string | null;
}
