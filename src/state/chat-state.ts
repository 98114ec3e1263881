import type { Turn } from '../domain/chat.js';
import type { ChatSummary } from '../events/catalogue.js';

export interface ChatState {
  readonly id: string;
  readonly title: string;
  /** The file of this chat exists. */
  readonly stored: boolean;
  /** Ended turns; a running one stands apart so that a delta copies nothing. */
  readonly done: readonly Turn[];
  readonly live: Turn | null;
  /** The turn that the running one took out; it comes back when that is held back. */
  readonly replaced: Turn | null;
  /** Messages that wait for the running answer to end. */
  readonly queue: readonly string[];
  /** Ids of turns that are not sent any more, to make room in the context. */
  readonly dropped: readonly string[];
  /** A message that would not fit and waits for what the user chooses. */
  readonly unsent: Unsent | null;
  /** Figures of the running answer as shown: taken at most four times a second. */
  readonly shownPieces: number;
  readonly shownMono: number;
  /** Time without any word of the running answer: `ms` so far, counted up to `mono`. */
  readonly silence: { readonly ms: number; readonly mono: number };
  /** When it was last told what the server of a stopped answer does. */
  readonly aftermathMono: number;
  /** Turns whose thinking is unfolded. */
  readonly unfolded: ReadonlySet<string>;
  readonly chats: readonly ChatSummary[];
}

export interface Unsent {
  readonly text: string;
  /** The turn that its new answer replaces: one that the server refused, or one that is asked again. */
  readonly replaces: string | null;
  /** What its server counted before it went out; absent: it is weighed by an estimate. */
  readonly counted?: Counted;
}

/** An exact count of a whole request, for one model. */
export interface Counted {
  readonly modelKey: string;
  readonly promptTokens: number;
  readonly contextTokens: number;
}

export function emptyChat(id: string): ChatState {
  return {
    id,
    title: '',
    stored: false,
    done: [],
    live: null,
    replaced: null,
    queue: [],
    dropped: [],
    unsent: null,
    shownPieces: 0,
    shownMono: 0,
    silence: { ms: 0, mono: 0 },
    aftermathMono: 0,
    unfolded: new Set(),
    chats: [],
  };
}
