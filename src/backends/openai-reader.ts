import { faultFor } from '../domain/fault-table.js';
import type { Usage } from '../domain/chat.js';
import { parseJson } from '../wire/read.js';
import { type SseItem, SseParser } from '../wire/sse.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { AnswerReader } from './answer-reader.js';
import type { ChatEvent } from './backend.js';
import { valuesOfPlace } from './server-fault.js';
import { type JsonObject, asArray, asCount, asObject, asText, field } from './json.js';
import { usageOf, usageOfTimings } from './openai-chunk.js';

const LIVE_FIGURES_MS = 100;
const WHOLE_LIMIT_CHARS = 16 * 1024 * 1024;

/** As far as lines of a log are read for it; what vLLM puts behind it there is of its own making. */
const COMPLETION_ID = /^(?:chat)?cmpl-[A-Za-z0-9]{6,64}/;

/** Reads an answer of the OpenAI dialect: an event stream, or one whole JSON body, whatever the content type says. */
export class OpenAiReader extends AnswerReader {
  readonly #sse = new SseParser();
  #form: 'unknown' | 'events' | 'whole' = 'unknown';
  #begin = '';
  /** vLLM: the text that ended the answer, when it was not the model's own end. */
  #stopText: string | null = null;
  #hiddenError = false;
  #doneSeen = false;
  #answeredBy: string | null = null;
  #idSeen = false;
  /** The server's own time of answering when figures were last given. */
  #figuresAtMs = 0;
  /** Came too soon after those; they count when they were the last. */
  #heldTimings: JsonObject | null = null;
  /** By what told them, until all that came with them is read. */
  readonly #figures = new Map<'timings' | 'usage', Partial<Usage>>();

  feed(text: string): ChatEvent[] {
    const events: ChatEvent[] = [];
    if (this.over) return events;
    if (this.#form === 'events') {
      this.#parse(text, events);
      return events;
    }
    this.#begin += text;
    const form = this.#decideForm();
    if (form === 'whole' && this.#begin.length > WHOLE_LIMIT_CHARS)
      this.fail(faultFor('line-too-long', valuesOfPlace(this.place)));
    if (form === 'events') {
      this.#parse(this.#begin, events);
      this.#begin = '';
    }
    return events;
  }

  protected override rest(events: ChatEvent[]): void {
    if (this.#form === 'whole') {
      this.#onWhole(events);
      return;
    }
    this.#parse(this.#begin, events);
    this.#takeItems(() => this.#sse.end(), events);
    if (this.#heldTimings !== null) this.#addFigures(usageOfTimings(this.#heldTimings), 'timings');
    this.#tellFigures(events);
  }

  protected override isEnded(): boolean {
    return this.reason !== null || this.#doneSeen;
  }

  protected override notes(): string[] {
    if (!this.isEnded())
      return this.#hiddenError ? ['The server hides why it stopped: look into its log.'] : [];
    const text = this.#stopText;
    return text === null ? [] : [`Stopped at the text ${JSON.stringify(sanitizeLine(text))}.`];
  }

  #decideForm(): 'unknown' | 'events' | 'whole' {
    const begin = this.#begin.trimStart();
    if (begin === '' || this.#form === 'whole') return this.#form;
    if (begin.startsWith('{')) this.#form = 'whole';
    else if (begin.startsWith('<')) this.fail(faultFor('web-page'));
    else this.#form = 'events';
    return this.#form;
  }

  #parse(text: string, events: ChatEvent[]): void {
    this.#takeItems(() => this.#sse.feed(text), events);
    this.#tellFigures(events);
  }

  #takeItems(items: () => SseItem[], events: ChatEvent[]): void {
    this.take(items, (item) => {
      if (item.type === 'event') this.#onEvent(item.event, item.data, events);
      // llama.cpp before October 2025 and llamafile 0.9 report errors as `error: {…}`.
      else if (item.field === 'error') this.onError(parseJson(item.value) ?? item.value);
    });
  }

