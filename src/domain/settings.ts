import type { LogLevel } from './log.js';

/** One server of the configuration. */
export interface BackendSetting {
  /** `ollama`, `llama.cpp`, …; absent: found out by asking. */
  readonly kind?: string;
  readonly url: string;
  /** Bearer key, or `${NAME}` of an environment variable. Never shown or logged. */
  readonly key?: string;
  /** The machine it runs on, when that is another one: `ssh:HOST`, or the address of Prometheus metrics. */
  readonly machine?: string;
  /** Where its log is, as domain/log-place.ts reads it; absent: found where that is possible. */
  readonly log?: string;
}

export type LayoutName = 'all' | 'chat-machine' | 'chat';

/** The configuration after flags, environment, file and defaults were merged. Defaults are in src/config/schema.ts. */
export interface Settings {
  /** Model key or name to start with; empty: the one used last, else the first that can chat. */
  readonly model: string;
  readonly backends: readonly BackendSetting[];
  readonly discovery: boolean;
  readonly preload: boolean;
  readonly theme: string;
  readonly layout: LayoutName;
  readonly ascii: boolean;
  readonly mouse: boolean;
  /** Upper bound of painted frames per second; 0 means: chosen by the terminal. */
  readonly fps: number;
  readonly sampleMs: number;
  readonly logLevel: LogLevel;
  /** Files and other places followed in the log pane, as domain/log-place.ts reads them. */
  readonly follow: readonly string[];
  /** Command id → keys, over the defaults of the keymap. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** System message put before every chat; empty: none. */
  readonly system: string;
  /** As Sampling has them; null: the server's own, nothing is sent. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly seed: number | null;
  readonly maxTokens: number | null;
  /** Ollama keep_alive for load and chat; empty: the server's own. */
  readonly keepAlive: string;
  /** Seconds without a byte in mid-answer after which it counts as broken. */
  readonly idleTimeoutS: number;
  /** Seconds to wait for the first byte of an answer; 0: without limit. */
  readonly firstByteTimeoutS: number;
  /** Seconds; 0: what suits the place (loopback or not). See domain/limits.ts. */
  readonly connectTimeoutS: number;
  readonly checkTimeoutS: number;
  readonly listTimeoutS: number;
  readonly detailsTimeoutS: number;
  /** Seconds; 0: without limit. */
  readonly loadTimeoutS: number;
  readonly pullTimeoutS: number;
  readonly unloadTimeoutS: number;
  /** `server/model` in the order to be tried when an answer cannot start; `mock` may stand last. */
  readonly fallback: readonly string[];
  /** ask: one key goes on to the next; auto: it goes on by itself, and says so. */
  readonly fallbackMode: FallbackMode;
  /** What is done when a message would not fit into the context. */
  readonly whenFull: WhenFull;
  /** Context in tokens to be asked of servers that let it be chosen: model (`server/name` or name) → tokens. */
  readonly contexts: Readonly<Record<string, number>>;
  readonly models: ModelSettings;
}

export interface ModelSettings {
  /** Folders that are searched for model files, beside those of known programs. */
  readonly paths?: readonly string[];
}

export type FallbackMode = 'ask' | 'auto';
export type WhenFull = 'ask' | 'raise' | 'drop';
