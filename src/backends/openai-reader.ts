import type { Usage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import { faultFor } from '../domain/fault-table.js';
import { LineTooLongError } from '../wire/lines.js';
import { parseJson } from '../wire/read.js';
import { type SseItem, SseParser } from '../wire/sse.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { ChatEvent } from './backend.js';
import { type ChatReader, type Verdict, endNotes } from './chat-reader.js';
import { type FaultPlace, errorTextOf, faultOfText, valuesOfPlace } from './error-text.js';
import { type JsonObject, asArray, asCount, asObject, asText, field } from './json.js';
import { ToolCalls, reasoningOf, usageOf, usageOfTimings } from './openai-chunk.js';
import { ThinkSplitter } from './think-splitter.js';

const LIVE_FIGURES_MS = 100;
const WHOLE_LIMIT_CHARS = 16 * 1024 * 1024;

/** Reads an answer of the OpenAI dialect: an event stream, or one whole JSON body, whatever the content type says. */
export class OpenAiReader implements ChatReader {
  over = false;
  finishing = false;
  readonly #place: FaultPlace;
  readonly #sse = new SseParser();
  readonly #splitter = new ThinkSplitter();
  readonly #tools = new ToolCalls();
  #form: 'unknown' | 'events' | 'whole' = 'unknown';
  #begin = '';
  #reason: string | null = null;
  /** vLLM: the text that ended the answer, when it was not the model's own end. */
  #stopText: string | null = null;
  #fault: Fault | null = null;
  #hasText = false;
  #hasThinking = false;
  #hiddenError = false;
  #doneSeen = false;
  #answeredBy: string | null = null;
  /** The server's own time of answering when figures were last given. */
  #figuresAtMs = 0;

  constructor(place: FaultPlace) {
    this.#place = place;
  }

  feed(text: string): ChatEvent[] {
    const events: ChatEvent[] = [];
    if (this.over) return events;
    if (this.#form === 'events') {
      this.#parse(text, events);
      return events;
    }
    this.#begin += text;
    const form = this.#decideForm();
    if (form === 'whole' && this.#begin.length > WHOLE_LIMIT_CHARS) this.#fail(tooLong(this.#place));
    if (form === 'events') {
      this.#parse(this.#begin, events);
      this.#begin = '';
    }
    return events;
  }

  end(): ChatEvent[] {
    const events: ChatEvent[] = [];
    if (this.#form === 'whole') this.#onWhole(events);
    else if (!this.over) {
      this.#parse(this.#begin, events);
      if (!this.over) this.#take(() => this.#sse.end(), events);
    }
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
    if (this.#reason === null && !this.#doneSeen) {
      const notes = this.#hiddenError ? ['The server hides why it stopped: look into its log.'] : [];
      return { outcome: 'incomplete', reason: null, fault: null, notes };
    }
    const notes = endNotes(this.#reason, this.#hasText, this.#hasThinking);
    if (this.#stopText !== null)
      notes.push(`Stopped at the text ${JSON.stringify(sanitizeLine(this.#stopText))}.`);
    return { outcome: 'complete', reason: this.#reason, fault: null, notes };
  }

  #decideForm(): 'unknown' | 'events' | 'whole' {
    const begin = this.#begin.trimStart();
    if (begin === '' || this.#form === 'whole') return this.#form;
    if (begin.startsWith('{')) this.#form = 'whole';
    else if (begin.startsWith('<')) this.#fail(webPage());
    else this.#form = 'events';
    return this.#form;
  }

  #parse(text: string, events: ChatEvent[]): void {
    this.#take(() => this.#sse.feed(text), events);
  }

  #take(items: () => SseItem[], events: ChatEvent[]): void {
    try {
      for (const item of items()) {
        if (this.over) return;
        if (item.type === 'event') this.#onEvent(item.event, item.data, events);
        // llama.cpp before October 2025 and llamafile 0.9 report errors as `error: {…}`.
        else if (item.field === 'error') this.#onError(parseJson(item.value) ?? item.value);
      }
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.#fail(tooLong(this.#place));
    }
  }

  #onEvent(name: string | null, data: string, events: ChatEvent[]): void {
    if (data.trim() === '[DONE]') {
      this.#doneSeen = true;
      this.over = true;
      return;
    }
    const chunk = asObject(parseJson(data));
    if (chunk === null) return;
    if (name === 'error' || isError(chunk)) this.#onError(chunk);
    else this.#onChunk(chunk, events);
  }

  #onChunk(chunk: JsonObject, events: ChatEvent[]): void {
    this.#onModel(field(chunk, 'model'), events);
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
        this.#reason = sanitizeLine(reason);
        this.#stopText = asText(field(choice, 'stop_reason'));
        this.finishing = true;
      }
    }
    this.#onFigures(chunk, events);
  }

  #onMessage(message: JsonObject | null, events: ChatEvent[]): void {
    if (message === null) return;
    const reasoning = reasoningOf(message);
    if (reasoning !== null) {
      this.#splitter.leaveTags();
      this.#give([{ kind: 'reasoning', text: reasoning }], events);
    }
    const text = asText(field(message, 'content')) ?? asText(field(message, 'refusal'));
    if (text !== null) this.#give(this.#splitter.feed(text), events);
    this.#tools.add(field(message, 'tool_calls'));
  }

  #onFigures(chunk: JsonObject, events: ChatEvent[]): void {
    const timings = asObject(field(chunk, 'timings'));
    const usage = asObject(field(chunk, 'usage'));
    if (timings !== null) this.#onTimings(usageOfTimings(timings), usage === null, events);
    // Running counts begin at zero, before there is anything to count.
    if (usage !== null) addFigures(withoutZero(usageOf(usage), !this.finishing), 'usage', events);
  }

  #onTimings(figures: Partial<Usage>, alone: boolean, events: ChatEvent[]): void {
    // With timings_per_token every chunk has them: zero during the prompt, and then more often than anybody looks.
    const answerMs = figures.answerMs ?? 0;
    const live = alone && !this.finishing;
    if (live && (figures.answerTokens === 0 || answerMs < this.#figuresAtMs + LIVE_FIGURES_MS)) return;
    this.#figuresAtMs = answerMs;
    addFigures(figures, 'timings', events);
  }

  #onModel(value: unknown, events: ChatEvent[]): void {
    if (value === '') this.#hiddenError = true;
    const name = asText(value);
    if (name === null || name === this.#answeredBy) return;
    this.#answeredBy = name;
    if (name !== this.#place.model) events.push({ type: 'answering-model', name: sanitizeLine(name) });
  }

  #onError(body: unknown): void {
    const found = errorTextOf(body) ?? errorTextOf({ error: body });
    if (found === null) this.#fail(faultFor('error-without-reason', valuesOfPlace(this.#place)));
    else this.#fail(faultOfText(found, Number(found.code) >= 400 ? Number(found.code) : 200, this.#place));
  }

  #onWhole(events: ChatEvent[]): void {
    const body = asObject(parseJson(this.#begin));
    if (body === null) return;
    if (isError(body)) {
      this.#onError(body);
      return;
    }
    this.#onChunk(body, events);
    if (!this.finishing && this.#hasText) this.#doneSeen = true;
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

function isError(chunk: JsonObject): boolean {
  const error = field(chunk, 'error');
  return (error !== undefined && error !== null) || field(chunk, 'object') === 'error';
}

/** Figures that came in one read are one event: the last ones count, and pieces of text stay neighbours. */
function addFigures(usage: Partial<Usage>, source: string, events: ChatEvent[]): void {
  const at = events.findLastIndex((event) => event.type === 'usage' && event.source === source);
  const before = at === -1 ? undefined : events.splice(at, 1)[0];
  events.push({
    type: 'usage',
    usage: before?.type === 'usage' ? { ...before.usage, ...usage } : usage,
    source,
  });
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

/** An answer that begins like HTML: a portal, a web interface, a wrong path. */
export function webPage(): Fault {
  return faultFor('web-page');
}

export function tooLong(place: FaultPlace): Fault {
  return faultFor('line-too-long', valuesOfPlace(place));
}
