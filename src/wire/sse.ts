import { type EventSourceParser, createParser } from 'eventsource-parser';
import { LINE_LIMIT_CHARS, LineTooLongError } from './lines.js';

/** What an event stream says. */
export type SseItem =
  | { readonly type: 'event'; readonly event: string | null; readonly data: string }
  /** A line with a field that the standard does not know; old llama.cpp reports errors as `error: {…}`. */
  | { readonly type: 'stray'; readonly field: string; readonly value: string };

/** Parses server-sent events as they arrive. Comments, ids and retry times are left out: this client never reconnects. */
export class SseParser {
  readonly #parser: EventSourceParser;
  #items: SseItem[] = [];
  #tooLong = false;

  constructor(limitChars = LINE_LIMIT_CHARS) {
    this.#parser = createParser({
      maxBufferSize: limitChars,
      onEvent: (event) => this.#items.push({ type: 'event', event: event.event ?? null, data: event.data }),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.#tooLong = true;
        else if (error.type === 'unknown-field') {
          this.#items.push({ type: 'stray', field: error.field ?? '', value: error.value ?? '' });
        }
      },
    });
  }

  /** Throws LineTooLongError. */
  feed(text: string): SseItem[] {
    this.#parser.feed(text);
    if (this.#tooLong) {
      this.#parser.reset();
      throw new LineTooLongError();
    }
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** The last event, also when its blank line is missing. */
  end(): SseItem[] {
    return this.feed('\n\n');
  }
}
