import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { parametersFromShow } from '../../src/backends/ollama-details.js';
import type { Model } from '../../src/domain/model.js';
import { RawServer, hang, json, status, stream } from '../support/raw-server.js';
import { LOAD, DONE, OLLAMA_DONE, REAL_PORTS, ask, backendAt, c, finish, modelOf, o } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
const open: Backend[] = [];
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(async () => {
  for (const backend of open.splice(0)) backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const KNOWN = { capabilities: ['completion'], details: { context_length: 4096 } };

function at(kind: string, clock?: SteeredClock): Backend {
  const backend = backendAt(kind, server.url, clock === undefined ? {} : { ports: clock });
  open.push(backend);
  return backend;
}

async function ollamaModels(tags: unknown, ps: unknown = { models: [] }): Promise<readonly Model[]> {
  server.reply('/api/tags', json(tags)).reply('/api/ps', json(ps));
  return at('ollama').models(signal);
}

describe('models, load and unload', () => {
  it('case 73: no models are an empty list', async () => {
    for (const body of [{ models: null }, { models: [] }, {}]) expect(await ollamaModels(body)).toEqual([]);
    server.reply('/v1/models', json({ object: 'list', data: null })).reply('/props', status(404, ''));
    for (const kind of ['llama.cpp', 'openai']) expect(await at(kind).models(signal)).toEqual([]);
  });

  it('case 74: a name that is listed twice is one model', async () => {
    server
      .reply('/v1/models', json({ data: [{ id: 'a' }, { id: 'b' }, { id: 'a' }], models: [{ name: 'a' }] }))
      .reply('/props', status(404, ''));
    for (const kind of ['llama.cpp', 'openai'])
      expect((await at(kind).models(signal)).map((model) => model.name)).toEqual(['a', 'b']);
  });

  it.each([
    'hf.co/bartowski/Qwen3-8B-GGUF:Q4_K_M',
    'a/b@q4',
    'Llama 3 8B Instruct',
    '模型:latest',
    'x#y?z%20',
  ])('case 75: %s is sent unchanged', async (name) => {
    const models = await ollamaModels({ models: [{ name, ...KNOWN }] });
    expect(models[0]?.name).toBe(name);
    server.reply('/api/chat', stream([o('a'), OLLAMA_DONE]));
    await ask(at('ollama'), { model: { name } });
    expect((JSON.parse(server.seen('/api/chat')[0]?.body ?? '') as { model: string }).model).toBe(name);
  });

  it('case 76: loaded models are matched by digest, else by the name as Ollama reads it', async () => {
    const tags = {
      models: [
        { name: 'a:latest', digest: 'd1', ...KNOWN },
        { name: 'b:latest', digest: 'd1', ...KNOWN },
        { name: 'LLAMA3', ...KNOWN },
        { name: 'other', digest: 'd9', ...KNOWN },
      ],
    };
    const ps = {
      models: [
        { name: 'a:latest', digest: 'd1', size: 10, size_vram: 4, context_length: 2048 },
        { name: 'llama3:latest' },
      ],
    };
    const models = await ollamaModels(tags, ps);
    expect(models.map((model) => model.loadState)).toEqual(['loaded', 'loaded', 'loaded', 'unloaded']);
    expect(models[1]).toMatchObject({
      label: 'b',
      memoryBytes: 10,
      vramBytes: 4,
      contextAllocated: 2048,
      contextMax: 4096,
    });
  });

  it('case 77: what cannot chat or runs elsewhere is marked, and no word means yes', async () => {
    server.reply('/api/show', status(404, ''));
    const models = await ollamaModels({
      models: [
        { name: 'e', capabilities: ['embedding'], details: { context_length: 1 } },
        { name: 'c', remote_host: 'https://ollama.com', ...KNOWN },
        { name: 'x:cloud', ...KNOWN },
        { name: 'n' },
      ],
    });
    expect(models.map((model) => [model.chat, model.remote])).toEqual([
      [false, false],
      [true, true],
      [true, true],
      [true, false],
    ]);
    server
      .reply('/v1/models', json({ data: [{ id: 'i', architecture: { output_modalities: ['embedding'] } }] }))
      .reply('/props', json({}));
    expect((await at('llama.cpp').models(signal))[0]?.chat).toBe(false);
    server.reply('/api/chat', json({ error: '"e" does not support chat' }, 400));
    expect((await ask(at('ollama'))).fault?.code).toBe('unsupported');
  });

  it('case 78: thinking is asked for only where it is known, and a refusal is asked once more without', async () => {
    server.reply('/api/ps', json({ models: [] }));
    server.reply(
      '/api/chat',
      json({ error: '"m" does not support thinking' }, 400),
      stream([o('a'), OLLAMA_DONE]),
    );
    const seen = await ask(at('ollama'), { model: { capabilities: ['completion', 'thinking'] } });
    expect(seen).toMatchObject({
      text: 'a',
      outcome: 'complete',
      notes: ['Asked again without thinking: the model does not support it.'],
    });
    const thinks = server
      .seen('/api/chat')
      .map((request) => (JSON.parse(request.body) as { think?: boolean }).think);
    expect(thinks).toEqual([true, undefined]);
    await ask(at('ollama'), { model: { capabilities: ['completion'] } });
    expect(server.seen('/api/chat').at(-1)?.body).not.toContain('think');
  });

  it('case 79: sizes that say nothing are left out, and memory is clamped', async () => {
    const models = await ollamaModels(
      {
        models: [
          {
            name: 'a',
            size: 0,
            digest: 'd',
            details: { context_length: 0, parameter_size: '', quantization_level: 'unknown' },
            capabilities: ['completion'],
          },
        ],
      },
      { models: [{ name: 'a', digest: 'd', size: 100, size_vram: 137 }] },
    );
    expect(models[0]).toMatchObject({
      sizeBytes: null,
      contextMax: null,
      parameters: null,
      quantization: null,
      memoryBytes: 100,
      vramBytes: 100,
    });
    const shown = parametersFromShow({
      parameters: 'stop    "<|im_end|>"\nnum_ctx                        2048\nstop    "a b"',
    });
    expect(shown).toEqual([
      ['num_ctx', '2048'],
      ['stop', '<|im_end|>'],
      ['stop', 'a b'],
    ]);
  });

  it('case 79: details come from show, four at a time and once per digest', async () => {
    const show = {
      capabilities: ['completion', 'tools'],
      model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40960 },
      license: 'x'.repeat(5_000_000),
    };
    server.reply('/api/show', json(show));
    const tags = {
      models: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, digest: name === 'f' ? 'a' : name })),
    };
    server.reply('/api/tags', json(tags)).reply('/api/ps', json({ models: [] }));
    const backend = at('ollama');
    const models = await backend.models(signal);
    expect(models[0]).toMatchObject({ contextMax: 40960, capabilities: ['completion', 'tools'] });
    await backend.models(signal);
    expect(server.seen('/api/show')).toHaveLength(5);
    // The next run knows them; of a file that came since it asks.
    const known = models.filter(({ name }) => name !== 'b');
    const next = backendAt('ollama', server.url, { ports: { ...REAL_PORTS, known } });
    expect(await next.models(signal)).toEqual(models);
    expect(
      server
        .seen('/api/show')
        .map(({ body }) => body)
        .slice(5),
    ).toEqual(['{"model":"b"}']);
    next.close();
  });

  it('case 80: every form of an expiry is read', async () => {
    const clock = new SteeredClock();
    const times = [
      '2318-03-03T00:00:00Z',
      '0001-01-01T00:00:00Z',
      '2026-11-23T11:00:00Z',
      '2026-11-23T15:00:00+02:00',
      '2026-11-23T13:00:00.123456789Z',
    ];
    server.reply(
      '/api/ps',
      json({ models: times.map((expires_at, index) => ({ name: `m${index}`, expires_at })) }),
    );
    server.reply('/api/tags', json({ models: times.map((_, index) => ({ name: `m${index}`, ...KNOWN })) }));
    const at13 = Date.parse('2026-11-23T13:00:00Z');
    expect((await at('ollama', clock).models(signal)).map((model) => model.expiry)).toEqual([
      'never',
      'in-use',
      { at: at13 - 2 * 3600_000 },
      { at: at13 },
      { at: at13 + 123 },
    ]);
  });

  it('case 81: a model is "unloading" until the server has let it go', async () => {
    const clock = new SteeredClock();
    const still = json({ models: [{ name: 'm', digest: 'd' }] });
    server
      .reply('/api/chat', json({ done: true, done_reason: 'unload' }))
      .reply('/api/tags', json({ models: [{ name: 'm', digest: 'd', ...KNOWN }] }));
    server.reply('/api/ps', still, still, json({ models: [] }));
    const backend = at('ollama', clock);
    const model = modelOf(backend, { digest: 'd' });
    const unload = backend.unload?.(model, signal);
    await server.waitFor('/api/ps', 1);
    await settle();
    expect((await backend.models(signal))[0]?.loadState).toBe('unloading');
    clock.advance(250);
    await unload;
    expect((await backend.models(signal))[0]?.loadState).toBe('unloaded');
    expect(JSON.parse(server.seen('/api/chat')[0]?.body ?? '')).toMatchObject({
      keep_alive: 0,
      messages: [],
    });
  });

  it('case 81: a model that stays for half a minute is loaded, not unloading', async () => {
    const clock = new SteeredClock();
    server
      .reply('/api/chat', json({ done: true, done_reason: 'unload' }))
      .reply('/api/tags', json({ models: [{ name: 'm', ...KNOWN }] }));
    server.reply('/api/ps', json({ models: [{ name: 'm' }] }));
    const backend = at('ollama', clock);
    const unload = backend.unload?.(modelOf(backend), signal);
    await server.waitFor('/api/ps');
    await settle();
    clock.advance(31_000);
    await unload;
    expect((await backend.models(signal))[0]?.loadState).toBe('loaded');
  });

  it('case 82: a load of a router that fails names its exit code', async () => {
    const list = (value: string, more: object = {}) =>
      json({ data: [{ id: 'm', status: { value, args: [], ...more } }] });
    server.reply(
      '/v1/models',
      list('unloaded'),
      list('loading', { progress: { value: 0.5 } }),
      list('loading'),
      list('unloaded', { failed: true, exit_code: 1 }),
    );
    server.reply('/models/load', json({ success: true }));
    const clock = new SteeredClock();
    const backend = at('llama.cpp', clock);
    expect((await backend.models(signal))[0]?.loadState).toBe('unloaded');
    expect(backend.info.features).toMatchObject({ load: true, unload: true });
    const loading = (await backend.models(signal))[0];
    expect(loading).toMatchObject({ loadState: 'loading', loadProgress: 0.5 });
    const load = backend.load?.(modelOf(backend), LOAD, signal);
    const failure = expect(load).rejects.toThrow('The load of m failed (exit code 1).');
    await server.waitFor('/v1/models', 3);
    await settle();
    clock.advance(300);
    await failure;
  });

  it('case 82: a load of a router ends when the list says loaded, an unknown model is named', async () => {
    server
      .reply('/v1/models', json({ data: [{ id: 'm', status: { value: 'loaded' } }] }))
      .reply(
        '/models/load',
        json({ success: true }),
        json({ error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }, 404),
      );
    const backend = at('llama.cpp');
    await backend.models(signal);
    await backend.load?.(modelOf(backend), LOAD, signal);
    await expect(backend.load?.(modelOf(backend, { name: 'nope' }), LOAD, signal)).rejects.toMatchObject({
      fault: { code: 'unknown-model' },
    });
  });

  it('a server with one model cannot load another', async () => {
    const backend = at('llama.cpp');
    expect(backend.info.features.load).toBe(false);
    await expect(backend.load?.(modelOf(backend), LOAD, signal)).rejects.toMatchObject({
      fault: { code: 'unsupported' },
    });
  });

  it('case 83: a sleeping model is not woken, and no model of a router is touched by looking', async () => {
    server.reply('/props', json({ is_sleeping: true, endpoint_slots: true, endpoint_metrics: true }));
    server
      .reply('/v1/models', json({ data: [{ id: 'm' }] }))
      .reply('/v1/chat/completions', stream([c('a'), finish(), DONE]));
    const sleeper = at('llama.cpp');
    for (let round = 0; round < 3; round += 1) await sleeper.check(signal);
    expect((await sleeper.models(signal))[0]?.loadState).toBe('unloaded');
    expect(server.seen('/slots')).toHaveLength(0);
    server
      .reply('/props', json({ role: 'router' }))
      .reply('/v1/models', json({ data: [{ id: 'm', status: { value: 'unloaded' } }] }));
    const router = at('llama.cpp');
    for (let round = 0; round < 3; round += 1) {
      await router.check(signal);
      await router.models(signal);
    }
    await ask(router);
    expect(server.requests.filter((request) => request.target.includes('?model='))).toHaveLength(0);
    expect(server.requests.filter((request) => request.headers.has('x-conversation-id'))).toHaveLength(0);
    expect(server.seen('/slots')).toHaveLength(0);
  });

  it('a cold model is shown as loading while its first answer is waited for', async () => {
    server
      .reply('/api/ps', json({ models: [] }))
      .reply('/api/tags', json({ models: [{ name: 'm', ...KNOWN }] }))
      .reply('/api/chat', hang);
    const backend = at('ollama');
    const stop = new AbortController();
    const chat = ask(backend, { signal: stop.signal });
    await server.waitFor('/api/chat');
    expect((await backend.models(signal))[0]?.loadState).toBe('loading');
    stop.abort();
    await chat;
    expect((await backend.models(signal))[0]?.loadState).toBe('unloaded');
  });
});
