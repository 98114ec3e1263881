import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BackendError } from '../../src/backends/backend.js';
import { parseAddress } from '../../src/wire/address.js';
import { wireErrorFrom } from '../../src/wire/wire-error.js';
import { RawServer, hang, json, packets, status, stream } from '../support/raw-server.js';
import { LOAD, DONE, OLLAMA_DONE, type Seen, ask, backendAt, c, finish, modelOf, o } from './answers.js';
import { SteeredClock } from './steered-clock.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';
const OVERFLOW = {
  error: {
    code: 400,
    message: 'request (9000 tokens) exceeds the available context size',
    type: 'exceed_context_size_error',
    n_prompt_tokens: 9000,
    n_ctx: 4096,
  },
};

async function openAi(code: number, body: unknown, headers: Record<string, string> = {}): Promise<Seen> {
  server.reply(CHAT, typeof body === 'string' ? status(code, body, headers) : json(body, code, headers));
  return ask(backendAt('openai', server.url, { key: 'sk-secret-123456' }));
}

async function ollama(code: number, body: unknown): Promise<Seen> {
  server
    .reply('/api/ps', json({ models: [] }))
    .reply('/api/chat', typeof body === 'string' ? status(code, body) : json(body, code));
  return ask(backendAt('ollama', server.url));
}

