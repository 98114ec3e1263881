import type { Fault } from '../domain/fault.js';
import type { ChatEvent } from './backend.js';

/** Turns the text of an answer into events. Pure: no clock, no socket. */
export interface ChatReader {
  /** Events of what has arrived; `ended` is never among them. */
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

/** Neighbouring pieces of one kind as one event: what came in one read is one change of the picture. */
export function joinPieces(events: readonly ChatEvent[]): readonly ChatEvent[] {
  if (events.length < 2) return events;
  const joined: ChatEvent[] = [];
  let texts: string[] = [];
  const close = (): void => {
    const last = joined.at(-1);
    if (texts.length > 1 && (last?.type === 'text' || last?.type === 'reasoning'))
      joined[joined.length - 1] = { type: last.type, text: texts.join(''), pieces: texts.length };
    texts = [];
  };
  for (const event of events) {
    const isPiece = event.type === 'text' || event.type === 'reasoning';
    if (isPiece && texts.length > 0 && joined.at(-1)?.type === event.type) {
      texts.push(event.text);
      continue;
    }
    close();
    joined.push(event);
    if (isPiece) texts = [event.text];
  }
  close();
  return joined;
}

/** Notes that follow from how an answer ended. */
export function endNotes(reason: string | null, hasText: boolean, hasThinking: boolean): string[] {
  const notes: string[] = [];
  // That a text was cut off is said by who knows the limit it was asked with: lengthText of domain/sampling.ts.
  if (reason === 'length') {
    if (!hasText && hasThinking) notes.push('The limit was used up by thinking before an answer came.');
  } else if (!hasText && !hasThinking) notes.push('The answer is empty.');
  else if (!hasText) notes.push('The model thought and gave no answer.');
  return notes;
}
