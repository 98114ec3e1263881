import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend, ChatEvent } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import type { PullProgress } from '../../src/domain/model.js';
import { RawServer, json, status, stream } from '../support/raw-server.js';
import { DONE, LOAD, REAL_PORTS, ask, backendAt, c, finish, modelOf, sse } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  backend = backendAt('lmstudio', server.url);
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';
const V1 = '/api/v1/models';
const V0 = '/api/v0/models';
const EXPRESS = { 'X-Powered-By': 'Express' };
const refusal = (path: string) =>
  json({ error: `Unexpected endpoint or method. (GET ${path})` }, 200, EXPRESS);

const instance = (id: string, context_length = 4096) => ({ id, config: { context_length } });
const QWEN = {
  type: 'llm',
  publisher: 'qwen',
  key: 'qwen/qwen3-8b',
  display_name: 'Qwen3 8B',
  architecture: 'qwen3',
  quantization: { name: 'Q4_K_M', bits_per_weight: 4 },
  size_bytes: 5_000_000_000,
  params_string: '8B',
  loaded_instances: [] as unknown[],
  max_context_length: 40_960,
  capabilities: { vision: false, trained_for_tool_use: true, reasoning: { allowed_options: ['on'] } },
};
const EMBED = { type: 'embedding', key: 'nomic', loaded_instances: [], quantization: null, size_bytes: 0 };
const list = (...instances: readonly unknown[]) =>
  json({ models: [{ ...QWEN, loaded_instances: instances }, EMBED] }, 200, EXPRESS);
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);
const bodyOf = (path: string, index = 0): unknown =>
  JSON.parse(server.seen(path)[index]?.body ?? 'null') as unknown;

async function pulled(name = 'qwen/qwen3-8b', of = backend): Promise<PullProgress[]> {
  const all: PullProgress[] = [];
  for await (const progress of of.pull?.(name, signal) ?? []) all.push(progress);
  return all;
}

describe('LM Studio: which it is', () => {
  it('case 42: each of its versions is known by a shape, never by status 200', async () => {
    server.reply('/v1/models', json({ data: [] }, 200, EXPRESS));
    server.reply(V1, refusal(V1)).reply(V0, json({ data: [{ id: 'a', state: 'loaded' }] }));
    expect(await who()).toBe('lmstudio');
    server.reply(V1, json({ models: [] }));
    expect(await who()).toBe('lmstudio');
    server.reply('/v1/models', refusal('/v1/models'));
    expect(await who()).toBe('lmstudio');
    server.reply('/v1/models', json({ data: [{ id: 'a' }] }, 200, EXPRESS));
    server.reply(V1, json({ hello: 1 })).reply(V0, json({ hello: 1 }));
    expect(await who()).toBe('openai');
  });

  it('case 42: one that wants a token names itself in its refusal', async () => {
    const message = 'An LM Studio API token is required to make requests to this server.';
    const error = { error: { type: 'invalid_request', code: 'invalid_api_key', message } };
    for (const code of [200, 401]) {
      server.reply('/v1/models', json(error, code, EXPRESS)).reply(V1, json(error, code, EXPRESS));
      expect(await who()).toBe('lmstudio');
      expect((await backend.check(signal)).status).toMatchObject({
        state: 'away',
        fault: { code: 'unauthorized', message: 'The API token for LM Studio is missing or wrong.' },
      });
    }
  });
});

