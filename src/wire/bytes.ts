import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import tls from 'node:tls';
import type { Environment } from '../ports.js';
import type { WireClock } from './http.js';
import { basicOf, proxyFor, tunnelThrough } from './proxy.js';
import { Watchdog } from './watchdog.js';
import { cancelledError, WireError, wireError, wireErrorFrom } from './wire-error.js';

/** A GET for bytes out in the world: through the proxy of the environment, over redirects to other origins. */
export interface BytesRequest {
  /** http or https. Credentials in it are sent as Basic. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization`. Sent to the origin of `url` only: not to where that redirects. */
  readonly authorization?: string | null;
  readonly signal: AbortSignal;
  /** Names the proxy. */
  readonly env: Environment;
  readonly clock: WireClock;
  /** Until the first byte of an answer, each hop anew. */
  readonly answerTimeoutMs: number;
  /** Between two packets of the body while they are waited for. */
  readonly idleTimeoutMs: number;
}

export interface BytesAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Headers of the redirects that led here, the first one first. */
  readonly hops: readonly http.IncomingHttpHeaders[];
  /** Where it came from, without credentials and query: those of storage servers are keys. */
  readonly place: string;
  /** Throws WireError. What was read before stays read. */
  readonly body: AsyncIterable<Uint8Array>;
  close(): void;
}

const REDIRECT_LIMIT = 5;
/** Sent with every request: some hosts refuse what has no name. */
const USER_AGENT = 'lmapp';

/** Throws WireError. */
export async function requestBytes(request: BytesRequest): Promise<BytesAnswer> {
  const hops: http.IncomingHttpHeaders[] = [];
  let url = new URL(request.url);
  let authorization = basicOf(url) ?? request.authorization ?? null;
  for (;;) {
    const answer = await send(request, url, authorization);
    const status = answer.statusCode ?? 0;
    if (status < 300 || status > 399 || status === 304) return answerOf(request, answer, url, hops);
    answer.destroy();
    hops.push(answer.headers);
    const target = targetOf(answer, url, hops.length);
    // Once given away it is not taken back: a host that redirects to and fro would get it otherwise.
    if (target.origin !== url.origin) authorization = null;
    url = target;
  }
}

function targetOf(answer: http.IncomingMessage, from: URL, hops: number): URL {
  const { location = '' } = answer.headers;
  const place = from.origin;
  const status = answer.statusCode ?? null;
  if (location === '' || !URL.canParse(location, from.href))
    throw wireError('redirect-nowhere', { place }, { status });
  const target = new URL(location, from.href);
  const words = `${target.origin}${target.pathname}`;
  if (target.protocol !== 'https:' && (target.protocol !== 'http:' || from.protocol === 'https:'))
    throw wireError('redirect-unsafe', { place, words }, { status });
  if (hops > REDIRECT_LIMIT) throw wireError('redirect-circle', { place }, { status });
  target.username = '';
  target.password = '';
  return target;
}

async function send(
  request: BytesRequest,
  url: URL,
  authorization: string | null,
): Promise<http.IncomingMessage> {
  if (request.signal.aborted) throw cancelledError();
  const ended = new AbortController();
  const onAbort = (): void => ended.abort();
  request.signal.addEventListener('abort', onAbort, { once: true });
  let silent = false;
  const silence = new Watchdog(request.clock, () => {
    silent = true;
    ended.abort();
  });
  silence.watch(request.answerTimeoutMs);
  try {
    return await sendOnce(request, url, authorization, ended.signal);
  } catch (error) {
    if (request.signal.aborted) throw cancelledError();
    if (silent) throw wireError('download-no-answer', { place: url.origin });
    throw unreached(wireErrorFrom(error, url.origin, false), url.origin);
  } finally {
    silence.stop();
    request.signal.removeEventListener('abort', onAbort);
  }
}

