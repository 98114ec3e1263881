import type { Aftermath, Outcome, PrefillProgress, Truncation, Turn, Usage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import type { Edit } from './edit.js';

/** What is stored of a chat, as the list of chats shows it. */
export interface ChatSummary {
  readonly id: string;
  readonly title: string;
  readonly updatedAt: number;
  readonly turns: number;
}

/** A chat as read from its file. */
export interface StoredChat {
  readonly id: string;
  readonly title: string;
  readonly turns: readonly Turn[];
  /** Lines that could not be read; they stay in the file. */
  readonly skippedLines: number;
}

/** Of the message box, the answers, and the chats that are kept. */
export type ConversationEvent =
  // The message box
  | { readonly type: 'prompt.edited'; readonly edit: Edit }
  | { readonly type: 'prompt.submitted' }
  | { readonly type: 'prompt.history.loaded'; readonly entries: readonly string[] }
  // Answers
  | { readonly type: 'turn.started'; readonly turnId: string }
  /** `source` in these: what told it; absent: nobody did. */
  | {
      readonly type: 'turn.queued';
      readonly turnId: string;
      readonly position?: number | null;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.loading';
      readonly turnId: string;
      readonly progress: number | null;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.prefill';
      readonly turnId: string;
      readonly progress: PrefillProgress;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.reasoning.delta';
      readonly turnId: string;
      readonly text: string;
      readonly pieces: number;
    }
  | {
      readonly type: 'turn.text.delta';
      readonly turnId: string;
      readonly text: string;
      readonly pieces: number;
    }
  | {
      readonly type: 'turn.usage';
      readonly turnId: string;
      readonly usage: Partial<Usage>;
      readonly source?: string | null;
    }
  | { readonly type: 'turn.truncated'; readonly turnId: string; readonly truncation: Truncation }
  /** Of a turn that the user stopped: what its server does now. */
  | { readonly type: 'turn.aftermath'; readonly turnId: string; readonly aftermath: Aftermath }
  | { readonly type: 'turn.answered-by'; readonly turnId: string; readonly name: string }
  /** How the server numbers the request, also in its log. */
  | { readonly type: 'turn.identified'; readonly turnId: string; readonly requestId: string }
  | { readonly type: 'turn.noted'; readonly turnId: string; readonly text: string }
  /** It was counted, and goes no further: it would leave the answer no room. Null: nobody could count it, the estimate stands. */
  | {
      readonly type: 'turn.held';
      readonly turnId: string;
      readonly promptTokens: number | null;
      readonly contextTokens: number | null;
    }
  | {
      readonly type: 'turn.ended';
      readonly turnId: string;
      readonly outcome: Outcome;
      readonly reason: string | null;
      readonly fault: Fault | null;
    }
  // Chats
  | { readonly type: 'session.listed'; readonly chats: readonly ChatSummary[] }
  | { readonly type: 'session.opened'; readonly chat: StoredChat }
  | { readonly type: 'session.failed'; readonly message: string; readonly hint: string | null };
