import type { Clock } from '../ports.js';
import type { Fault } from '../domain/fault.js';
import type { BackendStatus } from '../domain/model.js';
import { type WholeAnswer, fetchWhole } from '../wire/read.js';
import { Wire, type WireRequest } from '../wire/http.js';
import { WireError, wireErrorFrom } from '../wire/wire-error.js';
import { type BackendAddress, BackendError, type BackendPorts } from './backend.js';
import { type FaultPlace, errorTextOf, faultOfAnswer, faultOfText } from './error-text.js';
import { webPage } from './openai-reader.js';

/** Limits of small questions: connection and whole answer. */
export const ASK_TIMEOUT_MS = 2500;

export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | null;
  readonly model?: string;
}

/** The wire of one backend: base address, key and the words for its faults. */
export class BackendWire {
  readonly clock: Clock;
  readonly url: string;
  readonly #wire: Wire;
  readonly #key: string | null;
  readonly #place: Omit<FaultPlace, 'model'>;
  readonly #onRequest: BackendPorts['onRequest'];
  #awaySince: number | null = null;
  /** The last answer to each question that is asked again and again: most say the same as before. */
  readonly #last = new Map<string, WholeAnswer>();

  constructor(address: BackendAddress, ports: BackendPorts, place: Omit<FaultPlace, 'model'>) {
    this.clock = clockOf(ports);
    this.url = address.url;
    this.#key = address.key;
    this.#place = place;
    this.#wire = new Wire(this.clock);
    this.#onRequest = ports.onRequest;
  }

  place(model: string | null): FaultPlace {
    return { ...this.#place, model };
  }

  /** The whole answer, whatever its status. Throws BackendError when there is none. */
  async ask(ask: Ask): Promise<WholeAnswer> {
    const method = ask.method ?? 'GET';
    try {
      const answer = await this.#traced(
        method,
        ask.path,
        fetchWhole(
          this.#wire,
          {
            ...this.#request(method, ask.path, ask.body),
            signal: ask.signal,
            // Only a GET can go once more when a kept socket turns out to be dead.
            ownSocket: method === 'POST',
            totalTimeoutMs: ask.timeoutMs === undefined ? ASK_TIMEOUT_MS : ask.timeoutMs,
          },
          this.#last.get(ask.path) ?? null,
        ),
      );
      if (isPolled(method, ask.path)) this.#last.set(ask.path, answer);
      return answer;
    } catch (error) {
      throw this.toBackendError(error);
    }
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

  faultOf(answer: WholeAnswer, model: string | null): Fault {
    if (/^text\/html/i.test(answer.headers['content-type'] ?? '') && answer.status === 404) return webPage();
    return faultOfAnswer(answer.status, answer.headers, answer.text, this.place(model), this.clock.now());
  }

  /** The fault that a body with status 200 tells. */
  faultOfBody(body: unknown, model: string | null): Fault {
    const found = errorTextOf(body);
    const otherwise: Fault = {
      code: 'server-error',
      message: 'The server reported an error.',
      hint: null,
      status: null,
    };
    return found === null ? otherwise : faultOfText(found, 200, this.place(model));
  }

  /** A chat on a socket of its own. */
  openChat(
    path: string,
    body: unknown,
    signal: AbortSignal,
    firstByteTimeoutMs: number,
    idleTimeoutMs: number,
  ) {
    const opened = this.#wire.open({
      ...this.#request('POST', path, body),
      ownSocket: true,
      paced: true,
      signal,
      firstByteTimeoutMs: firstByteTimeoutMs > 0 ? firstByteTimeoutMs : null,
      idleTimeoutMs: idleTimeoutMs > 0 ? idleTimeoutMs : null,
    });
    // Whoever reads the stream deals with its failure.
    this.#traced('POST', path, opened.answer).catch(() => undefined);
    return opened;
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
    return new BackendError(this.withStart(wireErrorFrom(error, this.url, false).fault), error);
  }

  /** "Nothing listens" becomes "start it with …". */
  withStart(fault: Fault): Fault {
    const local =
      fault.message.startsWith('Nothing') && /^https?:\/\/(127\.|localhost|\[::1\])/.test(this.url);
    if (fault.code !== 'not-running' || !local || this.#place.startCommand === '') return fault;
    return {
      ...fault,
      message: `${this.#place.title} is not running at ${this.url}.`,
      hint: `Start it with: ${this.#place.startCommand}`,
    };
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

  #request(method: 'GET' | 'POST', path: string, body: unknown): Omit<WireRequest, 'signal'> {
    return {
      method,
      url: this.url + path,
      key: this.#key,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
  }
}

function isPolled(method: string, path: string): boolean {
  return method === 'GET' && !path.includes('?');
}

function noJson(answer: WholeAnswer): Fault {
  const html = /^\s*</.test(answer.text) || /^text\/html/i.test(answer.headers['content-type'] ?? '');
  if (html) return { ...webPage(), status: answer.status };
  const message =
    answer.text.trim() === ''
      ? 'The server sent an empty answer.'
      : 'The server sent an answer that is no JSON.';
  return { code: 'not-a-server', message, hint: 'Check the address.', status: answer.status };
}

function clockOf(ports: BackendPorts): Clock {
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
