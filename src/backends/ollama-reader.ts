import { faultFor } from '../domain/fault-table.js';
import type { Usage } from '../domain/chat.js';
import { type NdjsonLine, NdjsonParser } from '../wire/ndjson.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { AnswerReader } from './answer-reader.js';
import type { ChatEvent } from './backend.js';
import { valuesOfPlace } from './server-fault.js';
import { type JsonObject, asCount, asObject, asText, field } from './json.js';
import { told } from './openai-chunk.js';

/** Lines that are no JSON, in a row, after which it is no Ollama stream. */
const GARBAGE_LIMIT = 3;
const SAMPLE_CHARS = 60;

/** Reads an answer of Ollama's own dialect: one JSON object per line. */
export class OllamaReader extends AnswerReader {
  /** What the last line told. */
  usage: Partial<Usage> = {};
  readonly #ndjson = new NdjsonParser();
  #done = false;
  #good = 0;
  #garbage = 0;

  feed(text: string): ChatEvent[] {
    const events: ChatEvent[] = [];
    this.#takeLines(() => this.#ndjson.feed(text), events);
    return events;
  }

  protected override rest(events: ChatEvent[]): void {
    this.#takeLines(() => this.#ndjson.end(), events);
  }

  protected override isEnded(): boolean {
    return this.#done || this.reason !== null;
  }

  #takeLines(lines: () => NdjsonLine[], events: ChatEvent[]): void {
    this.take(lines, (line) => {
      const value = line.ok ? asObject(line.value) : null;
      if (value === null) this.#onGarbage(line);
      else this.#onLine(value, events);
    });
  }

  #onGarbage(line: NdjsonLine): void {
    const text = line.ok ? JSON.stringify(line.value) : line.line;
    this.#garbage += 1;
    if (this.#good > 0 && this.#garbage < GARBAGE_LIMIT) return;
    if (this.#good === 0 && text.trimStart().startsWith('<')) {
      this.fail(faultFor('web-page'));
      return;
    }
    const sample = sanitizeLine(text.slice(0, SAMPLE_CHARS));
    this.fail(faultFor('no-ollama-stream', { words: sample }));
  }

  #onLine(line: JsonObject, events: ChatEvent[]): void {
    this.#good += 1;
    this.#garbage = 0;
    const error = field(line, 'error');
    if (error !== undefined && error !== null) {
      this.onError(line);
      return;
    }
    const message = asObject(field(line, 'message'));
    this.say(message, asText(field(message, 'content')) ?? asText(field(line, 'response')), events);
    this.tools.addWhole(field(message, 'tool_calls'));
    this.#onEnd(line, events);
  }

  #onEnd(line: JsonObject, events: ChatEvent[]): void {
    const reason = asText(field(line, 'done_reason'));
    const done = field(line, 'done') === true;
    if (!done && reason === null) return;
    this.reason = reason === null ? null : sanitizeLine(reason);
    // Some runners close with a reason and without `done`.
    this.#done = true;
    this.finishing = true;
    this.over = done;
    if (reason === 'error') this.fail(faultFor('ended-by-error', valuesOfPlace(this.place)));
    this.usage = usageOfLine(line);
    events.push(...usageEvents(this.usage));
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
