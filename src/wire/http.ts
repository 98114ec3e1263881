import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type Clock, systemClock } from '../ports.js';
import { TextBody } from './body.js';
import { withoutKey } from './hidden-key.js';
import { PacedSocket } from './paced-socket.js';
import { Watchdog } from './watchdog.js';
import { WireError, cancelledError, wireError, wireErrorFrom } from './wire-error.js';

/** One request. A limit of null is no limit. Limits count monotonic time and leave out time in which the machine slept. */
export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  /** Sent as a Bearer key, and never to another origin than that of `url`. */
  readonly key?: string | null;
  readonly signal: AbortSignal;
  /** Opens a socket for this request alone, so that closing it is what the server understands as cancel. */
  readonly ownSocket?: boolean;
  /** A long answer in small packets, to be read in bursts. Needs `ownSocket`; over TLS every packet is read as it comes. */
  readonly paced?: boolean;
  readonly connectTimeoutMs?: number | null;
  /** From the connection to the first byte of the answer. */
  readonly firstByteTimeoutMs?: number | null;
  /** Between two packets of the body. */
  readonly idleTimeoutMs?: number | null;
  readonly totalTimeoutMs?: number | null;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Decoded text, one string per packet or burst of packets. Throws WireError. */
  readonly body: AsyncIterable<string>;
  /** Changes the limit between packets from now on. */
  limitSilence(limitMs: number | null): void;
  /** Closes the connection unless the body was read to its end. */
  close(): void;
}

/** A request under way. */
export interface Exchange {
  /** True when the request is written; false when it failed before. Never rejects. */
  readonly sent: Promise<boolean>;
  /** Rejects with WireError. */
  readonly answer: Promise<WireAnswer>;
}

export type WireClock = Pick<Clock, 'monotonic' | 'after'>;

const CONNECT_TIMEOUT_MS = 5000;
const REDIRECT_LIMIT = 3;

/** The connections to one server: kept ones for polls, fresh ones for chats. */
export class Wire {
  readonly #clock: WireClock;
  readonly #pacing: WireClock;
  readonly #plain = new http.Agent({ keepAlive: true, maxFreeSockets: 2 });
  readonly #secure = new https.Agent({ keepAlive: true, maxFreeSockets: 2 });

  /** `pacing`: the time by which bursts are read. Limits are a matter of `clock`, bursts one of this machine's work. */
  constructor(clock: WireClock, pacing: WireClock = systemClock) {
    this.#clock = clock;
    this.#pacing = pacing;
  }

  /** Sends a request. Redirects within the origin are followed where method and body stay the same. */
  open(request: WireRequest): Exchange {
    let onSent: (sent: boolean) => void = () => undefined;
    const sent = new Promise<boolean>((resolve) => {
      onSent = resolve;
    });
    const answer = this.#follow(request, onSent);
    // The caller may look at `sent` first: a failure in between is not unhandled.
    answer.catch(() => onSent(false));
    return { sent, answer };
  }

  request(request: WireRequest): Promise<WireAnswer> {
    return this.open(request).answer;
  }

