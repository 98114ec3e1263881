import type { ChatMessage } from '../domain/chat.js';
import { parsePrometheus, sumOf } from '../wire/prometheus.js';
import { parseJson } from '../wire/read.js';
import { type Activity, BackendError, type ChatEvent } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { asArray, asCount, asObject, asText, field } from './json.js';
import { type LlamaCppProps, propsOf, slotsOf } from './llama-cpp-state.js';

/** A free slot answers a short prompt faster than this: then nobody needs to ask for a queue. */
const QUEUE_LOOK_MS = 400;
/** A place in the queue is read from the metrics, whose averages begin anew with every look. */
const QUEUE_AGAIN_MS = 2000;
/** A request that so many looks have not found in the queue is not in it. */
const QUEUE_LOOKS = 5;
const DEFERRED = 'requests_deferred of /metrics';

/** Requests in work and waiting; null where it is not told. */
export interface Work {
  readonly processing: number | null;
  readonly queued: number | null;
  readonly source: string;
}

/**
 * The questions that a llama.cpp server may or may not answer. None of them wakes a sleeping model. `query` names the model of a
 * router (`modelQuery`), and is empty for a server with one model.
 */
export class LlamaCppQuestions {
  readonly #wire: BackendWire;
  /** Not offered by this server; asked again after it was away. */
  readonly #missing = new Set<string>();

  constructor(wire: BackendWire) {
    this.#wire = wire;
  }

  forget(): void {
    this.#missing.clear();
  }

  /** Undefined when the server does not offer it; other errors are thrown. */
  async json(path: string, signal: AbortSignal, timeoutMs?: number): Promise<unknown> {
    const text = await this.#text(path, signal, timeoutMs);
    return text === null ? undefined : parseJson(text);
  }

  async props(query: string, signal: AbortSignal): Promise<LlamaCppProps | null> {
    const body = await this.json(`/props${query}`, signal, this.#wire.limits.checkMs);
    return body === undefined ? null : propsOf(body);
  }

  /**
   * `/slots` counts as a request: it wakes a sleeping model, and asked again and again it keeps an idle one awake for ever. A mere look
   * (`poll`) leaves it out where a model can sleep.
   */
  async work(props: LlamaCppProps, query: string, signal: AbortSignal, poll = false): Promise<Work> {
    if (props.sleeping) return { processing: 0, queued: 0, source: '/props' };
    const withSlots = props.slots !== false && !(poll && props.canSleep);
    const body = withSlots ? await this.json(`/slots${query}`, signal) : undefined;
    const slots = body === undefined ? null : slotsOf(body);
    // Nothing waits while a slot is free, and a look at the metrics spoils the averages of others who read them.
    if (slots !== null && slots.busy < slots.total)
      return { processing: slots.busy, queued: 0, source: '/slots' };
    const text = props.metrics === false ? null : await this.#text(`/metrics${query}`, signal);
    if (text === null) return { processing: slots?.busy ?? null, queued: null, source: '/slots' };
    const metrics = parsePrometheus(text);
    return {
      processing: slots?.busy ?? sumOf(metrics, 'llamacpp:requests_processing'),
      queued: sumOf(metrics, 'llamacpp:requests_deferred'),
      source: slots === null ? '/metrics' : '/slots',
    };
  }

  async activity(query: string, signal: AbortSignal): Promise<Activity> {
    const props = await this.props(query, signal);
    if (props === null) return { working: null, source: '/slots' };
    const { processing, source } = await this.work(props, query, signal);
    return { working: processing, source };
  }

  /**
   * While no byte has come: a server with all slots at work has put the request in its queue, and serves it in turn. A busy server may
   * fail to answer a look, or not have taken the request up yet: it is looked at again.
   */
  queueWatch(query: string): (signal: AbortSignal) => Promise<ChatEvent | null> {
    let position: number | null = null;
    let looks = 0;
    let over = false;
    return async (signal) => {
      while (!over) {
        await pause(this.#wire.clock, looks === 0 ? QUEUE_LOOK_MS : QUEUE_AGAIN_MS, signal);
        looks += 1;
        const seen = await this.#queueNow(query, signal);
        if (seen === 'failed') continue;
        if (seen === 'untold') return null;
        const { queued } = seen;
        if (queued === null) {
          over = true;
          return { type: 'queued', source: '/slots' };
        }
        // Those that came after this request wait behind it.
        const now: number = Math.min(queued, position ?? queued);
        if (now === 0) {
          over = position !== null || looks >= QUEUE_LOOKS;
          continue;
        }
        const moved = now !== position;
        position = now;
        if (moved) return { type: 'queued', position: now, source: DEFERRED };
      }
      return null;
    };
  }

  /** How many wait now; null: it is not told, but no slot is free. */
  async #queueNow(
    query: string,
    signal: AbortSignal,
  ): Promise<{ readonly queued: number | null } | 'untold' | 'failed'> {
    try {
      const props = await this.props(query, signal);
      if (props === null || props.router) return 'untold';
      const { processing, queued } = await this.work(props, query, signal);
      if (queued !== null) return { queued };
      // A server new enough to tell of its slots would have told the progress of a request that got one.
      return processing !== null && props.slots === true ? { queued: null } : 'untold';
    } catch (error) {
      if (signal.aborted) throw error;
      return 'failed';
    }
  }

  /** The exact count of a prompt; null when the server has no way to tell it. */
  async countTokens(
    model: string,
    messages: readonly ChatMessage[],
    query: string,
    signal: AbortSignal,
  ): Promise<number | null> {
    const counted = await this.#post(
      `/v1/chat/completions/input_tokens${query}`,
      { model, messages },
      signal,
    );
    if (counted !== undefined) return asCount(field(asObject(counted), 'input_tokens'));
    const templated = await this.#post(`/apply-template${query}`, { model, messages }, signal);
    const content = asText(field(asObject(templated), 'prompt'));
    if (content === null) return null;
    const body = { model, content, add_special: true, parse_special: true };
    const tokens = field(asObject(await this.#post(`/tokenize${query}`, body, signal)), 'tokens');
    return Array.isArray(tokens) ? asArray(tokens).length : null;
  }

  async #text(
    path: string,
    signal: AbortSignal,
    timeoutMs = this.#wire.limits.listMs,
  ): Promise<string | null> {
    if (this.#missing.has(path)) return null;
    const answer = await this.#wire.ask({ path, signal, timeoutMs });
    if (answer.status >= 200 && answer.status <= 299) return answer.text;
    if (!isMissing(answer.status)) throw new BackendError(this.#wire.faultOf(answer, null));
    this.#missing.add(path);
    return null;
  }

  async #post(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    if (this.#missing.has(path)) return undefined;
    const timeoutMs = this.#wire.limits.detailsMs;
    const answer = await this.#wire.ask({ method: 'POST', path, body, signal, timeoutMs });
    if (answer.status >= 200 && answer.status <= 299) return answer.json;
    if (!isMissing(answer.status)) throw new BackendError(this.#wire.faultOf(answer, null));
    this.#missing.add(path);
    return undefined;
  }
}

function isMissing(status: number): boolean {
  return status === 404 || status === 405 || status === 501;
}
