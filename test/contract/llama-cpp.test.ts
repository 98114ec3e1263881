import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend, ChatEvent } from '../../src/backends/backend.js';
import type { PullProgress } from '../../src/domain/model.js';
import { RawServer, hang, head, json, status, stream, write } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { DONE, LOAD, REAL_PORTS, ask, backendAt, c, finish, modelOf, sse } from './answers.js';
import { defaultLimits } from '../../src/domain/limits.js';
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
const CHAT = '/v1/chat/completions';
const ASK_ALSO = '?model=a%2Fb%3Aq4&autoload=false';
const MESSAGES = [{ role: 'user' as const, content: 'hi' }];

function llama(clock?: SteeredClock): Backend {
  const backend = backendAt('llama.cpp', server.url, clock === undefined ? {} : { ports: clock });
  open.push(backend);
  return backend;
}

/** A router that lists one model, as it is after its list was asked for. */
async function router(value: string, more: object = {}, clock?: SteeredClock): Promise<Backend> {
  server.reply('/v1/models', list(value, more));
  const backend = llama(clock);
  await backend.models(signal);
  return backend;
}
const list = (value: string, more: object = {}) =>
  json({ data: [{ id: 'a/b:q4', status: { value }, can_remove: true, ...more }] });
const named = (backend: Backend, loadState: 'loaded' | 'unloaded' = 'loaded') =>
  modelOf(backend, { name: 'a/b:q4', loadState });

/** The events of a router: at once those given, then as `more` is called. */
function events(...first: object[]): {
  reply: (socket: Socket) => Promise<void>;
  more: (event: object) => void;
} {
  let write_: (event: object) => void = () => undefined;
  return {
    reply: async (socket) => {
      await write(socket, head(200, { Connection: 'close', 'Content-Type': 'text/event-stream' }));
      write_ = (event) => void socket.write(sse(event));
      first.forEach(write_);
    },
    more: (event) => write_(event),
  };
}
const change = (data: object, model = 'a/b:q4') => ({ model, event: 'status_change', data });
const loading = (value: number) =>
  change({
    status: 'loading',
    progress: { stages: ['text_model', 'mmproj_model'], current: 'text_model', value },
  });

/** Lets time pass until something was asked so often, but not so long that a request ends. */
async function looked(clock: SteeredClock, path: string, times: number): Promise<void> {
  await settle();
  for (let step = 0; step < 90 && server.seen(path).length < times; step += 1) {
    clock.advance(100);
    await settle();
  }
  await settle();
}