describe('statuses, bodies and addresses', () => {
  it('case 24: a refused connection is told at once, with the way to start the server', async () => {
    const { url, port } = server;
    await server.stop();
    // No time passes: nothing is tried again before it is told.
    const backend = backendAt('ollama', url, { ports: new SteeredClock() });
    const seen = await ask(backend);
    expect(seen.fault).toMatchObject({ code: 'not-running', hint: 'Start it with: ollama serve' });
    const away = await backend.check(signal);
    expect(away.status).toMatchObject({ state: 'away', fault: { code: 'not-running' } });
    server = await RawServer.start(port);
    server.reply('/api/version', json({ version: '0.13.0' }));
    expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, version: '0.13.0' });
    backend.close();
  });

  it('case 25: a web page is named as one', async () => {
    const html = { 'Content-Type': 'text/html; charset=utf-8' };
    server
      .reply('/v1/models', status(200, '<!doctype html><p>Sign in', html))
      .reply(CHAT, status(200, '<html>', html));
    const backend = backendAt('openai', server.url);
    expect((await ask(backend)).fault).toMatchObject({
      code: 'not-a-server',
      message: 'This is a web page, not a model server.',
    });
    await expect(backend.models(signal)).rejects.toThrow('This is a web page, not a model server.');
    backend.close();
  });

  it('case 26: an empty answer where JSON was due is told in words', async () => {
    server.reply('/v1/models', status(200, ''));
    const backend = backendAt('openai', server.url);
    await expect(backend.models(signal)).rejects.toThrow('The server sent an empty answer.');
    backend.close();
  });

  it('case 27: a question is never turned into a GET, and the key stays with its origin', async () => {
    for (const code of [301, 302, 303]) {
      expect((await openAi(code, '', { Location: '/other' })).fault?.code).toBe('not-a-server');
    }
    expect(server.seen('/other')).toHaveLength(0);
    const other = await RawServer.start();
    const away = await openAi(307, '', { Location: `http://user:pass@127.0.0.1:${other.port}/x?token=1` });
    expect(away.fault?.message).toContain(`redirects to http://127.0.0.1:${other.port}/x.`);
    expect(away.fault?.message).not.toMatch(/pass|token/);
    expect(other.requests).toHaveLength(0);
    await other.stop();
  });

  it('case 27: 307 within the origin is followed with method and body, a circle ends', async () => {
    server.reply('/real', stream([c('a'), finish(), DONE]));
    expect(await openAi(307, '', { Location: '/real' })).toMatchObject({ text: 'a', outcome: 'complete' });
    const real = server.seen('/real')[0];
    expect([real?.method, real?.headers.get('authorization')]).toEqual(['POST', 'Bearer sk-secret-123456']);
    expect(real?.body).toContain('"hi"');
    const before = server.seen(CHAT).length;
    expect((await openAi(308, '', { Location: CHAT })).fault?.message).toMatch(/circle/);
    expect(server.seen(CHAT).length - before).toBeLessThanOrEqual(3);
  });

  it('case 28: every way to refuse a key is one state, and no key is repeated', async () => {
    const answers: [number, unknown][] = [
      [401, { error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } }],
      [401, { error: 'Unauthorized' }],
      [
        401,
        {
          error: {
            message: 'Received API Key = sk-secret-123456',
            code: '401',
            param: 'None',
            type: 'auth_error',
          },
        },
      ],
      [401, 'Missing authorization header'],
      [401, ''],
      [400, { error: { message: 'No connected db.', type: 'no_db_connection', param: null, code: '400' } }],
    ];
    for (const [code, body] of answers) {
      const { fault } = await openAi(code, body);
      expect(fault).toMatchObject({
        code: 'unauthorized',
        hint: expect.stringContaining('lmapp backends add http://127.0.0.1:') as unknown,
      });
      expect(JSON.stringify(fault)).not.toContain('sk-');
    }
    expect(JSON.stringify((await openAi(500, { error: 'bad sk-secret-123456 here' })).fault)).not.toContain(
      'secret',
    );
  });

  it('case 29: a cloud model asks for a sign-in, an empty 403 is about the host name', async () => {
    const cloud = await ollama(401, { error: 'unauthorized', signin_url: 'https://ollama.com/connect?x=1' });
    expect(cloud.fault).toMatchObject({
      message: 'This cloud model needs a sign-in.',
      hint: 'Sign in at https://ollama.com/connect?x=1',
    });
    expect((await ollama(403, '')).fault).toMatchObject({
      code: 'forbidden',
      message: 'Ollama refuses this host name.',
    });
  });

  it('case 30: a wrong key is found although the list of models is open', async () => {
    server.reply('/v1/models', json({ data: [] })).reply('/health', json({ status: 'ok' }));
    server.reply(
      '/props',
      json({ error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } }, 401),
    );
    const backend = backendAt('llama.cpp', server.url);
    expect((await backend.check(signal)).status).toMatchObject({
      state: 'away',
      fault: { code: 'unauthorized' },
    });
    backend.close();
  });

  it('case 31: an unknown model is told from an unknown path', async () => {
    expect((await ollama(404, { error: "model 'm' not found" })).fault).toMatchObject({
      code: 'unknown-model',
      hint: 'Pull it with: ollama pull m',
    });
    expect(
      (
        await openAi(400, {
          error: { code: 400, message: "model 'm' not found", type: 'invalid_request_error' },
        })
      ).fault?.code,
    ).toBe('unknown-model');
    for (const body of [{ detail: 'Not Found' }, '404 page not found', '<html><h1>Not Found</h1>']) {
      expect((await openAi(404, body)).fault?.code).toBe('unknown-endpoint');
    }
    const fileNotFound = { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } };
    expect((await openAi(404, fileNotFound)).fault?.code).toBe('unknown-endpoint');
  });

  it('case 32: an optional question that is not offered is asked once', async () => {
    server
      .reply('/props', json({ total_slots: 1 }))
      .reply('/slots', json({ error: { message: 'off', code: 501 } }, 501));
    const backend = backendAt('llama.cpp', server.url);
    for (let round = 0; round < 3; round += 1)
      expect((await backend.check(signal)).status.state).toBe('ready');
    expect([server.seen('/slots').length, server.seen('/metrics').length]).toEqual([1, 1]);
    backend.close();
  });

  it('case 33: Retry-After is read in every form', async () => {
    const wait = async (headers: Record<string, string>): Promise<number | undefined> =>
      (await openAi(429, { error: { message: 'slow down', type: 'rate_limit' } }, headers)).fault
        ?.retryAfterMs;
    expect(await wait({ 'Retry-After': '7' })).toBe(7000);
    expect(await wait({ 'Retry-After': new Date(Date.now() + 20_000).toUTCString() })).toBeGreaterThan(
      15_000,
    );
    expect(await wait({ 'Retry-After': '7', 'Retry-After-Ms': '1500' })).toBe(1500);
    for (const odd of ['-3', 'soon', '99999999999'])
      expect(await wait({ 'Retry-After': odd })).toBeGreaterThanOrEqual(5000);
    expect(await wait({})).toBe(5000);
    expect(await wait({ 'Retry-After': '3600' })).toBe(60_000);
  });

  it('case 34: a loading server is "loading", in both forms, and becomes ready', async () => {
    const loading = { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } };
    for (const body of [loading, { status: 'loading model' }]) {
      server.reply('/props', json(body, 503, { Server: 'llama.cpp' }), json({}));
      const backend = backendAt('llama.cpp', server.url);
      expect((await backend.check(signal)).status.state).toBe('loading');
      expect((await backend.check(signal)).status.state).toBe('ready');
      backend.close();
    }
  });

  it('case 34: a chat waits for the load and is then sent', async () => {
    const loading = json({ error: { message: 'Loading model', type: 'unavailable_error', code: 503 } }, 503);
    server
      .reply('/health', loading, json({ status: 'ok' }))
      .reply(CHAT, loading, stream([c('a'), finish(), DONE]));
    const ports = { now: () => 0, monotonic: () => performance.now(), after: soon };
    const seen = await ask(backendAt('llama.cpp', server.url, { ports }));
    expect([seen.text, seen.outcome]).toEqual(['a', 'complete']);
    expect(seen.events.map((event) => event.type)).toEqual(['sent', 'loading', 'sent', 'text', 'ended']);
    expect(server.seen('/health')).toHaveLength(2);
  });

  it('case 35: a full queue is told as such', async () => {
    const seen = await ollama(503, {
      error: 'server busy, please try again.  maximum pending requests exceeded',
    });
    expect(seen.fault).toMatchObject({
      code: 'busy',
      hint: 'The queue of the server is full: ask again later.',
    });
  });

  it('case 36: an error without words, with a list, a traceback or a page becomes one sentence', async () => {
    expect((await openAi(500, '')).fault?.message).toBe(
      'The server failed with status 500 and told no reason.',
    );
    expect(
      (await openAi(422, { detail: [{ loc: ['body', 'x'], msg: 'field required' }] })).fault?.message,
    ).toBe('field required (body.x).');
    const trace = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no weights';
    expect((await openAi(500, trace)).fault?.message).toBe('ValueError: no weights.');
    const page = `<html><head><style>p{}</style></head><body><h1>Bad Gateway</h1>${'<p>x</p>'.repeat(25_000)}`;
    const { fault } = await openAi(502, page);
    expect(fault?.message).toBe('Bad Gateway.');
    expect((await openAi(500, 'y'.repeat(200_000))).fault?.message.length).toBeLessThanOrEqual(501);
  });

  it('case 37: a full context is one class, nested or not, with its figures', async () => {
    for (const seen of [
      await ollama(400, { error: JSON.stringify(OVERFLOW) }),
      await openAi(400, OVERFLOW),
    ]) {
      expect(seen.fault).toMatchObject({ code: 'context-full', promptTokens: 9000, contextTokens: 4096 });
    }
    const vllm = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens";
    expect((await openAi(400, { object: 'error', message: vllm, code: 400 })).fault).toMatchObject({
      code: 'context-full',
      promptTokens: 9000,
      contextTokens: 4096,
    });
    expect(
      (await openAi(400, { error: { message: 'x', code: 'context_length_exceeded' } })).fault?.code,
    ).toBe('context-full');
    expect((await openAi(400, { error: { message: 'out_of_context: 5000' } })).fault?.code).toBe(
      'context-full',
    );
  });

  it('case 38: short memory is a class of its own', async () => {
    expect((await ollama(500, { error: 'llama runner: cudaMalloc failed: out of memory' })).fault?.code).toBe(
      'out-of-memory',
    );
    expect((await openAi(400, { error: { message: 'insufficient system resources' } })).fault?.code).toBe(
      'out-of-memory',
    );
  });

  it('case 39: other protocols are told apart', async () => {
    server.reply(CHAT, packets(['SSH-2.0-OpenSSH_9.6\r\n']));
    expect((await ask(backendAt('openai', server.url))).fault?.message).toMatch(/no HTTP server/);
    server.reply(CHAT, packets([Buffer.from([0x15, 3, 1, 0, 2, 2, 70])]));
    expect((await ask(backendAt('openai', server.url))).fault?.hint).toMatch(/https:\/\//);
    const plain = await RawServer.start();
    const secure = ask(backendAt('openai', plain.url.replace('http:', 'https:')), {
      firstByteTimeoutMs: 500,
    });
    // The greeting of TLS is no request: any plain answer to it will do.
    plain.greet('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect((await secure).fault?.hint).toMatch(/http:\/\/ instead/);
    await plain.stop();
    const own = wireErrorFrom(
      Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'https://h',
      false,
    );
    expect(own.fault.hint).toContain('NODE_EXTRA_CA_CERTS');
  });

  it.each([
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:8000', 'http://127.0.0.1:8000'],
    [':11435', 'http://127.0.0.1:11435'],
    ['[::]:11434', 'http://[::1]:11434'],
    ['::', 'http://[::1]:11434'],
    ['::1', 'http://[::1]:11434'],
    ['gpu-box', 'http://gpu-box:11434'],
    ['https://h', 'https://h'],
    ['http://h', 'http://h'],
    ['http://h:1/ollama/', 'http://h:1/ollama'],
    [' "127.0.0.1:5" ', 'http://127.0.0.1:5'],
    ['ollama.com', 'https://ollama.com'],
  ])('case 40: %s is %s', (text, url) => {
    expect(parseAddress(text, 11434)).toEqual({ kind: null, url });
  });

  it('case 40: wrong ports and credentials are refused, and a password is not repeated', () => {
    for (const text of ['h:99999', 'h:abc', 'h:0', '', 'ftp://h', 'a b'])
      expect(() => parseAddress(text, 1)).toThrow();
    expect(() => parseAddress('http://user:hunter2@h', 1)).toThrow(/user or a password/);
    try {
      parseAddress('http://user:hunter2@h', 1);
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    }
  });

  it.each(['', '/', '/v1', '/v1/'])(
    'case 41: a base that ends with "%s" reaches /v1/models once',
    async (end) => {
      server.reply('/v1/models', json({ data: [] }));
      const { url } = parseAddress(server.url + end, 1);
      const backend = backendAt('openai', url);
      await backend.models(signal);
      expect(server.requests.map((request) => request.target)).toEqual(['/v1/models']);
      backend.close();
    },
  );

  it('case 41: ports that browsers block can be asked', async () => {
    for (const port of [6000, 10080]) {
      await expect(backendAt('openai', `http://127.0.0.1:${port}`).models(signal)).rejects.toThrow(
        BackendError,
      );
    }
  });

  it('the keep_alive of a load is a number of seconds or a duration', async () => {
    server.reply('/api/chat', json({ done: true, done_reason: 'load' }));
    const backend = backendAt('ollama', server.url);
    await backend.load?.(modelOf(backend), { ...LOAD, keepAlive: '-1' }, signal);
    await backend.load?.(modelOf(backend), { ...LOAD, keepAlive: '10m' }, signal);
    expect(
      server.requests.map((request) => (JSON.parse(request.body) as { keep_alive: unknown }).keep_alive),
    ).toEqual([-1, '10m']);
    backend.close();
  });

  it('a hanging list of loaded models does not hold up a chat for long', async () => {
    server.reply('/api/ps', hang).reply('/api/chat', stream([o('a'), OLLAMA_DONE]));
    const ports = { now: () => 0, monotonic: () => performance.now(), after: soon };
    expect((await ask(backendAt('ollama', server.url, { ports }))).text).toBe('a');
  });
});

/** Timers that hurry: a second passes in ten milliseconds. */
function soon(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs / 100);
  return () => clearTimeout(timer);
}
