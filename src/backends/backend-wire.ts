import type { Clock } from '../ports.js';
import type { Fault } from '../domain/fault.js';
import { faultFor } from '../domain/fault-table.js';
import { isLoopback } from '../domain/fit.js';
import { type Limits, defaultLimits } from '../domain/limits.js';
import type { BackendStatus } from '../domain/model.js';
import { type WholeAnswer, fetchWhole, readText } from '../wire/read.js';
import { type Exchange, timeoutError, Wire, type WireAnswer, type WireRequest } from '../wire/http.js';
import { SharedQuestions } from '../wire/shared.js';
import { WireError, wireErrorFrom } from '../wire/wire-error.js';
import { type BackendAddress, BackendError, type BackendPorts } from './backend.js';
import { errorTextOf } from './error-text.js';
import { type FaultPlace, faultOfAnswer, faultOfText, valuesOfPlace } from './server-fault.js';

type Method = 'GET' | 'POST' | 'DELETE';

/** A question with a whole answer. */
export interface Ask {
  readonly method?: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Until the whole answer is there; null: without limit; absent: that of a check. */
  readonly timeoutMs?: number | null;
  readonly model?: string;
}

/** A question whose answer comes piece by piece, on a socket of its own. A limit of null or 0 is none. */
export interface Stream {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly firstByteTimeoutMs?: number | null;
  readonly idleTimeoutMs?: number | null;
  /** Many small packets, to be read in bursts. */
  readonly paced?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

const ERROR_BODY_LIMIT_CHARS = 1024 * 1024;

/** The wire of one backend: base address, key and the words for its faults. */
export class BackendWire {
  readonly clock: Clock;
  readonly url: string;
  readonly limits: Limits;
  readonly #wire: Wire;
  readonly #key: string | null;
  readonly #place: Omit<FaultPlace, 'model'>;
  readonly #onRequest: BackendPorts['onRequest'];
  #awaySince: number | null = null;
  /** The last answer to each question that is asked again and again: most say the same as before. */
  readonly #last = new Map<string, WholeAnswer>();
  readonly #questions: SharedQuestions<WholeAnswer>;

  constructor(address: BackendAddress, ports: BackendPorts, place: Omit<FaultPlace, 'model'>) {
    this.clock = clockOf(ports);
    this.url = address.url;
    this.limits = ports.limits ?? defaultLimits(address.url);
    this.#key = address.key;
    this.#place = { ...place, url: address.url, secret: address.key };
    this.#wire = new Wire(this.clock);
    this.#questions = new SharedQuestions(this.clock);
    this.#onRequest = ports.onRequest;
  }

  place(model: string | null): FaultPlace {
    return { ...this.#place, model };
  }

  /** The whole answer, whatever its status. Throws BackendError when there is none. */
  async ask(ask: Ask): Promise<WholeAnswer> {
    const limitMs = ask.timeoutMs === undefined ? this.limits.checkMs : ask.timeoutMs;
    const send = (signal: AbortSignal, ms: number | null): Promise<WholeAnswer> =>
      this.#ask({ ...ask, signal, timeoutMs: ms });
    try {
      if ((ask.method ?? 'GET') !== 'GET') return await send(ask.signal, limitMs);
      const patience = { signal: ask.signal, limitMs, late: () => timeoutError('answer', this.url) };
      return await this.#questions.ask(ask.path, patience, send);
    } catch (error) {
      throw this.toBackendError(error);
    }
  }

  async #ask({ method = 'GET', path, body, signal, timeoutMs = null }: Ask): Promise<WholeAnswer> {
    const request = {
      ...this.#request(method, path, body),
      signal,
      // Only a GET can go once more when a kept socket turns out to be dead.
      ownSocket: method !== 'GET',
      totalTimeoutMs: timeoutMs,
    };
    const before = this.#last.get(path) ?? null;
    const answer = await this.#traced(method, path, fetchWhole(this.#wire, request, before));
    if (method === 'GET' && !path.includes('?')) this.#last.set(path, answer);
    return answer;
  }

  /** The parsed body of a good answer. Throws BackendError otherwise. */
  async askJson(ask: Ask): Promise<unknown> {
    const answer = await this.ask(ask);
    if (answer.status < 200 || answer.status > 299) {
      throw new BackendError(this.faultOf(answer, ask.model ?? null));
    }
    if (answer.json === undefined) throw new BackendError(noJson(answer));
    return answer.json;
  }

  /** For an order whose answer may be empty: only the status counts. Throws BackendError otherwise. */
  async order(ask: Ask): Promise<void> {
    const answer = await this.ask(ask);
    if (answer.status < 200 || answer.status > 299)
      throw new BackendError(this.faultOf(answer, ask.model ?? null));
  }

  faultOf(answer: Pick<WholeAnswer, 'status' | 'headers' | 'text'>, model: string | null): Fault {
    if (/^text\/html/i.test(answer.headers['content-type'] ?? '') && answer.status === 404)
      return faultFor('web-page');
    return faultOfAnswer(answer.status, answer.headers, answer.text, this.place(model), this.clock.now());
  }

