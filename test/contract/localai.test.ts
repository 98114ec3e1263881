import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import type { PullProgress } from '../../src/domain/model.js';
import { RawServer, type RawReply, json, status, stream } from '../support/raw-server.js';
import { DONE, LOAD, REAL_PORTS, ask, backendAt, c, finish, modelOf, sse } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
let clock: SteeredClock;
const open: Backend[] = [];
beforeEach(async () => {
  server = await RawServer.start();
  clock = new SteeredClock();
});
afterEach(async () => {
  for (const backend of open.splice(0)) backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';
const MODELS = '/v1/models';
const ABILITIES = '/v1/models/capabilities';
const PAGE = json({ version: 'v4.1.0 (82c191af)', endpoints: { chat: CHAT } });
const READY = status(200, 'OK');
const KEY_WANTED = json(
  { error: { code: 401, message: 'An authentication key is required', type: 'invalid_request_error' } },
  401,
  { 'WWW-Authenticate': 'Bearer' },
);
const list = (...ids: readonly string[]): RawReply =>
  json({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);
const bodyOf = (path: string): unknown => JSON.parse(server.seen(path)[0]?.body ?? 'null') as unknown;

function at(steered = false): Backend {
  const backend = backendAt('localai', server.url, steered ? { ports: clock } : {});
  open.push(backend);
  return backend;
}

/** Lets `count` questions for a job pass, a second each. */
async function poll(path: string, count: number): Promise<void> {
  for (let asked = 1; asked <= count; asked += 1) {
    await settle();
    clock.advance(1000);
    await server.waitFor(path, asked);
  }
}

async function collect(pull: AsyncIterable<PullProgress> | undefined): Promise<PullProgress[]> {
  const all: PullProgress[] = [];
  for await (const progress of pull ?? []) all.push(progress);
  return all;
}

describe('LocalAI: which it is', () => {
  it.each([
    ['its list', list('a')],
    ['an empty list', json({ object: 'list', data: null })],
    ['a wanted key', KEY_WANTED],
    ['a wanted key without a word', status(401, '')],
  ])('case 42: is known behind %s by its own page', async (_title, reply) => {
    server.reply(MODELS, reply).reply('/.well-known/localai.json', PAGE);
    server.reply('/api/version', json({ version: '0.9.0' }));
    expect(await who()).toBe('localai');
    server.reply('/.well-known/localai.json', json({ error: 'Unexpected endpoint or method.' }));
    expect(await who().catch(() => 'none')).not.toBe('localai');
  });

  it('case 34: is loading while it starts, then ready with its version', async () => {
    server.reply('/readyz', json({ status: 'starting' }, 503), READY);
    server.reply(MODELS, list('a')).reply('/.well-known/localai.json', PAGE);
    const backend = at();
    expect((await backend.check(signal)).status.state).toBe('loading');
    expect(await backend.check(signal)).toMatchObject({
      status: { state: 'ready' },
      version: 'v4.1.0 (82c191af)',
    });
  });

  it('case 28: a wanted key is found out although the health question needs none', async () => {
    server.reply('/readyz', READY).reply(MODELS, KEY_WANTED);
    expect((await at().check(signal)).status).toMatchObject({
      state: 'away',
      fault: { code: 'unauthorized', message: 'The key for LocalAI is missing or wrong.' },
    });
  });
});

describe('LocalAI: models', () => {
  it('case 77: come with their abilities, what is loaded, and its memory', async () => {
    server.reply(MODELS, list('chatty', 'emb', 'img', 'plain'));
    server.reply(
      ABILITIES,
      json({
        data: [
          {
            id: 'chatty',
            capabilities: ['chat', 'completion'],
            output_modalities: ['text'],
            context_size: 8192,
          },
          { id: 'emb', capabilities: ['embeddings'] },
          { id: 'img', capabilities: ['image'], output_modalities: ['image'] },
          { id: 'plain' },
        ],
      }),
    );
    server.reply('/system', json({ backends: [], loaded_models: [{ id: 'chatty' }, { id: 'emb' }] }));
    server.reply('/backend/monitor', (socket, request) => {
      const own = { state: 2, memory: { total: 4_000_000_000, breakdown: {} } };
      const other = { MemoryInfo: { rss: 90_000_000 }, MemoryPercent: 1, CPUPercent: 2 };
      return json(request.target.endsWith('=chatty') ? own : other)(socket, request);
    });
    expect(await at().models(signal)).toMatchObject([
      { name: 'chatty', chat: true, loadState: 'loaded', memoryBytes: 4e9, contextAllocated: 8192 },
      { name: 'emb', chat: false, loadState: 'loaded', memoryBytes: 90_000_000, capabilities: ['embedding'] },
      { name: 'img', chat: false, loadState: 'unloaded', memoryBytes: null },
      { name: 'plain', chat: true, loadState: 'unloaded', contextAllocated: null, capabilities: null },
    ]);
    expect(server.seen('/backend/monitor')).toHaveLength(2);
  });

  it('the memory is read in every spelling, and 0 is not told', async () => {
    server.reply(MODELS, list('a')).reply('/system', json({ loaded_models: [{ id: 'a' }] }));
    const spellings = [
      { memory_info: { rss: 7 } },
      { Memory: { Total: 7 } },
      { memory: { total: 0 }, MemoryInfo: { RSS: 7 } },
    ];
    server.reply('/backend/monitor', ...spellings.map((body) => json(body)), json({ memory: { total: 0 } }));
    const backend = at();
    for (const _ of spellings) expect((await backend.models(signal))[0]?.memoryBytes).toBe(7);
    expect((await backend.models(signal))[0]?.memoryBytes).toBeNull();
  });

  it.each([404, 405, 501, 403])(
    'case 32: what is answered with %i beside the list is asked once, and again after it was away',
    async (code) => {
      server.reply(MODELS, list('a')).reply('/readyz', READY);
      server.reply(ABILITIES, status(code, '')).reply('/system', status(code, ''));
      const backend = at();
      for (let round = 0; round < 3; round += 1)
        expect(await backend.models(signal)).toMatchObject([{ name: 'a', loadState: 'unknown', chat: true }]);
      expect([server.seen(ABILITIES).length, server.seen('/system').length]).toEqual([1, 1]);
      expect(backend.info.features.memory).toBe(code !== 403);
      server.reply('/readyz', status(500, ''));
      expect((await backend.check(signal)).status.state).toBe('away');
      await backend.models(signal);
      expect(server.seen('/system')).toHaveLength(2);
    },
  );

  it('a load names the model; a failure tells its reason', async () => {
    server.reply('/backend/load', json({ loaded: ['a'], message: 'model loaded' }));
    const backend = at();
    const told: unknown[] = [];
    const onProgress = (...all: unknown[]): void => void told.push(all);
    await backend.load?.(modelOf(backend, { name: 'a' }), { ...LOAD, onProgress }, signal);
    expect(bodyOf('/backend/load')).toEqual({ model: 'a' });
    expect(told).toEqual([[null, '/backend/load']]);
    server.reply('/backend/load', json({ loaded: [], message: 'grpc service not ready' }, 500));
    await expect(backend.load?.(modelOf(backend), LOAD, signal)).rejects.toThrow('grpc service not ready.');
  });

  it('case 81: an unload of what is not loaded is one that is done', async () => {
    const backend = at();
    for (const reply of [json({ message: 'model stopped' }), json({ error: 'model x not found' }, 404)]) {
      server.reply('/backend/shutdown', reply);
      await backend.unload?.(modelOf(backend, { name: 'a' }), signal);
    }
    expect(bodyOf('/backend/shutdown')).toEqual({ model: 'a' });
    server.reply('/backend/shutdown', status(403, ''));
    await expect(backend.unload?.(modelOf(backend), signal)).rejects.toMatchObject({
      fault: { code: 'forbidden', hint: expect.stringContaining('administrator') as unknown },
    });
  });
});

describe('LocalAI: jobs', () => {
  const JOB = '/models/jobs/u-1';
  const started = json({ uuid: 'u-1', status: 'http://unreachable.invalid:1/models/jobs/u-1' });

  it('case 87: a pull is polled by its number at the known address, and fails with its reason', async () => {
    server.reply('/models/apply', started);
    server.reply(
      JOB,
      json({ progress: 30, message: 'processing', processed: false }),
      json({ progress: 60, message: 'processing', current_bytes: 60, total_bytes: 100 }),
      json({ progress: 60, processed: true, error: 'sha mismatch', message: 'error' }),
    );
    const seen: PullProgress[] = [];
    const pull = (async () => {
      for await (const progress of at(true).pull?.('gallery@m', signal) ?? []) seen.push(progress);
    })();
    const failure = expect(pull).rejects.toThrow('LocalAI could not do it for gallery@m: sha mismatch.');
    await poll(JOB, 3);
    await failure;
    expect(bodyOf('/models/apply')).toEqual({ id: 'gallery@m' });
    expect(seen.map(({ phase, status: words, completedBytes }) => [phase, words, completedBytes])).toEqual([
      ['preparing', 'queued', null],
      ['downloading', 'processing 30 %', null],
      ['downloading', 'processing', 60],
    ]);
    expect(server.seen('/api/operations/u-1/cancel')).toHaveLength(0);
  });

  it.each([
    [{ processed: true, cancelled: true }, 'was cancelled on the server'],
    [{ processed: true, error: {}, message: 'error: no model found with name "m"' }, 'no model found'],
  ])('case 87: a job that ends with %j failed', async (job, words) => {
    server.reply('/models/apply', started).reply(JOB, json(job));
    const failure = expect(collect(at(true).pull?.('m', signal))).rejects.toThrow(words);
    await poll(JOB, 1);
    await failure;
  });

  it('a pull is done when its job is, and an address is sent as one', async () => {
    server.reply('/models/apply', started);
    server.reply(
      JOB,
      status(500, 'could not find any status for ID'),
      json({ processed: true, progress: 100 }),
    );
    const pull = collect(at(true).pull?.('https://example.org/m.yaml', signal));
    await poll(JOB, 2);
    expect((await pull).map(({ phase }) => phase)).toEqual(['preparing', 'done']);
    expect(bodyOf('/models/apply')).toEqual({ url: 'https://example.org/m.yaml' });
  });

  it('a pull that is stopped cancels its job', async () => {
    server.reply('/models/apply', started).reply(JOB, json({ progress: 1 }));
    server.reply('/api/operations/u-1/cancel', json({ success: true }));
    const stop = new AbortController();
    const stopped = expect(collect(at(true).pull?.('m', stop.signal))).rejects.toThrow('cancelled');
    await poll(JOB, 1);
    await settle();
    stop.abort();
    await stopped;
    expect(server.seen('/api/operations/u-1/cancel')[0]?.method).toBe('POST');
  });

  it('a pull that does not move is given up', async () => {
    server.reply('/models/apply', started).reply(JOB, json({ progress: 5 }));
    const stalled = expect(collect(at(true).pull?.('m', signal))).rejects.toMatchObject({
      fault: { code: 'timeout' },
    });
    await poll(JOB, 1);
    await settle();
    clock.advance(11 * 60_000);
    await poll(JOB, 2);
    await stalled;
  });

  it('a delete is over when its job is, or the name is gone', async () => {
    server.reply('/models/delete/a%2Fb', started).reply(MODELS, list('a/b'), list());
    server.reply(JOB, json({ processed: false }), json({ processed: true, deletion: true }));
    const backend = at(true);
    const model = modelOf(backend, { name: 'a/b' });
    const deletion = backend.delete?.(model, signal);
    await server.waitFor(JOB, 1);
    await poll(JOB, 2);
    await deletion;
    server.reply(JOB, status(500, 'could not find any status for ID'));
    await backend.delete?.(model, signal);
    expect(server.seen('/models/delete/a%2Fb').map(({ method }) => method)).toEqual(['POST', 'POST']);
  });
});

describe('LocalAI: chat', () => {
  const loading = (progress: number, headers: Readonly<Record<string, string>> = {}): RawReply =>
    json(
      {
        error: { code: 'model_loading', message: 'model is loading', type: 'server_error' },
        loading: { model: 'm', state: 'staging', progress, bytes_sent: 1, total_bytes: 2 },
      },
      503,
      headers,
    );

  it('asks for the times, and shows them as speeds', async () => {
    const usage = {
      prompt_tokens: 50,
      completion_tokens: 100,
      timing_prompt_processing: 500,
      timing_token_generation: 2000,
    };
    server.reply(CHAT, stream([c('a'), finish(), sse({ choices: [], usage }), DONE]));
    const seen = await ask(at());
    expect(server.seen(CHAT)[0]?.headers.get('extra-usage')).toBe('1');
    expect(seen.usage).toEqual({
      promptTokens: 50,
      answerTokens: 100,
      promptMs: 500,
      answerMs: 2000,
      promptPerSecond: 100,
      answerPerSecond: 50,
    });
  });

  it('case 66: times of 0 are not told', async () => {
    const usage = {
      prompt_tokens: 5,
      completion_tokens: 1,
      timing_prompt_processing: 0,
      timing_token_generation: 0,
    };
    server.reply(CHAT, stream([c('a'), finish(), sse({ choices: [], usage }), DONE]));
    expect((await ask(at())).usage).toEqual({ promptTokens: 5, answerTokens: 1 });
  });

  it('case 35: a load that takes long is shown, and asked again only when its time has come', async () => {
    server.reply(CHAT, loading(42, { 'Retry-After': '5' }), stream([c('a'), finish(), DONE]));
    const chat = ask(at(true), { firstByteTimeoutMs: 60_000 });
    await server.waitFor(CHAT, 1);
    await settle();
    clock.advance(4999);
    await settle();
    expect(server.seen(CHAT)).toHaveLength(1);
    clock.advance(1);
    const { events, text, outcome } = await chat;
    expect([text, outcome]).toEqual(['a', 'complete']);
    expect(events.filter((event) => event.type === 'loading')).toEqual([
      { type: 'loading', progress: 0.42, source: 'model_loading' },
    ]);
    const [first, second] = server.seen(CHAT).map((request) => request.body);
    expect(second).toBe(first);
  });

  it('case 35: a chat that is stopped meanwhile is not sent again', async () => {
    server.reply(CHAT, loading(42, { 'Retry-After': '5' }));
    const stop = new AbortController();
    const chat = ask(at(true), {
      signal: stop.signal,
      onEvent: (event) => void (event.type === 'loading' && setImmediate(() => stop.abort())),
    });
    expect((await chat).outcome).toBe('cancelled');
    clock.advance(60_000);
    await settle();
    expect(server.seen(CHAT)).toHaveLength(1);
  });

  it('case 35: a load that takes longer than the wait allows is an error that says so', async () => {
    server.reply(CHAT, loading(1, { 'Retry-After': '30' }));
    const seen = await ask(at(true), { firstByteTimeoutMs: 20_000 });
    expect(seen).toMatchObject({ outcome: 'failed', fault: { code: 'loading', retryAfterMs: 30_000 } });
    expect(server.seen(CHAT)).toHaveLength(1);
  });

  it('case 33: another 503 is not sent again by itself', async () => {
    server.reply(
      CHAT,
      json({ error: { message: 'too many requests', type: 'x' } }, 503, { 'Retry-After': '7' }),
    );
    expect((await ask(at())).fault).toMatchObject({ code: 'busy', retryAfterMs: 7000 });
    expect(server.seen(CHAT)).toHaveLength(1);
  });

  it('case 57: an error before the end mark is a failure', async () => {
    const error = { error: { message: 'm', type: 'server_error', code: 'server_error' } };
    server.reply(CHAT, stream([c('a'), sse(error), DONE]));
    expect(await ask(at())).toMatchObject({ text: 'a', outcome: 'failed', fault: { message: 'm.' } });
  });

  it('case 36: an error without a body names what hides it', async () => {
    server.reply(CHAT, status(500, ''));
    expect((await ask(at())).fault).toMatchObject({
      message: 'LocalAI failed with status 500 and told no reason.',
      hint: expect.stringContaining('LOCALAI_OPAQUE_ERRORS') as unknown,
    });
  });
});
