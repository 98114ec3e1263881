import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { systemClock, type Environment } from '../../src/ports.js';
import { requestBytes } from '../../src/wire/bytes.js';
import { proxyFor, tunnelThrough } from '../../src/wire/proxy.js';
import { FileServer, redirect, status } from '../support/file-server.js';

const NEVER = new AbortController().signal;

let server: FileServer;
let proxy: http.Server;
/** What the proxy was asked for. */
let asked: string[];
let refusal: number | null;

beforeEach(async () => {
  server = await FileServer.start();
  server.reply('/file', status(200, 'the file'));
  asked = [];
  refusal = null;
  proxy = http.createServer((request, response) => {
    asked.push(
      `${request.method ?? ''} ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? '-'}`,
    );
    http.get(request.url ?? '', { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
  });
  proxy.on('connect', (request, socket: net.Socket) => {
    asked.push(`CONNECT ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? '-'}`);
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const to = net.connect(server.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      to.pipe(socket).pipe(to);
    });
    to.on('error', () => socket.destroy());
    socket.on('error', () => to.destroy());
  });
  proxy.unref();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await server.close();
});

function proxyUrl(credentials = ''): string {
  return `http://${credentials}127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function fetched(url: string, env: Environment): Promise<string> {
  const answer = await requestBytes({
    url,
    env,
    signal: NEVER,
    clock: systemClock,
    answerTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
  });
  const parts: Uint8Array[] = [];
  for await (const part of answer.body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('the proxy of the environment', () => {
  it('is asked with the whole address, and gets its own credentials', async () => {
    expect(await fetched(`${server.url}/file`, { http_proxy: proxyUrl('me:pass%21@') })).toBe('the file');
    const basic = Buffer.from('me:pass!').toString('base64');
    expect(asked).toEqual([`GET ${server.url}/file Basic ${basic}`]);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('makes a tunnel for what is encrypted', async () => {
    const socket = await tunnelThrough(new URL(proxyUrl()), new URL('https://hub.example/x'), NEVER);
    socket.write('GET /file HTTP/1.1\r\nhost: hub.example\r\nconnection: close\r\n\r\n');
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
    expect(Buffer.concat(parts).toString()).toContain('the file');
    expect(asked).toEqual(['CONNECT hub.example:443 -']);
  });

  it.each([
    [407, 'proxy-sign-in'],
    [403, 'proxy-refused'],
  ])('that answers %i is told as %s', async (code, id) => {
    refusal = code;
    const fetching = fetched('https://hub.example/x', { HTTPS_PROXY: proxyUrl() });
    await expect(fetching).rejects.toMatchObject({ told: { id } });
  });

  it('that is away, or of another kind, is told as the proxy, not as the host', async () => {
    const gone = await FileServer.start();
    const address = gone.url;
    await gone.close();
    for (const url of ['https://hub.example/x', 'http://hub.example/x'])
      await expect(fetched(url, { ALL_PROXY: address })).rejects.toMatchObject({
        told: { id: 'proxy-away', values: { place: address } },
      });
    await expect(
      fetched('https://hub.example/x', { HTTPS_PROXY: 'socks5://127.0.0.1:1' }),
    ).rejects.toMatchObject({
      told: { id: 'proxy-kind' },
    });
  });

  it('is left out for hosts that need none', () => {
    const named = (url: string, no: string): boolean =>
      proxyFor(new URL(url), { HTTPS_PROXY: 'http://p:1', HTTP_PROXY: 'http://p:1', NO_PROXY: no }) !== null;
    expect(named('https://hub.example/', '')).toBe(true);
    expect(named('https://hub.example/', 'example.org, .hub.example')).toBe(false);
    expect(named('https://cdn.hub.example/', 'hub.example')).toBe(false);
    expect(named('https://nothub.example/', 'hub.example')).toBe(true);
    expect(named('https://hub.example/', 'hub.example:8443')).toBe(true);
    expect(named('https://hub.example:8443/', 'hub.example:8443')).toBe(false);
    expect(named('http://[::1]:80/', '::1')).toBe(false);
    expect(named('http://127.0.0.1:80/', 'localhost,127.0.0.1')).toBe(false);
    expect(named('https://anything/', '*')).toBe(false);
    // A header of a request sets it where this runs as CGI.
    expect(proxyFor(new URL('http://a/'), { HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' })).toBeNull();
  });
});

describe('a redirect out in the world', () => {
  it('in a circle, to nowhere or away from encryption ends with its reason', async () => {
    server.reply('/circle', redirect('/circle')).reply('/nowhere', status(302));
    await expect(fetched(`${server.url}/circle`, {})).rejects.toMatchObject({
      told: { id: 'redirect-circle' },
    });
    await expect(fetched(`${server.url}/nowhere`, {})).rejects.toMatchObject({
      told: { id: 'redirect-nowhere' },
    });
    server.reply('/file-scheme', redirect('file:///etc/passwd'));
    await expect(fetched(`${server.url}/file-scheme`, {})).rejects.toMatchObject({
      told: { id: 'redirect-unsafe' },
    });
  });

  it('of credentials in an address: they do not go to another origin', async () => {
    server.reply('/from', redirect(`${server.otherUrl}/file`));
    await fetched(`http://me:secret@127.0.0.1:${server.port}/from`, {});
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      expect.stringMatching(/^Basic /),
      undefined,
    ]);
  });
});