  /** The fault that a body with status 200 tells. */
  faultOfBody(body: unknown, model: string | null): Fault {
    const found = errorTextOf(body);
    const otherwise = faultFor('error-without-reason', valuesOfPlace(this.#place));
    return found === null ? otherwise : faultOfText(found, 200, this.place(model));
  }

  /** A chat on a socket of its own. */
  openChat(
    path: string,
    body: unknown,
    signal: AbortSignal,
    firstByteTimeoutMs: number,
    idleTimeoutMs: number,
    headers: Readonly<Record<string, string>> = {},
  ): Exchange {
    return this.open({
      method: 'POST',
      path,
      body,
      headers,
      signal,
      firstByteTimeoutMs,
      idleTimeoutMs,
      paced: true,
    });
  }

  /** A long answer on a socket of its own, so that closing it is what the server understands as cancel. */
  open(stream: Stream): Exchange {
    const { method, path, signal } = stream;
    const opened = this.#wire.open({
      ...this.#request(method, path, stream.body),
      ...(stream.headers === undefined ? {} : { headers: stream.headers }),
      ownSocket: true,
      paced: stream.paced === true,
      signal,
      firstByteTimeoutMs: stream.firstByteTimeoutMs || null,
      idleTimeoutMs: stream.idleTimeoutMs || null,
    });
    // Whoever reads the stream deals with its failure.
    this.#traced(method, path, opened.answer).catch(() => undefined);
    return opened;
  }

  /** Opens an answer that comes piece by piece. Throws BackendError when its status is an error, or when none comes. */
  async stream(stream: Stream, model: string | null): Promise<WireAnswer> {
    try {
      const answer = await this.open(stream).answer;
      if (answer.status >= 200 && answer.status <= 299) return answer;
      const text = await readText(answer, ERROR_BODY_LIMIT_CHARS);
      throw new BackendError(this.faultOf({ ...answer, text }, model));
    } catch (error) {
      throw this.toBackendError(error);
    }
  }

  /** Tells the debug log of a request when it is over. */
  async #traced<T extends { readonly status: number }>(
    method: string,
    path: string,
    answer: Promise<T>,
  ): Promise<T> {
    if (this.#onRequest === undefined) return answer;
    const start = this.clock.monotonic();
    const tell = (status: number | null, problem: string | null): void =>
      this.#onRequest?.({
        method,
        url: this.url + path,
        status,
        ms: Math.round(this.clock.monotonic() - start),
        problem,
      });
    try {
      const { status } = await answer;
      tell(status, null);
    } catch (error) {
      tell(null, wireErrorFrom(error, this.url, false).fault.message);
    }
    return answer;
  }

  toBackendError(error: unknown): BackendError {
    if (error instanceof BackendError) return error;
    return new BackendError(this.faultOfWire(wireErrorFrom(error, this.url, false)), error);
  }

  /** With the name of this kind of server, its log, and the command that starts it on this machine. */
  faultOfWire({ told, fault }: WireError): Fault {
    if (told === null) return fault;
    const id =
      told.id === 'refused' && isLoopback(this.url) && this.#place.startCommand !== ''
        ? 'not-started'
        : told.id;
    return faultFor(id, { ...valuesOfPlace(this.#place), ...told.values }, fault.status);
  }

  /** The state that a failed check stands for. Throws when the caller cancelled. */
  statusOf(error: unknown): BackendStatus {
    if (error instanceof BackendError && error.cause instanceof WireError && error.cause.cancelled)
      throw error;
    const fault = this.toBackendError(error).fault;
    // A connection that is not answered in time is a server at work; no connection at all is one that is away.
    if (fault.code === 'timeout') return { state: 'busy' };
    if (fault.code === 'loading') return { state: 'loading' };
    this.#awaySince ??= this.clock.now();
    return { state: 'away', fault, sinceMs: this.#awaySince };
  }

  heard(): void {
    this.#awaySince = null;
  }

  close(): void {
    this.#wire.close();
  }

  #request(method: Method, path: string, body: unknown): Omit<WireRequest, 'signal'> {
    return {
      method,
      url: this.url + path,
      key: this.#key,
      connectTimeoutMs: this.limits.connectMs,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
  }
}

function noJson(answer: WholeAnswer): Fault {
  const html = /^\s*</.test(answer.text) || /^text\/html/i.test(answer.headers['content-type'] ?? '');
  if (html) return { ...faultFor('web-page'), status: answer.status };
  return faultFor(answer.text.trim() === '' ? 'empty-answer' : 'no-json', {}, answer.status);
}

export function clockOf(ports: BackendPorts): Clock {
  return {
    now: () => ports.now(),
    monotonic: () => ports.monotonic(),
    after: (delayMs, run) =>
      ports.after === undefined ? realAfter(delayMs, run) : ports.after(delayMs, run),
  };
}

function realAfter(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Resolves after a time; rejects with the signal's reason when it ends before. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Timers of a clock do not keep the process alive, and between two questions no socket does.
    const hold = setInterval(() => undefined, 1 << 30);
    const onAbort = (): void => {
      clearInterval(hold);
      cancel();
      reject(
        new WireError(
          { code: 'broken', message: 'The request was cancelled.', hint: null, status: null },
          { cancelled: true },
        ),
      );
    };
    const cancel = clock.after(delayMs, () => {
      clearInterval(hold);
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