/** Nobody is there: for somewhere in the world that means the network, more than the spelling. */
function unreached(error: WireError, place: string): WireError {
  if (error.fault.code !== 'not-running' || error.told?.id === 'proxy-away') return error;
  return wireError('download-unreached', { place, words: error.told?.values.words ?? '' }, { cause: error });
}

async function sendOnce(
  { headers, env }: BytesRequest,
  url: URL,
  authorization: string | null,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const secure = url.protocol === 'https:';
  const proxy = proxyFor(url, env);
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const options: https.RequestOptions = {
    method: 'GET',
    headers: {
      accept: '*/*',
      // Lengths and ranges are those of the file itself then.
      'accept-encoding': 'identity',
      'user-agent': USER_AGENT,
      host: url.host,
      ...headers,
      ...(authorization === null ? {} : { authorization }),
    },
    agent: false,
  };
  const viaProxy = proxy !== null && !secure && (proxy.protocol === 'http:' || proxy.protocol === 'https:');
  const tunnel = proxy !== null && !viaProxy ? await tunnelThrough(proxy, url, signal) : null;
  const outgoing = viaProxy
    ? plainThrough(proxy, bare, options)
    : (secure ? https : http).request(bare.href, {
        ...options,
        ...(tunnel ? overTunnel(tunnel, url, secure) : {}),
      });
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      outgoing.destroy();
      tunnel?.destroy();
      reject(cancelledError());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('response', (answer) => {
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    });
    outgoing.on('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      const via = wireErrorFrom(error, url.origin, false);
      const away = viaProxy && via.fault.code === 'not-running';
      reject(
        away ? wireError('proxy-away', { place: proxy.origin, words: via.told?.values.words ?? '' }) : via,
      );
    });
    outgoing.end();
  });
}

/** Plain HTTP is asked of the proxy with the whole address. */
function plainThrough(proxy: URL, url: URL, options: https.RequestOptions): http.ClientRequest {
  const basic = basicOf(proxy);
  const headers = { ...options.headers, ...(basic === null ? {} : { 'proxy-authorization': basic }) };
  return (proxy.protocol === 'https:' ? https : http).request({
    ...options,
    headers,
    protocol: proxy.protocol,
    hostname: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    path: url.href,
  });
}

function overTunnel(socket: net.Socket, url: URL, secure: boolean): https.RequestOptions {
  const servername = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const named = /^[\d.]+$|:/.test(servername) ? {} : { servername };
  return {
    createConnection: () =>
      secure ? tls.connect({ socket, ...named, ALPNProtocols: ['http/1.1'] }) : socket,
  };
}

function answerOf(
  request: BytesRequest,
  answer: http.IncomingMessage,
  url: URL,
  hops: readonly http.IncomingHttpHeaders[],
): BytesAnswer {
  const place = `${url.origin}${url.pathname}`;
  const encoding = (answer.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== '') {
    answer.destroy();
    throw wireError('unknown-compression', { words: encoding.replace(/[^a-z0-9-]/g, '?') });
  }
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    hops,
    place,
    body: chunksOf(request, answer, url.origin),
    close: () => answer.destroy(),
  };
}

async function* chunksOf(
  { signal, clock, idleTimeoutMs }: BytesRequest,
  answer: http.IncomingMessage,
  place: string,
): AsyncGenerator<Uint8Array> {
  let silent = false;
  const silence = new Watchdog(clock, () => {
    silent = true;
    answer.destroy(new Error('silent'));
  });
  const onAbort = (): void => void answer.destroy(new Error('aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    silence.watch(idleTimeoutMs);
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      silence.stop();
      yield chunk;
      silence.watch(idleTimeoutMs);
    }
    if (!answer.complete) throw new Error('closed');
  } catch (error) {
    if (signal.aborted) throw cancelledError();
    if (silent) throw wireError('silent', { place });
    throw error instanceof WireError ? error : wireErrorFrom(error, place, true);
  } finally {
    silence.stop();
    signal.removeEventListener('abort', onAbort);
    answer.destroy();
  }
}
