import type { Fault } from './fault.js';
import type { KeptLogWarning } from './log-warnings.js';
import { NO_SAMPLING, type Sampling } from './sampling.js';
import type { GrowingText } from './text.js';

export type Role = 'system' | 'user' | 'assistant';

/** A message as servers take it: what was thought is not sent back. */
export interface ChatMessage {
  readonly role: Role;
  readonly content: string;
}

/** Where an answer stands. `sending`: connected, nothing heard yet. */
export type Phase = 'sending' | 'queued' | 'loading' | 'prefill' | 'thinking' | 'answering';

/**
 * How an answer ended. complete: the server said so. incomplete: the stream ended without any end mark. failed: the server reported
 * an error. broken: the connection died. cancelled: the user stopped it. interrupted: this program died while it ran.
 */
export type Outcome = 'complete' | 'incomplete' | 'failed' | 'broken' | 'cancelled' | 'interrupted';

/** Figures of one answer. Null: not told. Durations in ms. `estimated` names what is our own count, shown with a leading ≈. */
export interface Usage {
  readonly promptTokens: number | null;
  /** Of promptTokens, those that the server had cached. */
  readonly cachedTokens: number | null;
  readonly answerTokens: number | null;
  readonly loadMs: number | null;
  readonly promptMs: number | null;
  readonly answerMs: number | null;
  /** Tokens per second of the answer, from the server. */
  readonly answerPerSecond: number | null;
  readonly promptPerSecond: number | null;
}

export const NO_USAGE: Usage = {
  promptTokens: null,
  cachedTokens: null,
  answerTokens: null,
  loadMs: null,
  promptMs: null,
  answerMs: null,
  answerPerSecond: null,
  promptPerSecond: null,
};

/** How far the server is with reading the prompt. Token counts; `total` may be 0 when the server says nothing useful. */
export interface PrefillProgress {
  readonly processed: number;
  readonly total: number;
  readonly cached: number;
  /** 0..1, from a server that counts no tokens (`total` 0). */
  readonly share?: number;
}

/** How much of the prompt is read, 0..1; null when the server says nothing useful. */
export function prefillShare({ processed, total, share }: PrefillProgress): number | null {
  return total > 0 ? Math.min(processed / total, 1) : (share ?? null);
}

/** What the model did not see of what was sent, as far as it is known. */
export interface Truncation {
  readonly messages: number | null;
  readonly tokens: number | null;
  /** How that is known: `prompt_eval_count is num_ctx/2 + 2`. */
  readonly source: string;
}

/**
 * What the server does after the user stopped an answer. watching: being looked at; working: it goes on all the same; idle: it
 * stopped; unknown: this server does not tell.
 */
export interface Aftermath {
  readonly state: 'watching' | 'working' | 'idle' | 'unknown';
  /** What told it: `/slots`, `/api/ps`, `vllm:num_requests_running`. */
  readonly source: string | null;
}

/** Figures and phases whose source is kept, e.g. `answerTokens` → `eval_count of /api/chat`. */
export type FigureName = keyof Usage | 'queued' | 'loading' | 'prefill';

/** A question and its answer. Times: `At` is wall clock (epoch ms), `Mono` is monotonic ms of this process. */
export interface Turn {
  readonly id: string;
  readonly prompt: string;
  readonly askedAt: number;
  readonly modelKey: string;
  /** The model as shown, and the backend's title. */
  readonly modelLabel: string;
  readonly backendTitle: string;
  /** The model that answered, when the server names another one than was asked. */
  readonly answeredBy: string | null;
  readonly thinking: GrowingText;
  readonly answer: GrowingText;
  readonly phase: Phase;
  /** When each phase began, in order; the last one is running unless `outcome` is set. */
  readonly phases: readonly { readonly phase: Phase; readonly mono: number }[];
  readonly prefill: PrefillProgress | null;
  readonly loadProgress: number | null;
  /** Pieces received so far with text; stands in for tokens (≈) until the server tells. */
  readonly pieces: number;
  readonly startedMono: number;
  readonly firstTokenMono: number | null;
  readonly endedMono: number | null;
  readonly usage: Usage;
  /** Null while it runs. */
  readonly outcome: Outcome | null;
  /** The server's own word for the end (`stop`, `length`, …). */
  readonly endReason: string | null;
  readonly fault: Fault | null;
  /** What it was asked with, in its last run. */
  readonly sampling: Sampling;
  /** Things to be said under the answer, e.g. that the model was asked again without thinking. */
  readonly notes: readonly string[];
  /** Where each figure came from; what is missing here is our own count or clock. */
  readonly sources: Readonly<Partial<Record<FigureName, string>>>;
  /** The place in the queue, when the server tells. */
  readonly queuePosition: number | null;
  /** The server or the model left a part of what was sent unread. */
  readonly truncation: Truncation | null;
  /** As the server numbers the request in its log; null: it does not tell. */
  readonly requestId: string | null;
  /** What the log of its server warned of meanwhile, each kind once. */
  readonly logWarnings: readonly KeptLogWarning[];
  /** Earlier turns that the user chose to leave out of this request. */
  readonly droppedTurns: readonly string[];
  /** After a cancel. */
  readonly aftermath: Aftermath | null;
  /** The models that were asked before this one and could not start, the first one first, each with its reason. */
  readonly fellBackFrom: readonly FellBack[];
  /** What came before the answer was gone on with; null when that never happened. Times and figures of the turn are those of its last run. */
  readonly earlier: EarlierRuns | null;
}

/** The runs of an answer before its present one, summed up. */
export interface EarlierRuns {
  /** How many. */
  readonly runs: number;
  readonly pieces: number;
  /** Null: one of them was not told. */
  readonly answerTokens: number | null;
  /** From its question, or its going on, to its end. */
  readonly ms: number;
}

/** A model that could not start an answer, which then went to another one. */
export interface FellBack {
  readonly modelKey: string;
  readonly modelLabel: string;
  readonly backendTitle: string;
  readonly fault: Fault;
}

/** What a turn has beside its question before anything happened. */
export const NEW_TURN = {
  answeredBy: null,
  phase: 'sending',
  prefill: null,
  loadProgress: null,
  pieces: 0,
  firstTokenMono: null,
  endedMono: null,
  usage: NO_USAGE,
  outcome: null,
  endReason: null,
  sampling: NO_SAMPLING,
  fault: null,
  notes: [],
  sources: {},
  queuePosition: null,
  truncation: null,
  requestId: null,
  logWarnings: [],
  droppedTurns: [],
  aftermath: null,
  fellBackFrom: [],
  earlier: null,
} as const satisfies Partial<Turn>;