describe('llama.cpp with one model', () => {
  it('tells its details, as recorded', async () => {
    server.reply('/props', recorded('llama.cpp/props')).reply('/v1/models', recorded('llama.cpp/models'));
    const backend = llama();
    const [model] = await backend.models(signal);
    if (model === undefined) throw new Error('no model');
    const details = await backend.details?.(model, signal);
    expect(details?.template).toMatch(/^\{% for message in messages %\}/);
    expect(Object.fromEntries(details?.parameters ?? [])).toMatchObject({
      temperature: '0.8',
      top_k: '40',
      min_p: '0.05',
    });
    expect(Object.fromEntries(details?.facts ?? [])).toMatchObject({
      file: '/models/smollm2-135m-instruct-q4_1.gguf',
      reads: 'text',
      slots: '2',
      'context of a slot': '512',
      weights: '134515008',
    });
  });

  it('tells how many requests it works on, and asks a sleeping one nothing more', async () => {
    server.reply('/props', recorded('llama.cpp/props')).reply('/slots', recorded('llama.cpp/slots-busy'));
    server.reply('/metrics', recorded('llama.cpp/metrics-busy'));
    const backend = llama();
    const activity = () => backend.activity?.(modelOf(backend), signal);
    expect(await activity()).toEqual({ working: 2, source: '/slots' });
    server.reply('/slots', recorded('llama.cpp/slots'));
    expect(await activity()).toEqual({ working: 0, source: '/slots' });
    // Servers of early 2024 and llamafile 0.9 tell a state.
    server.reply('/slots', json([{ state: 1 }, { state: 0 }]));
    expect(await activity()).toEqual({ working: 1, source: '/slots' });
    const asked = server.seen('/slots').length;
    server.reply('/props', json({ build_info: 'b1', is_sleeping: true }));
    expect(await activity()).toEqual({ working: 0, source: '/props' });
    expect(server.seen('/slots')).toHaveLength(asked);
    server.reply('/props', json({ build_info: 'b1', endpoint_slots: false, endpoint_metrics: true }));
    expect(await activity()).toEqual({ working: 2, source: '/metrics' });
    server.reply('/props', json({ build_info: 'b1', endpoint_slots: false, endpoint_metrics: false }));
    expect(await activity()).toMatchObject({ working: null });
  });

  it('case 83: a look from time to time does not keep an idle model awake', async () => {
    const backend = llama();
    const looks = async (props: object): Promise<unknown> => {
      server.reply('/props', json({ build_info: 'b1', endpoint_slots: true, ...props }));
      return backend.check(signal);
    };
    server.reply('/slots', json([{ is_processing: true }, {}]));
    server.reply('/metrics', recorded('llama.cpp/metrics-busy'));
    expect(await looks({ is_sleeping: false, endpoint_metrics: true })).toMatchObject({
      processing: 2,
      queued: 1,
    });
    expect(await looks({ is_sleeping: false, endpoint_metrics: false })).toMatchObject({ processing: null });
    expect(server.seen('/slots')).toHaveLength(0);
    // An older build has no sleep.
    expect(await looks({ endpoint_metrics: false })).toMatchObject({ processing: 1, queued: 0 });
  });

  it('finds the request in the queue although the first looks failed or came too early', async () => {
    const clock = new SteeredClock();
    const props = json({ build_info: 'b1', endpoint_slots: true, endpoint_metrics: true });
    const deferred = (count: number) => status(200, `llamacpp:requests_deferred ${count}\n`);
    server.reply('/props', status(500, 'busy'), props);
    server.reply('/slots', json([{ is_processing: true }]));
    server.reply('/metrics', deferred(0), deferred(1));
    server.reply(CHAT, hang);
    const stop = new AbortController();
    const seen = ask(llama(clock), { signal: stop.signal });
    await server.waitFor(CHAT);
    await looked(clock, '/metrics', 2);
    stop.abort();
    expect((await seen).events.filter((event) => event.type === 'queued')).toEqual([
      { type: 'queued', position: 1, source: 'requests_deferred of /metrics' },
    ]);
  });

  it('is not asked for ever for a queue in which the request is not', async () => {
    const clock = new SteeredClock();
    server.reply('/props', json({ build_info: 'b1', endpoint_slots: true }));
    server.reply('/slots', json([{ is_processing: true }, {}]));
    server.reply(CHAT, hang);
    const stop = new AbortController();
    const seen = ask(llama(clock), { signal: stop.signal, firstByteTimeoutMs: 60_000 });
    await server.waitFor(CHAT);
    await looked(clock, '/slots', 5);
    for (let more = 0; more < 3; more += 1) {
      clock.advance(2000);
      await settle();
    }
    stop.abort();
    expect((await seen).events.map((event) => event.type)).toEqual(['sent', 'ended']);
    expect(server.seen('/slots')).toHaveLength(5);
  });

  it('tells the place in the queue, and that it moves up', async () => {
    const clock = new SteeredClock();
    const deferred = (count: number) => status(200, `llamacpp:requests_deferred ${count}\n`);
    server.reply('/props', json({ build_info: 'b1', endpoint_slots: true, endpoint_metrics: true }));
    server.reply('/slots', json([{ is_processing: true }]));
    // The fourth look finds two that came later.
    server.reply('/metrics', deferred(3), deferred(3), deferred(1), deferred(3), deferred(0));
    server.reply(CHAT, hang);
    const backend = llama(clock);
    const stop = new AbortController();
    const seen = ask(backend, { signal: stop.signal });
    await server.waitFor(CHAT);
    await looked(clock, '/metrics', 5);
    stop.abort();
    expect((await seen).events.filter((event) => event.type === 'queued')).toEqual([
      { type: 'queued', position: 3, source: 'requests_deferred of /metrics' },
      { type: 'queued', position: 1, source: 'requests_deferred of /metrics' },
    ]);
  });

  it('counts tokens in the template of the model, in the way that the server has', async () => {
    const backend = llama();
    const count = (state: 'loaded' | 'unloaded' = 'loaded') =>
      backend.countTokens?.(modelOf(backend, { loadState: state }), MESSAGES, signal);
    server.reply('/props', json({ build_info: 'b1' }));
    server.reply('/v1/chat/completions/input_tokens', json({ input_tokens: 44 }));
    expect(await count()).toBe(44);
    server.reply('/v1/chat/completions/input_tokens', status(404, ''));
    server
      .reply('/apply-template', json({ prompt: '<|user|>hi' }))
      .reply('/tokenize', json({ tokens: [1, 2, 3] }));
    expect(await count()).toBe(3);
    expect(JSON.parse(server.seen('/tokenize')[0]?.body ?? '')).toMatchObject({
      content: '<|user|>hi',
      add_special: true,
      parse_special: true,
    });
    server.reply('/apply-template', status(404, ''));
    expect(await count()).toBeNull();
    expect(await count()).toBeNull();
    expect(server.seen('/v1/chat/completions/input_tokens')).toHaveLength(2);
    const before = server.requests.length;
    expect(await count('unloaded')).toBeNull();
    expect(server.requests).toHaveLength(before);
    server.reply('/props', json({ build_info: 'b1', is_sleeping: true }));
    expect(await count()).toBeNull();
    expect(server.requests).toHaveLength(before + 1);
  });

  it('continues an answer, without thinking where the server refuses that', async () => {
    const refusal = json(
      { error: { code: 400, message: 'Assistant response prefill is incompatible with enable_thinking.' } },
      400,
    );
    server.reply(CHAT, refusal, stream([c('b'), finish(), DONE]));
    const seen = await ask(llama());
    expect(seen).toMatchObject({ text: 'b', outcome: 'complete' });
    expect(seen.notes[0]).toMatch(/^Continued without thinking/);
    expect(JSON.parse(server.seen(CHAT)[1]?.body ?? '')).toMatchObject({
      chat_template_kwargs: { enable_thinking: false },
    });
    server.reply(CHAT, refusal);
    expect((await ask(llama())).outcome).toBe('failed');
  });

  it('each figure names its source', async () => {
    server.reply(CHAT, recorded('llama.cpp/chat-stream-progress'));
    const sources = (await ask(llama())).events.flatMap((event) => ('source' in event ? [event.source] : []));
    expect(new Set(sources)).toEqual(new Set(['prompt_progress', 'timings', 'usage']));
  });

  it('offers what it told, and an old build less', async () => {
    const backend = llama();
    const features = async (props: object) => {
      server.reply('/props', json(props));
      await backend.check(signal);
      return backend.info.features;
    };
    const all = {
      load: false,
      pull: false,
      delete: false,
      loadProgress: false,
      prefill: true,
      queue: true,
      metrics: true,
    };
    expect(await features({ build_info: 'b1' })).toMatchObject({ ...all, promptProgress: true });
    expect(
      await features({ build_info: 'b1', endpoint_slots: false, endpoint_metrics: false }),
    ).toMatchObject({
      queue: false,
      metrics: false,
    });
    expect(await features({ total_slots: 1 })).toMatchObject({ promptProgress: false, prefill: false });
  });
});

