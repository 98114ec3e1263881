import { faultFor } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { LineTooLongError } from '../wire/lines.js';
import type { ChatEvent } from './backend.js';
import { type ChatReader, type Verdict, endNotes } from './chat-reader.js';
import { errorTextOf } from './error-text.js';
import { type FaultPlace, faultOfText, valuesOfPlace } from './server-fault.js';
import type { JsonObject } from './json.js';
import { ToolCalls, reasoningOf } from './openai-chunk.js';
import { type SplitPiece, ThinkSplitter } from './think-splitter.js';

/** What the readers of both dialects have in common: the parts of an answer, its end and its faults. */
export abstract class AnswerReader implements ChatReader {
  over = false;
  finishing = false;
  /** The server's word for the end. */
  protected reason: string | null = null;
  protected hasText = false;
  protected readonly place: FaultPlace;
  protected readonly tools = new ToolCalls();
  readonly #splitter = new ThinkSplitter();
  #hasThinking = false;
  #fault: Fault | null = null;

  constructor(place: FaultPlace) {
    this.place = place;
  }

  abstract feed(text: string): ChatEvent[];

  end(): ChatEvent[] {
    const events: ChatEvent[] = [];
    this.rest(events);
    this.#give(this.#splitter.end(), events);
    if (!this.tools.empty) {
      const text = this.tools.toString();
      this.#give([{ kind: 'text', text: this.hasText ? `\n${text}` : text }], events);
    }
    return events;
  }

  verdict(): Verdict {
    if (this.#fault !== null)
      return { outcome: 'failed', reason: this.reason, fault: this.#fault, notes: [] };
    if (!this.isEnded()) return { outcome: 'incomplete', reason: null, fault: null, notes: this.notes() };
    const notes = [...endNotes(this.reason, this.hasText, this.#hasThinking), ...this.notes()];
    return { outcome: 'complete', reason: this.reason, fault: null, notes };
  }

  /** Takes what the parser still held when the stream ended. */
  protected abstract rest(events: ChatEvent[]): void;

  /** Whether the server said that the answer is over. */
  protected abstract isEnded(): boolean;

  /** What this dialect has to say under an answer. */
  protected notes(): string[] {
    return [];
  }

  /** Takes items of a parser until the answer is over. */
  protected take<T>(items: () => readonly T[], each: (item: T) => void): void {
    if (this.over) return;
    try {
      for (const item of items()) {
        if (this.over) return;
        each(item);
      }
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.fail(faultFor('line-too-long', valuesOfPlace(this.place)));
    }
  }

  /** The thinking in a delta or message, and then its text. */
  protected say(message: JsonObject | null, text: string | null, events: ChatEvent[]): void {
    const thinking = reasoningOf(message);
    if (thinking !== null) {
      this.#splitter.leaveTags();
      this.#give([{ kind: 'reasoning', text: thinking }], events);
    }
    if (text !== null) this.#give(this.#splitter.feed(text), events);
  }

  /** An error that the server told in mid-answer. */
  protected onError(body: unknown): void {
    const found = errorTextOf(body) ?? errorTextOf({ error: body });
    if (found === null) {
      this.fail(faultFor('error-without-reason', valuesOfPlace(this.place)));
      return;
    }
    const status = Number(found.code);
    this.fail(faultOfText(found, status >= 400 ? status : 200, this.place));
  }

  protected fail(reason: Fault): void {
    this.#fault = reason;
    this.over = true;
  }

  /** Neighbouring pieces of one kind are one event: what came in one read is one change of the picture. */
  #give(pieces: readonly SplitPiece[], events: ChatEvent[]): void {
    for (const { kind, text } of pieces) {
      if (kind === 'text') this.hasText = true;
      else this.#hasThinking = true;
      const last = events.at(-1);
      if (last?.type === kind)
        events[events.length - 1] = { type: kind, text: last.text + text, pieces: (last.pieces ?? 1) + 1 };
      else events.push({ type: kind, text });
    }
  }
}