describe('LM Studio: models', () => {
  it('come with all that version 0.4 tells', async () => {
    server.reply(V1, list(instance('qwen/qwen3-8b', 8192)));
    expect(await backend.models(signal)).toMatchObject([
      {
        name: 'qwen/qwen3-8b',
        sizeBytes: 5_000_000_000,
        family: 'qwen3',
        parameters: '8B',
        quantization: 'Q4_K_M',
        contextMax: 40_960,
        contextAllocated: 8192,
        capabilities: ['completion', 'tools', 'thinking'],
        chat: true,
        loadState: 'loaded',
        memoryBytes: null,
      },
      { name: 'nomic', chat: false, capabilities: ['embedding'], loadState: 'unloaded', sizeBytes: null },
    ]);
    expect(backend.info.features).toMatchObject({ load: true, unload: true, pull: true, delete: false });
  });

  it('case 81: two instances are two lines, and each is unloaded by its own id', async () => {
    const both = list(instance('qwen/qwen3-8b'), instance('qwen/qwen3-8b:2', 2048));
    server.reply(V1, both, both, list(instance('qwen/qwen3-8b')));
    server.reply('/api/v1/models/unload', json({ instance_id: 'qwen/qwen3-8b:2' }));
    const models = await backend.models(signal);
    expect(models.map(({ name, contextAllocated }) => [name, contextAllocated])).toEqual([
      ['qwen/qwen3-8b', 4096],
      ['qwen/qwen3-8b:2', 2048],
      ['nomic', null],
    ]);
    const clock = new SteeredClock();
    const watched = backendAt('lmstudio', server.url, { ports: clock });
    const unload = watched.unload?.(modelOf(watched, { name: 'qwen/qwen3-8b:2' }), signal);
    await unload;
    expect(bodyOf('/api/v1/models/unload')).toEqual({ instance_id: 'qwen/qwen3-8b:2' });
    watched.close();
  });

  it('case 81: an unload is over when the list says so', async () => {
    const clock = new SteeredClock();
    const watched = backendAt('lmstudio', server.url, { ports: clock });
    const loaded = list(instance('qwen/qwen3-8b'));
    server.reply(V1, loaded, loaded, list()).reply('/api/v1/models/unload', json({}));
    const [model] = await watched.models(signal);
    let over = false;
    const unload = watched.unload?.(model ?? modelOf(watched), signal).then(() => (over = true));
    await server.waitFor(V1, 2);
    await settle();
    expect(over).toBe(false);
    clock.advance(250);
    await unload;
    watched.close();
  });

  it('of versions before 0.4 and 0.3.6 are listed by what these have, without load and pull', async () => {
    server.reply(V1, refusal(V1)).reply(
      V0,
      json({
        object: 'list',
        data: [
          {
            id: 'a',
            type: 'vlm',
            arch: 'qwen2_vl',
            quantization: '4bit',
            state: 'not-loaded',
            max_context_length: 32_768,
          },
          { id: 'b', type: 'llm', state: 'loaded', max_context_length: 4096, loaded_context_length: 2048 },
          { id: 'e', type: 'embeddings', state: 'not-loaded' },
        ],
      }),
    );
    expect(await backend.models(signal)).toMatchObject([
      { name: 'a', loadState: 'unloaded', contextMax: 32_768, capabilities: ['completion', 'vision'] },
      { name: 'b', loadState: 'loaded', contextAllocated: 2048 },
      { name: 'e', chat: false },
    ]);
    expect(backend.info.features).toMatchObject({ load: false, unload: false, pull: false });
    await expect(backend.load?.(modelOf(backend), LOAD, signal)).rejects.toMatchObject({
      fault: { code: 'unsupported' },
    });
    const older = backendAt('lmstudio', server.url);
    server.reply(V0, status(404, '<html>Cannot GET</html>', { 'Content-Type': 'text/html' }));
    server.reply('/v1/models', json({ data: [{ id: 'x', owned_by: 'organization_owner' }] }));
    expect(await older.models(signal)).toMatchObject([{ name: 'x', loadState: 'unknown' }]);
    older.close();
  });

  it('case 32: the interface is found out once, and anew after it was away', async () => {
    server.reply(V1, refusal(V1)).reply(V0, json({ data: [{ id: 'a', state: 'loaded' }] }));
    for (let round = 0; round < 3; round += 1) await backend.models(signal);
    expect([server.seen(V1).length, server.seen(V0).length]).toEqual([1, 3]);
    server.reply(V0, refusal(V0));
    expect((await backend.check(signal)).status.state).toBe('away');
    server.reply(V1, list());
    expect((await backend.check(signal)).status.state).toBe('ready');
    expect(backend.info.features.load).toBe(true);
  });

  it('case 26: status 200 with something else is no list', async () => {
    for (const reply of [json({ hello: 1 }, 200), json([], 200), status(200, '')]) {
      server.reply(V1, reply).reply(V0, reply).reply('/v1/models', reply);
      await expect(backend.models(signal)).rejects.toMatchObject({ fault: { code: 'not-a-server' } });
    }
  });
});

