import type { ChatMessage } from '../domain/chat.js';
import type { Expiry } from '../domain/model.js';
import type { Sampling } from '../domain/sampling.js';
import type { EngineProcessOptions } from './engine-process.js';
import type { EngineReport } from './protocol.js';

export interface EngineOptions extends Omit<EngineProcessOptions, 'onEnd'> {
  /** The entry file of the installed node-llama-cpp. */
  readonly modulePath: string;
  /** A file in which the child keeps what it finds out about the templates of models. */
  readonly templates: string;
  /** At most; null: as the engine sees fit. */
  readonly threads: number | null;
  /** Use a GPU when the installed parts can. */
  readonly gpu: boolean;
  /** Epoch ms. */
  readonly now: () => number;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** A model as it is to be run. */
export interface ModelToRun {
  readonly name: string;
  readonly path: string;
  /** Null: as it is loaded, else `contextDefault`. */
  readonly contextTokens: number | null;
  readonly contextDefault: number;
  /** Milliseconds after its last use; `never`: pinned; null: as before. 0: at once. */
  readonly keepMs: number | 'never' | null;
}

export type EngineModelState =
  | { readonly state: 'loading'; readonly progress: number | null }
  | { readonly state: 'unloading' }
  | {
      readonly state: 'loaded';
      readonly contextTokens: number;
      /** Of the whole child; null while it holds several models. */
      readonly memoryBytes: number | null;
      readonly vramBytes: number;
      readonly expiry: Expiry;
    };

/** All models of this machine that run here, in one child. Ends are EngineEndedError, other failures are reports. */
export interface Engine {
  /** Null: it is not loaded. */
  stateOf(name: string): EngineModelState | null;
  readonly working: number;
  readonly queued: number;
  load(model: ModelToRun, onReport: OnReport, signal: AbortSignal): Promise<EngineReport>;
  chat(model: ModelToRun, chat: EngineChat, onReport: OnReport, signal: AbortSignal): Promise<EngineReport>;
  unload(name: string): Promise<void>;
  /** Starts the child without a model, so that the first message waits for that no more. It ends again when nothing is asked of it. */
  warm(): void;
  /** Ends the child, with all that is being done. */
  close(): void;
}

export interface EngineChat {
  readonly sampling: Sampling;
  readonly messages: readonly ChatMessage[];
  readonly continues: boolean;
  /** A prompt that leaves the answer no room is refused. */
  readonly keepsRoom: boolean;
}

export type OnReport = (report: EngineReport) => void;
