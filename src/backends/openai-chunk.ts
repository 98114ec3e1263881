import type { Usage } from '../domain/chat.js';
import { type JsonObject, asArray, asCount, asObject, asSize, asText, field } from './json.js';

/** A tool call put together from its pieces. Shown, never run. */
interface ToolCall {
  name: string;
  input: string;
}

/** Collects tool calls of a stream by their index. */
export class ToolCalls {
  readonly #calls = new Map<number, ToolCall>();

  add(deltas: unknown): void {
    asArray(deltas).forEach((item, position) => {
      const delta = asObject(item);
      const part = asObject(field(delta, 'function'));
      const index = asCount(field(delta, 'index')) ?? position;
      const call = this.#calls.get(index) ?? { name: '', input: '' };
      call.name += asText(field(part, 'name')) ?? '';
      const input = field(part, 'arguments');
      call.input +=
        typeof input === 'string'
          ? input
          : input === undefined || input === null
            ? ''
            : JSON.stringify(input);
      this.#calls.set(index, call);
    });
  }

  /** Ollama sends each call whole and often without an index. */
  addWhole(calls: unknown): void {
    for (const call of asArray(calls)) this.add([{ ...asObject(call), index: this.#calls.size }]);
  }

  get empty(): boolean {
    return this.#calls.size === 0;
  }

  toString(): string {
    return [...this.#calls.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, call]) => `[tool call] ${call.name}(${call.input})`)
      .join('\n');
  }
}

/** Figures of the `usage` object of the OpenAI dialect. */
export function usageOf(usage: JsonObject): Partial<Usage> {
  const details = asObject(field(usage, 'prompt_tokens_details'));
  const promptTokens = asCount(field(usage, 'prompt_tokens'));
  const answerTokens = asCount(field(usage, 'completion_tokens'));
  // LocalAI with `Extra-Usage`, in milliseconds; 0 where its backend does not measure.
  const promptMs = asSize(field(usage, 'timing_prompt_processing'));
  const answerMs = asSize(field(usage, 'timing_token_generation'));
  return told({
    promptTokens,
    answerTokens,
    cachedTokens: asCount(field(details, 'cached_tokens')),
    promptMs,
    answerMs,
    promptPerSecond: perSecond(promptTokens, promptMs),
    answerPerSecond: perSecond(answerTokens, answerMs),
  });
}

function perSecond(count: number | null, ms: number | null): number | null {
  return count === null || count === 0 || ms === null || ms <= 0.001 ? null : (count * 1000) / ms;
}

/** Figures of llama.cpp's `timings`, in milliseconds. */
export function usageOfTimings(timings: JsonObject): Partial<Usage> {
  const cached = asCount(field(timings, 'cache_n'));
  const prompt = asCount(field(timings, 'prompt_n'));
  const answer = asCount(field(timings, 'predicted_n'));
  const promptMs = asCount(field(timings, 'prompt_ms'));
  const answerMs = asCount(field(timings, 'predicted_ms'));
  return told({
    promptTokens: prompt === null ? null : prompt + (cached ?? 0),
    cachedTokens: cached,
    answerTokens: answer,
    promptMs,
    answerMs,
    promptPerSecond: speed(field(timings, 'prompt_per_second'), prompt, promptMs),
    answerPerSecond: speed(field(timings, 'predicted_per_second'), answer, answerMs),
  });
}

/** Servers write 1e6 when nothing was measured: a speed needs a time. */
function speed(value: unknown, count: number | null, ms: number | null): number | null {
  const perSecond = asCount(value);
  return perSecond === null || perSecond === 0 || count === null || count === 0 || ms === null || ms <= 0.001
    ? null
    : perSecond;
}

/** Without the fields that were not told. */
export function told(usage: Partial<Usage>): Partial<Usage> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null)) as Partial<Usage>;
}

/** The thinking in a delta or message: both names are in use, some servers send both with the same text. */
export function reasoningOf(delta: JsonObject | null): string | null {
  return (
    asText(field(delta, 'reasoning_content')) ??
    asText(field(delta, 'reasoning')) ??
    asText(field(delta, 'thinking'))
  );
}