  /** Drops kept connections. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  async #follow(request: WireRequest, onSent: (sent: boolean) => void): Promise<WireAnswer> {
    let current = request;
    for (let hops = 0; ; hops += 1) {
      const answer = await this.#sendWithRetry(current, onSent);
      if (answer.status < 300 || answer.status > 399 || answer.status === 304) return answer;
      answer.close();
      current = { ...current, url: redirectTarget(answer, current, hops) };
    }
  }

  /** A kept socket may have been closed by the server in the moment of its reuse: a GET goes once more, on a fresh socket. */
  async #sendWithRetry(request: WireRequest, onSent: (sent: boolean) => void): Promise<WireAnswer> {
    const attempt = { reused: false };
    try {
      return await this.#send(request, onSent, attempt);
    } catch (error) {
      const retry =
        request.method === 'GET' &&
        attempt.reused &&
        error instanceof WireError &&
        !error.cancelled &&
        error.fault.code === 'broken';
      if (!retry) throw error;
      return this.#send({ ...request, ownSocket: true }, onSent, attempt);
    }
  }

  #connectPaced(url: URL): PacedSocket {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return new PacedSocket({ host, port: Number(url.port) || 80 }, this.#pacing);
  }

  #send(
    request: WireRequest,
    onSent: (sent: boolean) => void,
    attempt: { reused: boolean },
  ): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) {
        reject(cancelledError());
        return;
      }
      const url = new URL(request.url);
      const secure = url.protocol === 'https:';
      const agent = request.ownSocket === true ? false : secure ? this.#secure : this.#plain;
      const paced = request.ownSocket === true && request.paced === true && !secure;
      const outgoing = (secure ? https : http).request(url, {
        method: request.method,
        headers: headersOf(request),
        ...(paced ? { createConnection: () => this.#connectPaced(url) } : { agent }),
      });
      let body: TextBody | null = null;
      let phase = 'connection';
      let settled = false;

      const fail = (error: WireError): void => {
        if (settled && body === null) return;
        settled = true;
        release();
        body?.fail(error);
        outgoing.destroy();
        reject(error);
      };
      const silence = new Watchdog(this.#clock, () => fail(timeoutError(phase, url.origin)));
      const total = new Watchdog(this.#clock, () =>
        fail(timeoutError(phase === 'connection' ? phase : 'answer', url.origin)),
      );
      const onAbort = (): void => fail(cancelledError());
      const release = (): void => {
        silence.stop();
        total.stop();
        request.signal.removeEventListener('abort', onAbort);
      };

      // One signal may end the questions to any number of servers: Node warns of the eleventh on standard error.
      setMaxListeners(0, request.signal);
      request.signal.addEventListener('abort', onAbort, { once: true });
      silence.watch(limit(request.connectTimeoutMs, CONNECT_TIMEOUT_MS));
      total.watch(limit(request.totalTimeoutMs, null));

      const written = { connected: false, finished: false };
      const onWritten = (): void => {
        if (!written.connected || !written.finished) return;
        onSent(true);
      };
      const onConnected = (): void => {
        written.connected = true;
        phase = 'first byte';
        silence.watch(limit(request.firstByteTimeoutMs, null));
        onWritten();
      };
      outgoing.once('socket', (socket) => {
        attempt.reused = outgoing.reusedSocket;
        // Small writes leave at once: the server should see a chat without Nagle's delay.
        socket.setNoDelay(true);
        if (!socket.connecting) onConnected();
        else socket.once(secure ? 'secureConnect' : 'connect', onConnected);
      });
      outgoing.once('finish', () => {
        written.finished = true;
        onWritten();
      });
      outgoing.on('error', (error) => fail(wireErrorFrom(error, url.origin, body !== null)));
      outgoing.once('response', (incoming) => {
        phase = 'next packet';
        silence.watch(limit(request.idleTimeoutMs, null));
        try {
          body = new TextBody(
            incoming,
            (error) => wireErrorFrom(error, url.origin, true),
            () => silence.heard(),
          );
        } catch (error) {
          fail(wireErrorFrom(error, url.origin, true));
          return;
        }
        let over = false;
        body.whenOver(() => {
          over = true;
          release();
        });
        settled = true;
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body,
          limitSilence: (limitMs) => {
            if (!over) silence.watch(limitMs);
          },
          close: () => {
            release();
            if (!over || request.ownSocket === true) outgoing.destroy();
          },
        });
      });
      outgoing.end(request.body);
    });
  }
}

function limit(asked: number | null | undefined, otherwise: number | null): number | null {
  return asked === undefined ? otherwise : asked;
}

function headersOf(request: WireRequest): Record<string, string> {
  const headers: Record<string, string> = {
    accept: '*/*',
    // Compressed streams would hold deltas back.
    'accept-encoding': 'identity',
    ...request.headers,
  };
  if (request.body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(request.body));
  }
  if (typeof request.key === 'string' && request.key !== '')
    headers['authorization'] = `Bearer ${request.key}`;
  return headers;
}

/** 301 to 303 would turn a POST into a GET and lose the question; another origin must not get the key. */
function redirectTarget(answer: WireAnswer, request: WireRequest, hops: number): string {
  const location = answer.headers.location ?? '';
  const target =
    location !== '' && URL.canParse(location, request.url) ? new URL(location, request.url) : null;
  const place = new URL(request.url).origin;
  if (target === null) throw wireError('redirect-nowhere', { place }, { status: answer.status });
  // Credentials and queries of a target may be secret.
  const words = withoutKey(`${target.origin}${target.pathname}`, request.key);
  const sameMethod =
    answer.status === 307 || answer.status === 308 || request.method === 'GET' || request.method === 'HEAD';
  if (target.origin !== place || !sameMethod)
    throw wireError('redirect-elsewhere', { place, words }, { status: answer.status });
  if (hops >= REDIRECT_LIMIT - 1) throw wireError('redirect-circle', { place }, { status: answer.status });
  return target.href;
}

export function timeoutError(phase: string, place: string): WireError {
  if (phase === 'connection') return wireError('no-connection', { place });
  if (phase === 'first byte') return wireError('no-first-byte', { place });
  return wireError(phase === 'next packet' ? 'silent' : 'slow', { place });
}