describe('LM Studio: load and pull', () => {
  it('a load names the model and the wished context', async () => {
    server.reply(V1, list()).reply('/api/v1/models/load', json({ status: 'loaded', instance_id: 'x' }));
    const [model] = await backend.models(signal);
    const told: unknown[] = [];
    const options = { ...LOAD, contextTokens: 8192, onProgress: (...all: unknown[]) => void told.push(all) };
    await backend.load?.(model ?? modelOf(backend), options, signal);
    expect(bodyOf('/api/v1/models/load')).toEqual({ model: 'qwen/qwen3-8b', context_length: 8192 });
    expect(told).toEqual([[null, '/api/v1/models/load']]);
  });

  it.each([
    [500, 'model_load_failed', 'Failed to load: unknown architecture', 'server-error'],
    [404, 'model_not_found', 'Model x not found', 'unknown-model'],
    [200, '', 'Model loading was stopped due to insufficient system resources.', 'out-of-memory'],
  ])('case 38: a load that fails with status %i %s says why', async (code, type, message, expected) => {
    server.reply('/api/v1/models/load', json({ error: { type, message } }, code));
    await expect(backend.load?.(modelOf(backend), LOAD, signal)).rejects.toMatchObject({
      fault: { code: expected },
    });
  });

  it('a chat with a larger context loads the model with it first', async () => {
    server.reply(V1, list(instance('qwen/qwen3-8b', 4096)), list(instance('qwen/qwen3-8b', 4096)), list());
    server.reply('/api/v1/models/unload', json({})).reply('/api/v1/models/load', json({ status: 'loaded' }));
    server.reply(CHAT, stream([c('a'), finish(), DONE]));
    const [model] = await backend.models(signal);
    const events: ChatEvent[] = [];
    const request = {
      model: model ?? modelOf(backend),
      messages: [],
      keepAlive: '',
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
      contextTokens: 16_384,
    };
    for await (const event of backend.chat(request, signal)) events.push(event);
    expect(events.map((event) => event.type)).toEqual(['loading', 'sent', 'text', 'ended']);
    expect(bodyOf('/api/v1/models/unload')).toEqual({ instance_id: 'qwen/qwen3-8b' });
    expect(bodyOf('/api/v1/models/load')).toEqual({ model: 'qwen/qwen3-8b', context_length: 16_384 });
  });

  it('case 87: what is there already is done at once, without a job', async () => {
    server.reply('/api/v1/models/download', json({ status: 'already_downloaded' }));
    expect(await pulled()).toEqual([
      { phase: 'done', status: 'already downloaded', completedBytes: null, totalBytes: null, layers: [] },
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it('a pull is followed by its job to its end', async () => {
    const clock = new SteeredClock();
    const of = backendAt('lmstudio', server.url, { ports: clock });
    const job = '/api/v1/models/download/status/job%2F1';
    const at = (value: string, downloaded_bytes: number) =>
      json({ job_id: 'job/1', status: value, downloaded_bytes, total_size_bytes: 100 });
    server.reply(
      '/api/v1/models/download',
      json({ job_id: 'job/1', status: 'downloading', total_size_bytes: 100 }),
    );
    server.reply(job, at('downloading', 40), at('completed', 100));
    const pull = pulled('qwen/qwen3-8b', of);
    for (const count of [1, 2]) {
      await settle();
      clock.advance(1000);
      await server.waitFor(job, count);
    }
    const seen = await pull;
    expect(seen.map(({ phase, completedBytes }) => [phase, completedBytes])).toEqual([
      ['downloading', null],
      ['downloading', 40],
      ['done', 100],
    ]);
    expect(bodyOf('/api/v1/models/download')).toEqual({ model: 'qwen/qwen3-8b' });
    of.close();
  });

  it('a pull that fails says so', async () => {
    server.reply('/api/v1/models/download', json({ job_id: 'j', status: 'failed' }));
    await expect(pulled()).rejects.toThrow('LM Studio could not download qwen/qwen3-8b.');
    server.reply('/api/v1/models/download', json({ error: { message: 'No such model' } }, 404));
    await expect(pulled()).rejects.toMatchObject({ fault: { status: 404 } });
  });
});

describe('LM Studio: chat', () => {
  it('case 51: thinking is read under both names, once', async () => {
    for (const delta of [
      { reasoning: 'why' },
      { reasoning_content: 'why' },
      { reasoning: 'why', reasoning_content: 'why' },
    ]) {
      server.reply(CHAT, stream([sse({ choices: [{ delta }] }), c('yes'), finish(), DONE]));
      expect(await ask(backend)).toMatchObject({ thinking: 'why', text: 'yes', outcome: 'complete' });
    }
  });

  it('case 14: a stream that stops without an end is incomplete', async () => {
    server.reply(CHAT, stream([c('a')]));
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'incomplete' });
  });

  it('case 59: an event of the name error is a failure, whatever follows', async () => {
    const error = { error: { type: 'internal_error', message: 'm' } };
    server.reply(
      CHAT,
      stream([
        c('a'),
        `event: error\ndata: ${JSON.stringify(error)}\n\n`,
        'event: chat.end\ndata: {"result":{}}\n\n',
      ]),
    );
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'failed', fault: { message: 'm.' } });
  });

  it('a model that is not loaded is shown as loading, without a made-up progress', async () => {
    server.reply(CHAT, stream([c('a'), finish(), DONE]));
    const { events } = await ask(backend, { model: { loadState: 'unloaded' } });
    expect(events.filter((event) => event.type === 'loading')).toMatchObject([{ progress: null }]);
  });

  it('no model loaded and none loaded by itself: the next step is named', async () => {
    const message = 'No models loaded. Please load a model in the developer page or use lms load.';
    server.reply(CHAT, json({ error: { message, type: 'invalid_request_error', code: 'x' } }, 404));
    expect((await ask(backend)).fault).toMatchObject({
      code: 'unknown-model',
      hint: expect.stringContaining('Just-in-Time') as unknown,
    });
  });
});
