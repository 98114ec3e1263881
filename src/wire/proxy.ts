import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { decoded } from '../domain/decoded.js';
import type { Environment } from '../ports.js';
import { wireError, wireErrorFrom } from './wire-error.js';

/**
 * The proxy that the environment names for an address, as curl and most programs read it; null: none. HTTP_PROXY in capitals is not
 * read where a web server runs this program as CGI, since a header of a request would set it.
 */
export function proxyFor(url: URL, env: Environment): URL | null {
  if (isExcepted(url, env['no_proxy'] || env['NO_PROXY'] || '')) return null;
  const secure = url.protocol === 'https:';
  const plain = env['http_proxy'] || (env['REQUEST_METHOD'] ? '' : env['HTTP_PROXY']);
  const named = secure ? env['https_proxy'] || env['HTTPS_PROXY'] : plain;
  const text = (named || env['all_proxy'] || env['ALL_PROXY'] || '').trim();
  if (text === '') return null;
  const address = text.includes('://') ? text : `http://${text}`;
  // Another kind is refused with its name when it is used.
  return URL.canParse(address) ? new URL(address) : null;
}

/** `.example.org`, `example.org:8080`, `10.0.0.0/8` (only as it is written), `*`. A name stands for what is below it, too. */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only] =
        /^\*?\.?(\[[^\]]*\]|[^:]+|.*:.*:.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      const bare = name.replace(/^\[(.*)\]$/, '$1');
      if (only !== undefined && only !== port) return false;
      return bare !== '' && (host === bare || host.endsWith(`.${bare}`));
    });
}

/** Credentials of an address as a header; null: it has none. */
export function basicOf({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

/** A tunnel to a host through the proxy. Throws WireError; closes its socket on an abort. */
export function tunnelThrough(proxy: URL, target: URL, signal: AbortSignal): Promise<net.Socket> {
  const place = proxy.origin;
  return new Promise((resolve, reject) => {
    if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
      reject(wireError('proxy-kind', { place: proxy.host, words: proxy.protocol.replace(':', '') }));
      return;
    }
    const host = `${target.hostname}:${target.port || (target.protocol === 'https:' ? '443' : '80')}`;
    const basic = basicOf(proxy);
    const request = (proxy.protocol === 'https:' ? https : http).request({
      protocol: proxy.protocol,
      hostname: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: host,
      headers: { host, ...(basic === null ? {} : { 'proxy-authorization': basic }) },
      agent: false,
      signal,
    });
    request.on('connect', (answer, socket: net.Socket) => {
      if (answer.statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusal(place, answer.statusCode ?? 0));
    });
    request.on('response', (answer) => {
      answer.destroy();
      reject(refusal(place, answer.statusCode ?? 0));
    });
    request.on('error', (error) => {
      const { told } = wireErrorFrom(error, place, false);
      reject(wireError('proxy-away', { place, words: told?.values.words ?? '' }, { cause: error }));
    });
    request.end();
  });
}

function refusal(place: string, status: number): Error {
  return wireError(
    status === 407 ? 'proxy-sign-in' : 'proxy-refused',
    { place, status: String(status) },
    { status },
  );
}
