import { EMPTY_ANSWER } from '../domain/empty-answer.js';
import type { Fault } from '../domain/fault.js';
import type { ChatEvent } from './backend.js';

/** Turns the text of an answer into events. Pure: no clock, no socket. */
export interface ChatReader {
  /** Events of what has arrived, text in as few as possible; `ended` is never among them. */
  feed(text: string): ChatEvent[];
  /** The stream ended. What was held back comes out. */
  end(): ChatEvent[];
  /** The answer is over: nothing after this counts, and the socket may be closed. */
  readonly over: boolean;
  /** The server said how it ended, only figures may follow. */
  readonly finishing: boolean;
  /** How the answer stands if nothing more comes. */
  verdict(): Verdict;
}

export interface Verdict {
  readonly outcome: 'complete' | 'incomplete' | 'failed';
  readonly reason: string | null;
  readonly fault: Fault | null;
  /** Things to be said under the answer. */
  readonly notes: readonly string[];
}

/** Notes that follow from how an answer ended. */
export function endNotes(reason: string | null, hasText: boolean, hasThinking: boolean): string[] {
  const notes: string[] = [];
  // That a text was cut off is said by who knows the limit it was asked with: lengthText of domain/sampling.ts.
  if (reason === 'length') {
    if (!hasText && hasThinking) notes.push(EMPTY_ANSWER.cutOff);
  } else if (!hasText && !hasThinking) notes.push(EMPTY_ANSWER.nothing);
  else if (!hasText) notes.push(EMPTY_ANSWER.onlyThought);
  return notes;
}