describe('llama.cpp as a router', () => {
  it('lists no model that is still on its way to it', async () => {
    const backend = await router('downloading');
    expect(await backend.models(signal)).toEqual([]);
    expect(backend.info.features).toMatchObject({ load: true, pull: true });
    backend.close();
  });

  it('case 83: nothing asks about a model that is not loaded, and about a loaded one only so that it loads none', async () => {
    const backend = await router('unloaded');
    server.reply('/props', json({ role: 'router', build_info: 'b1' }));
    const cold = named(backend, 'unloaded');
    expect(await backend.activity?.(cold, signal)).toEqual({ working: 0, source: '/models' });
    expect(await backend.countTokens?.(cold, MESSAGES, signal)).toBeNull();
    await backend.details?.(cold, signal);
    expect(
      server.requests.filter(({ target }) => target.includes('?') || target.startsWith('/slots')),
    ).toEqual([]);
    server.reply('/props', json({ build_info: 'b1', is_sleeping: false }));
    server.reply('/slots', json([{ is_processing: true }, {}]));
    server.reply('/v1/chat/completions/input_tokens', json({ input_tokens: 7 }));
    expect(await backend.activity?.(named(backend), signal)).toEqual({ working: 1, source: '/slots' });
    expect(await backend.countTokens?.(named(backend), MESSAGES, signal)).toBe(7);
    await backend.details?.(named(backend), signal);
    const asked = server.requests.map(({ target }) => target).filter((target) => target !== '/v1/models');
    expect(asked).toHaveLength(5);
    for (const target of asked) expect(target).toContain(ASK_ALSO);
  });

  it('loads a model and tells how far it is by its events', async () => {
    const clock = new SteeredClock();
    const backend = await router('unloaded', {}, clock);
    server
      .reply('/models/load', json({ success: true }))
      .reply('/models/sse', recorded('llama.cpp/router-sse'));
    server.reply('/v1/models', list('loading'), list('loaded'));
    const told: unknown[] = [];
    // The name is that of the recording.
    const model = modelOf(backend, { name: 'smollm2-135m-instruct-q4_1' });
    const item = (value: string) => json({ data: [{ id: model.name, status: { value } }] });
    server.reply('/v1/models', item('loading'), item('loaded'));
    const load = backend.load?.(
      model,
      { ...LOAD, onProgress: (...figures) => void told.push(figures) },
      signal,
    );
    await server.waitFor('/models/sse');
    while (told.length < 4) await settle();
    clock.advance(300);
    await load;
    expect(told).toEqual([
      [null, '/models'],
      [null, '/models/sse'],
      [0, '/models/sse'],
      [1, '/models/sse'],
    ]);
    await server.seen('/models/sse')[0]?.closed;
  });

  it('a load without events tells what the list tells', async () => {
    const clock = new SteeredClock();
    const backend = await router('unloaded', {}, clock);
    server.reply('/models/load', json({ success: true })).reply('/models/sse', status(404, ''));
    server.reply(
      '/v1/models',
      list('loading', { status: { value: 'loading', progress: { value: 0.5 } } }),
      list('loaded'),
    );
    const told: unknown[] = [];
    const options = { ...LOAD, onProgress: (...figures: unknown[]) => void told.push(figures) };
    const load = backend.load?.(named(backend, 'unloaded'), options, signal);
    await server.waitFor('/v1/models', 2);
    await settle();
    clock.advance(300);
    await load;
    expect(told).toEqual([
      [null, '/models'],
      [0.5, '/models'],
    ]);
  });

  it('a model that sleeps is woken by a load', async () => {
    const clock = new SteeredClock();
    const backend = await router('sleeping', {}, clock);
    server.reply('/models/load', json({ error: { code: 400, message: 'model is already running' } }, 400));
    server.reply('/tokenize', json({ tokens: [] })).reply('/v1/models', list('sleeping'), list('loaded'));
    const load = backend.load?.(named(backend, 'unloaded'), LOAD, signal);
    await server.waitFor('/tokenize');
    await settle();
    clock.advance(300);
    await load;
    expect(server.seen('/tokenize')).toHaveLength(1);
  });

  it('a chat with a model that is not loaded tells how far its load is', async () => {
    const backend = await router('unloaded');
    const sent = events(loading(0.5), change({ status: 'loading' }, 'other'), loading(0.5), loading(1));
    server.reply('/models/sse', sent.reply);
    let answer: () => void = () => undefined;
    server.reply(CHAT, async (socket, request) => {
      await new Promise<void>((resolve) => (answer = resolve));
      await stream([c('a'), finish(), DONE])(socket, request);
    });
    const seen = await ask(backend, {
      model: { name: 'a/b:q4', loadState: 'unloaded' },
      onEvent: (event: ChatEvent) => {
        if (event.type === 'loading' && event.progress === 0.5) sent.more(change({ status: 'loaded' }));
        if (event.type === 'loading' && event.progress === 0.5) answer();
      },
    });
    expect(seen.events.filter((event) => event.type === 'loading').slice(0, 2)).toEqual([
      { type: 'loading', progress: null, source: '/models' },
      { type: 'loading', progress: 0.25, source: '/models/sse' },
    ]);
    expect(seen.outcome).toBe('complete');
  });

  it('offers to fetch and to delete only when it tells what may be deleted', async () => {
    expect((await router('loaded')).info.features).toMatchObject({
      pull: true,
      delete: true,
      loadProgress: true,
    });
    expect((await router('loaded', { can_remove: undefined })).info.features).toMatchObject({
      load: true,
      pull: false,
      delete: false,
    });
  });

  it('case 26: deletes a model of its cache, and names the reason for the others', async () => {
    const backend = await router('unloaded');
    server.reply('DELETE /models', status(200, ''));
    await backend.delete?.(named(backend), signal);
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', target: '/models?model=a%2Fb%3Aq4' });
    server.reply('/v1/models', list('unloaded', { can_remove: false }));
    await expect(backend.delete?.(named(backend), signal)).rejects.toMatchObject({
      fault: { code: 'unsupported' },
    });
    expect(server.seen('/models')).toHaveLength(1);
  });

  const file = (done: number) => ({
    model: 'u/r:q8',
    event: 'download_progress',
    data: {
      'https://h/u/r/m.gguf?x=1': { done, total: 100 },
      'https://h/u/r/mmproj.gguf': { done: 5, total: 10 },
    },
  });
  async function pulling(
    backend: Backend,
    stop = signal,
    onProgress?: (p: PullProgress) => void,
  ): Promise<PullProgress[]> {
    const seen: PullProgress[] = [];
    for await (const progress of backend.pull?.('u/r:q8', stop) ?? []) {
      seen.push(progress);
      onProgress?.(progress);
    }
    return seen;
  }

  it('case 85: fetches a model, told by its events, file by file', async () => {
    const backend = await router('loaded');
    const sent = events({ model: 'x', event: 'download_failed', data: {} }, file(40));
    server.reply('/models/sse', sent.reply).reply('POST /models', json({ success: true }));
    const seen = await pulling(backend, signal, ({ phase }) => {
      if (phase === 'downloading') sent.more({ model: 'u/r:q8', event: 'download_finished' });
    });
    expect(seen.map(({ phase }) => phase)).toEqual(['preparing', 'downloading', 'done']);
    expect(seen[1]).toMatchObject({
      completedBytes: 45,
      totalBytes: 110,
      layers: [{ id: 'm.gguf', completedBytes: 40 }, { id: 'mmproj.gguf' }],
    });
    expect(server.seen('/models/unload')).toHaveLength(0);
  });

  it('case 86: a download that fails, is refused, or whose events end', async () => {
    const backend = await router('loaded');
    server.reply('POST /models', json({ success: true })).reply('/models/unload', json({ success: true }));
    server.reply(
      '/models/sse',
      events({ model: 'u/r:q8', event: 'download_failed', data: { message: 'no such repo' } }).reply,
    );
    await expect(pulling(backend)).rejects.toThrow('The download failed: no such repo.');
    server.reply('/models/sse', stream([sse(file(1))]));
    await expect(pulling(backend)).rejects.toMatchObject({ fault: { code: 'broken' } });
    server.reply('/models/sse', events().reply);
    server.reply(
      'POST /models',
      json({ error: { code: 400, message: 'model validation failed, unable to download' } }, 400),
    );
    await expect(pulling(backend)).rejects.toThrow('model validation failed');
  });

  it('a cancel orders the end of the download, which goes on by itself otherwise', async () => {
    const backend = await router('loaded');
    server.reply('POST /models', json({ success: true })).reply('/models/unload', json({ success: true }));
    server.reply('/models/sse', events(file(1)).reply);
    const stop = new AbortController();
    await expect(
      pulling(backend, stop.signal, ({ phase }) => phase === 'downloading' && stop.abort()),
    ).rejects.toThrow('The request was cancelled.');
    expect(server.seen('/models/unload').map(({ body }) => body)).toEqual(['{"model":"u/r:q8"}']);
  });

  it('a server with one model says why it fetches and deletes nothing', async () => {
    const backend = llama();
    const unsupported = { fault: { code: 'unsupported' } };
    await expect(pulling(backend)).rejects.toMatchObject(unsupported);
    await expect(backend.delete?.(named(backend), signal)).rejects.toMatchObject(unsupported);
    expect(server.requests).toEqual([]);
  });

  it('keeps the limit of a load', async () => {
    const limits = { ...defaultLimits(server.url), loadMs: 1 };
    const backend = backendAt('llama.cpp', server.url, { ports: { ...REAL_PORTS, limits } });
    open.push(backend);
    server.reply('/v1/models', list('loading')).reply('/models/load', json({ success: true }));
    server.reply('/models/sse', status(404, ''));
    await backend.models(signal);
    await expect(backend.load?.(named(backend), LOAD, signal)).rejects.toMatchObject({
      fault: { code: 'timeout' },
    });
  });
});
