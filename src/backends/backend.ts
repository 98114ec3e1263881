import type { ChatMessage, Outcome, PrefillProgress, Usage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import type { BackendCheck, BackendInfo, Model } from '../domain/model.js';

export interface ChatRequest {
  readonly model: Model;
  readonly messages: readonly ChatMessage[];
  /** Ollama only; empty: the server's own. */
  readonly keepAlive: string;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** What a chat stream yields. Every stream ends with exactly one `ended`, and nothing after it. */
export type ChatEvent =
  /** The request is written; the server has not answered yet. */
  | { readonly type: 'sent' }
  | { readonly type: 'queued' }
  | { readonly type: 'loading'; readonly progress: number | null }
  | { readonly type: 'prefill'; readonly progress: PrefillProgress }
  /** `pieces`: how many the server sent, when it was not one. */
  | { readonly type: 'reasoning'; readonly text: string; readonly pieces?: number }
  | { readonly type: 'text'; readonly text: string; readonly pieces?: number }
  /** Figures known so far; replaces the earlier ones field by field (null does not replace). */
  | { readonly type: 'usage'; readonly usage: Partial<Usage> }
  /** Another model than the asked one answers. */
  | { readonly type: 'answering-model'; readonly name: string }
  /** Something to be said under the answer. */
  | { readonly type: 'note'; readonly text: string }
  | {
      readonly type: 'ended';
      readonly outcome: Exclude<Outcome, 'interrupted'>;
      readonly reason: string | null;
      readonly fault: Fault | null;
    };

/**
 * One server. All methods take a signal that closes the socket at once. `check`, `models`, `load` and `unload` throw BackendError;
 * `chat` never throws: errors are its `ended` event.
 */
export interface Backend {
  readonly info: BackendInfo;
  /** One cheap question that never wakes or loads a model. At most 3 s; a slow server is `busy`, not `away`. */
  check(signal: AbortSignal): Promise<BackendCheck>;
  /** All models with their load state. Details that need one more request per model are cached by digest. */
  models(signal: AbortSignal): Promise<readonly Model[]>;
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** Loads a model and resolves when it is loaded. Absent when features.load is false. */
  load?(model: Model, keepAlive: string, signal: AbortSignal): Promise<void>;
  /** Asks for the unload; the truth is what `models` tells afterwards. */
  unload?(model: Model, signal: AbortSignal): Promise<void>;
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

/** How to reach a server. */
export interface BackendAddress {
  /** Base without credentials and without a trailing slash or `/v1`. */
  readonly url: string;
  /** Bearer key; sent to this origin only. */
  readonly key: string | null;
}

/** An entry of the registry: a new server is one file with one of these, and one line in registry.ts. */
export interface BackendType {
  readonly kind: string;
  readonly title: string;
  /** Loopback ports asked at start, e.g. [11434]. Empty: never looked for. */
  readonly defaultPorts: readonly number[];
  /** How to start it, for hints: `ollama serve`. */
  readonly startCommand: string;
  create(address: BackendAddress, ports: BackendPorts): Backend;
}

/** Time for a backend; `Clock` of src/ports.ts fits. Without `after` the timers of Node are used. */
export interface BackendPorts {
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly after?: (delayMs: number, run: () => void) => () => void;
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
