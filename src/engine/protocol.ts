import type { ChatMessage } from '../domain/chat.js';
import type { Sampling } from '../domain/sampling.js';

/**
 * What the dashboard and the child of the engine say to each other over the IPC channel of Node. A command is answered by any number of
 * reports with its id, the last of which is one of FINAL_REPORTS. Both sides check what they get: what does not fit is dropped.
 */
export type EngineCommand =
  /** The first one. `module`: the entry file of node-llama-cpp; `templates`: where what is known of templates is kept, null: nowhere; `threads`: at most, null: as the engine sees fit. */
  | {
      readonly type: 'start';
      readonly id: number;
      readonly module: string;
      readonly templates: string | null;
      readonly threads: number | null;
      readonly gpu: boolean;
    }
  | {
      readonly type: 'load';
      readonly id: number;
      readonly model: string;
      readonly path: string;
      readonly contextTokens: number;
    }
  | { readonly type: 'unload'; readonly id: number; readonly model: string }
  /** `continues`: the last message is the assistant's own text so far. `keepsRoom`: a prompt that leaves the answer no room is refused. */
  | {
      readonly type: 'chat';
      readonly id: number;
      readonly model: string;
      readonly messages: readonly ChatMessage[];
      readonly continues: boolean;
      readonly keepsRoom: boolean;
      readonly sampling: Sampling;
    }
  | { readonly type: 'status'; readonly id: number }
  /** Ends the command with this id, whether it is being done or waits. */
  | { readonly type: 'cancel'; readonly id: number };

export type EngineFailure =
  /** The engine itself cannot be loaded. */
  | 'engine'
  | 'out-of-memory'
  /** The file cannot be loaded. */
  | 'model'
  | 'not-loaded'
  | 'context-full'
  /** Anything else that was thrown. */
  | 'failed';

/** Sizes in bytes, times in milliseconds, counts in tokens. */
export type EngineReport =
  | { readonly type: 'started'; readonly id: number; readonly gpu: string | null; readonly threads: number }
  /** Others are done before: 1 is the next one. */
  | { readonly type: 'queued'; readonly id: number; readonly position: number }
  /** Fraction 0..1. */
  | { readonly type: 'loading'; readonly id: number; readonly progress: number }
  | {
      readonly type: 'loaded';
      readonly id: number;
      readonly contextTokens: number;
      readonly contextMax: number;
      readonly memoryBytes: number;
      readonly vramBytes: number;
      readonly ms: number;
    }
  | { readonly type: 'unloaded'; readonly id: number }
  | {
      readonly type: 'prefill';
      readonly id: number;
      readonly processed: number;
      readonly total: number;
      readonly cached: number;
    }
  | {
      readonly type: 'piece';
      readonly id: number;
      readonly thinking: boolean;
      readonly text: string;
      readonly tokens: number;
    }
  | {
      readonly type: 'answered';
      readonly id: number;
      readonly reason: 'stop' | 'length';
      readonly promptTokens: number;
      readonly cachedTokens: number;
      readonly answerTokens: number;
      readonly promptMs: number;
      readonly answerMs: number;
      readonly memoryBytes: number;
    }
  | { readonly type: 'status'; readonly id: number; readonly memoryBytes: number }
  | { readonly type: 'cancelled'; readonly id: number }
  /** `promptTokens` and `contextTokens` with `context-full`. */
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly failure: EngineFailure;
      readonly words: string;
      readonly promptTokens: number | null;
      readonly contextTokens: number | null;
    }
  | { readonly type: 'log'; readonly id: 0; readonly level: 'warn' | 'error'; readonly text: string };

const FINAL_REPORTS: ReadonlySet<EngineReport['type']> = new Set([
  'started',
  'loaded',
  'unloaded',
  'answered',
  'status',
  'cancelled',
  'failed',
] as const);

export function isFinal(report: EngineReport): boolean {
  return FINAL_REPORTS.has(report.type);
}
