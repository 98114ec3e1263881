import { faultFor } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import type { Usage } from '../domain/chat.js';
import { LineTooLongError } from '../wire/lines.js';
import { type NdjsonLine, NdjsonParser } from '../wire/ndjson.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { ChatEvent } from './backend.js';
import { type ChatReader, type Verdict, endNotes } from './chat-reader.js';
import { type FaultPlace, errorTextOf, faultOfText, valuesOfPlace } from './error-text.js';
import { type JsonObject, asCount, asObject, asText, field } from './json.js';
import { ToolCalls, reasoningOf, told } from './openai-chunk.js';
import { tooLong, webPage } from './openai-reader.js';
import { ThinkSplitter } from './think-splitter.js';

/** Lines that are no JSON, in a row, after which it is no Ollama stream. */
const GARBAGE_LIMIT = 3;
const SAMPLE_CHARS = 60;

/** Reads an answer of Ollama's own dialect: one JSON object per line. */
export class OllamaReader implements ChatReader {
  over = false;
  finishing = false;
  /** What the last line told. */
  usage: Partial<Usage> = {};
  readonly #place: FaultPlace;
  readonly #ndjson = new NdjsonParser();
  readonly #splitter = new ThinkSplitter();
  readonly #tools = new ToolCalls();
  #reason: string | null = null;
  #done = false;
  #fault: Fault | null = null;
  #good = 0;
  #garbage = 0;
  #hasText = false;
  #hasThinking = false;

  constructor(place: FaultPlace) {
    this.#place = place;
  }

  feed(text: string): ChatEvent[] {
    return this.#take(() => this.#ndjson.feed(text));
  }

  end(): ChatEvent[] {
    const events = this.over ? [] : this.#take(() => this.#ndjson.end());
    this.#give(this.#splitter.end(), events);
    if (!this.#tools.empty) {
      const text = this.#tools.toString();
      events.push({ type: 'text', text: this.#hasText ? `\n${text}` : text });
      this.#hasText = true;
    }
    return events;
  }

  verdict(): Verdict {
    if (this.#fault !== null)
      return { outcome: 'failed', reason: this.#reason, fault: this.#fault, notes: [] };
    if (!this.#done && this.#reason === null)
      return { outcome: 'incomplete', reason: null, fault: null, notes: [] };
    const notes = endNotes(this.#reason, this.#hasText, this.#hasThinking);
    return { outcome: 'complete', reason: this.#reason, fault: null, notes };
  }

  #take(lines: () => NdjsonLine[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    if (this.over) return events;
    try {
      for (const line of lines()) {
        if (this.over) break;
        const value = line.ok ? asObject(line.value) : null;
        if (value === null) this.#onGarbage(line);
        else this.#onLine(value, events);
      }
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.#fail(tooLong(this.#place));
    }
    return events;
  }

  #onGarbage(line: NdjsonLine): void {
    const text = line.ok ? JSON.stringify(line.value) : line.line;
    this.#garbage += 1;
    if (this.#good > 0 && this.#garbage < GARBAGE_LIMIT) return;
    if (this.#good === 0 && text.trimStart().startsWith('<')) {
      this.#fail(webPage());
      return;
    }
    const sample = sanitizeLine(text.slice(0, SAMPLE_CHARS));
    this.#fail(faultFor('no-ollama-stream', { words: sample }));
  }

  #onLine(line: JsonObject, events: ChatEvent[]): void {
    this.#good += 1;
    this.#garbage = 0;
    const error = field(line, 'error');
    if (error !== undefined && error !== null) {
      this.#onError(line);
      return;
    }
    const message = asObject(field(line, 'message'));
    const thinking = reasoningOf(message);
    if (thinking !== null) {
      this.#splitter.leaveTags();
      this.#give([{ kind: 'reasoning', text: thinking }], events);
    }
    const content = asText(field(message, 'content')) ?? asText(field(line, 'response'));
    if (content !== null) this.#give(this.#splitter.feed(content), events);
    this.#tools.addWhole(field(message, 'tool_calls'));
    this.#onEnd(line, events);
  }

  #onEnd(line: JsonObject, events: ChatEvent[]): void {
    const reason = asText(field(line, 'done_reason'));
    const done = field(line, 'done') === true;
    if (!done && reason === null) return;
    this.#reason = reason === null ? null : sanitizeLine(reason);
    // Some runners close with a reason and without `done`.
    this.#done = true;
    this.finishing = true;
    this.over = done;
    if (reason === 'error') this.#fail(faultFor('ended-by-error', valuesOfPlace(this.#place)));
    this.usage = usageOfLine(line);
    events.push(...usageEvents(this.usage));
  }

  #onError(line: JsonObject): void {
    const found = errorTextOf(line);
    const status = found === null ? NaN : Number(found.code);
    if (found === null) this.#fail(faultFor('error-without-reason', valuesOfPlace(this.#place)));
    else this.#fail(faultOfText(found, status >= 400 ? status : 200, this.#place));
  }

  #give(pieces: readonly { kind: 'reasoning' | 'text'; text: string }[], events: ChatEvent[]): void {
    for (const piece of pieces) {
      if (piece.kind === 'text') this.#hasText = true;
      else this.#hasThinking = true;
      events.push({ type: piece.kind, text: piece.text });
    }
  }

  #fail(reason: Fault): void {
    this.#fault = reason;
    this.over = true;
  }
}

/** Where each figure of the last line stands. */
const SOURCES: Readonly<Partial<Record<keyof Usage, string>>> = {
  promptTokens: 'prompt_eval_count',
  answerTokens: 'eval_count',
  loadMs: 'load_duration',
  promptMs: 'prompt_eval_duration',
  answerMs: 'eval_duration',
  promptPerSecond: 'prompt_eval_count / prompt_eval_duration',
  answerPerSecond: 'eval_count / eval_duration',
};

/** Durations come in nanoseconds; zero values are left out by the server. */
function usageOfLine(line: JsonObject): Partial<Usage> {
  const promptTokens = asCount(field(line, 'prompt_eval_count'));
  const answerTokens = asCount(field(line, 'eval_count'));
  const promptMs = millis(field(line, 'prompt_eval_duration'));
  const answerMs = millis(field(line, 'eval_duration'));
  return told({
    promptTokens,
    answerTokens,
    loadMs: millis(field(line, 'load_duration')),
    promptMs,
    answerMs,
    promptPerSecond: rate(promptTokens, promptMs),
    answerPerSecond: rate(answerTokens, answerMs),
  });
}

/** Each figure with its source. */
function usageEvents(usage: Partial<Usage>): ChatEvent[] {
  return (Object.keys(usage) as (keyof Usage)[]).map((name) => ({
    type: 'usage',
    usage: { [name]: usage[name] },
    source: `${SOURCES[name] ?? name} of /api/chat`,
  }));
}

function millis(nanos: unknown): number | null {
  const count = asCount(nanos);
  return count === null ? null : count / 1e6;
}

function rate(tokens: number | null, ms: number | null): number | null {
  return tokens === null || tokens === 0 || ms === null || ms <= 0.001 ? null : (tokens / ms) * 1000;
}