  #onEvent(name: string | null, data: string, events: ChatEvent[]): void {
    if (data.trim() === '[DONE]') {
      this.#doneSeen = true;
      this.over = true;
      return;
    }
    const chunk = asObject(parseJson(data));
    if (chunk === null) return;
    if (name === 'error' || isError(chunk)) this.onError(chunk);
    else this.#onChunk(chunk, events);
  }

  #onChunk(chunk: JsonObject, events: ChatEvent[]): void {
    this.#onModel(field(chunk, 'model'), events);
    this.#onId(field(chunk, 'id'), events);
    const progress = asObject(field(chunk, 'prompt_progress'));
    if (progress !== null) events.push(prefillOf(progress));
    const share = asCount(field(chunk, 'x_prefill_progress'));
    if (share !== null) events.push(prefillShareOf(share));
    const choice = asArray(field(chunk, 'choices'))
      .map(asObject)
      .find((item) => (asCount(field(item, 'index')) ?? 0) === 0);
    if (choice !== undefined && choice !== null) {
      this.#onMessage(asObject(field(choice, 'delta')) ?? asObject(field(choice, 'message')), events);
      const reason = asText(field(choice, 'finish_reason'));
      if (reason !== null) {
        this.reason = sanitizeLine(reason);
        this.#stopText = asText(field(choice, 'stop_reason'));
        this.finishing = true;
      }
    }
    this.#onFigures(chunk);
  }

  #onMessage(message: JsonObject | null, events: ChatEvent[]): void {
    if (message === null) return;
    this.say(message, asText(field(message, 'content')) ?? asText(field(message, 'refusal')), events);
    this.tools.add(field(message, 'tool_calls'));
  }

  #onFigures(chunk: JsonObject): void {
    const timings = asObject(field(chunk, 'timings'));
    const usage = asObject(field(chunk, 'usage'));
    if (timings !== null) this.#onTimings(timings, usage === null);
    // Running counts begin at zero, before there is anything to count.
    if (usage === null) return;
    this.#heldTimings = null;
    this.#addFigures(withoutZero(usageOf(usage), !this.finishing), 'usage');
  }

  #onTimings(timings: JsonObject, alone: boolean): void {
    // With timings_per_token every chunk has them: zero during the prompt, and then more often than anybody looks.
    const answerMs = asCount(field(timings, 'predicted_ms')) ?? 0;
    const live = alone && !this.finishing;
    if (live && field(timings, 'predicted_n') === 0) return;
    const isTooSoon = live && answerMs < this.#figuresAtMs + LIVE_FIGURES_MS;
    this.#heldTimings = isTooSoon ? timings : null;
    if (isTooSoon) return;
    this.#figuresAtMs = answerMs;
    this.#addFigures(usageOfTimings(timings), 'timings');
  }

  /** Of figures that came in one read the last ones count. */
  #addFigures(usage: Partial<Usage>, source: 'timings' | 'usage'): void {
    const before = this.#figures.get(source);
    this.#figures.delete(source);
    this.#figures.set(source, { ...before, ...usage });
  }

  #tellFigures(events: ChatEvent[]): void {
    for (const [source, usage] of this.#figures) events.push({ type: 'usage', usage, source });
    this.#figures.clear();
  }

  #onModel(value: unknown, events: ChatEvent[]): void {
    if (value === '') this.#hiddenError = true;
    const name = asText(value);
    if (name === null || name === this.#answeredBy) return;
    this.#answeredBy = name;
    if (name !== this.place.model) events.push({ type: 'answering-model', name: sanitizeLine(name) });
  }

  /** vLLM and others write it to their log with `chatcmpl-` before it; ids of other forms stand in no log. */
  #onId(value: unknown, events: ChatEvent[]): void {
    if (this.#idSeen) return;
    this.#idSeen = true;
    const id = COMPLETION_ID.exec(asText(value) ?? '')?.[0];
    if (id !== undefined) events.push({ type: 'request', id });
  }

  #onWhole(events: ChatEvent[]): void {
    const body = asObject(parseJson(this.#begin));
    if (body === null) return;
    if (isError(body)) {
      this.onError(body);
      return;
    }
    this.#onChunk(body, events);
    this.#tellFigures(events);
    if (!this.finishing && this.hasText) this.#doneSeen = true;
  }
}

function isError(chunk: JsonObject): boolean {
  const error = field(chunk, 'error');
  return (error !== undefined && error !== null) || field(chunk, 'object') === 'error';
}

function withoutZero(usage: Partial<Usage>, running: boolean): Partial<Usage> {
  if (!running || usage.answerTokens !== 0) return usage;
  return Object.fromEntries(Object.entries(usage).filter(([name]) => name !== 'answerTokens'));
}

function prefillOf(progress: JsonObject): ChatEvent {
  return {
    type: 'prefill',
    progress: {
      processed: asCount(field(progress, 'processed')) ?? 0,
      total: asCount(field(progress, 'total')) ?? 0,
      cached: asCount(field(progress, 'cache')) ?? 0,
    },
    source: 'prompt_progress',
  };
}

/** llamafiler counts no tokens. */
function prefillShareOf(share: number): ChatEvent {
  const progress = { processed: 0, total: 0, cached: 0, share: Math.min(share, 1) };
  return { type: 'prefill', progress, source: 'x_prefill_progress' };
}
