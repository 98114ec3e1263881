import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend, ChatEvent, ChatRequest } from '../../src/backends/backend.js';
import { defaultLimits } from '../../src/domain/limits.js';
import type { Model } from '../../src/domain/model.js';
import { RawServer, hang, json, stream } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { LOAD, OLLAMA_DONE, REAL_PORTS, backendAt, modelOf, nd, o } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  backend = backendAt('ollama', server.url);
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const ps = (...models: object[]) => json({ models });
const sent = (path: string, count = 1): Record<string, unknown> =>
  JSON.parse(server.seen(path)[count - 1]?.body ?? '{}') as Record<string, unknown>;

/** Chats and gives all events. */
async function chat(change: Partial<Model>, more: Partial<ChatRequest> = {}): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const request: ChatRequest = {
    model: modelOf(backend, change),
    messages: [{ role: 'user', content: 'hi' }],
    keepAlive: '',
    firstByteTimeoutMs: 0,
    idleTimeoutMs: 0,
    ...more,
  };
  for await (const event of backend.chat(request, signal)) events.push(event);
  return events;
}

const done = (figures: object, reason = 'stop'): string =>
  nd({ model: 'm', message: { content: '' }, done: true, done_reason: reason, ...figures });
const answer = (...lines: string[]) => stream([o('a'), ...lines], { type: 'application/x-ndjson' });

describe('Ollama', () => {
  it('tells the details of a model, as recorded', async () => {
    server.reply('/api/show', recorded('ollama/show'));
    const details = await backend.details?.(modelOf(backend, { name: 'smollm2' }), signal);
    expect(sent('/api/show')).toEqual({ model: 'smollm2' });
    expect(details).toMatchObject({
      license: null,
      system: null,
      parameters: [
        ['num_ctx', '2048'],
        ['stop', '<|im_start|>'],
        ['stop', '<|im_end|>'],
      ],
    });
    expect(details?.template).toMatch(/^\{\{- range \.Messages \}\}/);
    expect(new Map(details?.facts)).toEqual(
      new Map([
        ['architecture', 'llama'],
        ['weights', '134515008'],
        ['layers', '30'],
        ['embedding', '576'],
        ['heads', '9'],
        ['heads of keys and values', '3'],
        ['vocabulary', '49152'],
        ['format', 'gguf'],
        ['organisation', 'HuggingFaceTB'],
        ['licence', 'apache-2.0'],
      ]),
    );
  });

  it('details of any size and shape are cut and made safe', async () => {
    server.reply(
      '/api/show',
      json({
        license: ['x'.repeat(300_000), 'y'],
        template: 'a\x1b[2Jb\r\nc',
        system: 7,
        parameters: { a: 1 },
        modified_at: 'yesterday',
        model_info: { 'general.architecture': '__proto__' },
        details: null,
      }),
    );
    const details = await backend.details?.(modelOf(backend), signal);
    expect(details).toMatchObject({ template: 'ab\nc', system: null, parameters: [], modifiedAt: null });
    expect(details?.license?.length).toBeLessThan(70_000);
    expect(details?.facts).toEqual([['architecture', '__proto__']]);
  });

  it('loads with a context, and pins', async () => {
    server.reply('/api/chat', json({ done: true, done_reason: 'load' }));
    const told: unknown[] = [];
    const onProgress = (...figures: unknown[]): void => void told.push(figures);
    await backend.load?.(modelOf(backend), { keepAlive: '-1', contextTokens: 8192, onProgress }, signal);
    expect(sent('/api/chat')).toEqual({
      model: 'm',
      messages: [],
      stream: false,
      keep_alive: -1,
      options: { num_ctx: 8192 },
    });
    expect(told).toEqual([[null, '/api/ps']]);
  });

  it('asks for a context only when one is chosen, and never takes a pin away', async () => {
    server.reply('/api/chat', answer(OLLAMA_DONE));
    server.reply('/api/ps', ps({ name: 'm' }), ps({ name: 'm', expires_at: '2318-01-01T00:00:00Z' }));
    await chat({}, { keepAlive: '5m' });
    expect(sent('/api/chat')).not.toHaveProperty('options');
    expect(sent('/api/chat')).toMatchObject({ keep_alive: '5m', truncate: false, shift: false });
    await chat({}, { keepAlive: '5m', contextTokens: 4096 });
    expect(sent('/api/chat', 2)).toMatchObject({ options: { num_ctx: 4096 } });
    expect(sent('/api/chat', 2)).not.toHaveProperty('keep_alive');
  });

  it('goes on with the message of the assistant that stands last', async () => {
    server.reply('/api/ps', ps({ name: 'm' })).reply('/api/chat', answer(OLLAMA_DONE));
    const messages = [
      { role: 'user', content: 'count' },
      { role: 'assistant', content: 'one, ' },
    ] as const;
    await chat({}, { messages, continues: true });
    expect(backend.info.features.prefill).toBe(true);
    expect(sent('/api/chat')['messages']).toEqual(messages);
  });

  it('tells loading until the model is listed, then that it reads the prompt', async () => {
    const clock = new SteeredClock();
    backend = backendAt('ollama', server.url, { ports: clock });
    server.reply('/api/chat', hang);
    server.reply('/api/ps', ps(), ps(), ps({ name: 'm:latest', expires_at: '0001-01-01T00:00:00Z' }));
    const stop = new AbortController();
    const events: ChatEvent[] = [];
    const request = {
      model: modelOf(backend),
      messages: [],
      keepAlive: '',
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
    };
    const asked = (async () => {
      for await (const event of backend.chat(request, stop.signal)) {
        events.push(event);
        if (event.type === 'prefill') stop.abort();
      }
    })();
    for (let look = 2; look <= 3; look += 1) {
      await server.waitFor('/api/chat');
      await settle();
      clock.advance(500);
      await server.waitFor('/api/ps', look);
      await settle();
    }
    await asked;
    expect(events).toMatchObject([
      { type: 'sent' },
      { type: 'loading', progress: null, source: '/api/ps' },
      { type: 'prefill', progress: { total: 0 }, source: '/api/ps' },
      { type: 'ended', outcome: 'cancelled' },
    ]);
  });

  it('another context than that of the loaded model is a load', async () => {
    server.reply('/api/chat', answer(OLLAMA_DONE));
    server.reply('/api/ps', ps({ name: 'm', context_length: 4096 }));
    const types = async (contextTokens: number, contextMax: number | null = null): Promise<string[]> =>
      (await chat({ contextMax }, { contextTokens })).map((event) => event.type);
    expect(await types(8192)).toContain('loading');
    expect(await types(4096)).not.toContain('loading');
    // The server gives no more than the model can hold.
    expect(await types(8192, 4096)).not.toContain('loading');
  });

  it('each figure names its source', async () => {
    server.reply('/api/ps', ps({ name: 'm' }));
    server.reply(
      '/api/chat',
      answer(done({ eval_count: 100, eval_duration: 2e9, prompt_eval_count: 50, load_duration: 3e9 })),
    );
    const sources = (await chat({})).flatMap((event) =>
      event.type === 'usage' ? [[Object.keys(event.usage)[0], event.source]] : [],
    );
    expect(new Map(sources as [string, string][])).toEqual(
      new Map([
        ['promptTokens', 'prompt_eval_count of /api/chat'],
        ['answerTokens', 'eval_count of /api/chat'],
        ['loadMs', 'load_duration of /api/chat'],
        ['answerMs', 'eval_duration of /api/chat'],
        ['answerPerSecond', 'eval_count / eval_duration of /api/chat'],
      ]),
    );
  });

  it('tells by the figures what a server cut that knows no `truncate`', async () => {
    const truncation = async (figures: object, chars: number, context = 2048) => {
      server.reply('/api/ps', ps({ name: 'm', context_length: context }));
      server.reply('/api/chat', answer(done(figures)));
      const messages = [{ role: 'user' as const, content: 'x'.repeat(chars) }];
      return (await chat({}, { messages })).find((event) => event.type === 'truncated');
    };
    expect(await truncation({ prompt_eval_count: 1026, eval_count: 5 }, 20_000)).toEqual({
      type: 'truncated',
      truncation: { messages: null, tokens: null, source: 'prompt_eval_count is num_ctx/2 + 2' },
    });
    // As long as that by chance: so short a message was not cut.
    expect(await truncation({ prompt_eval_count: 1026, eval_count: 5 }, 1500)).toBeUndefined();
    expect(await truncation({ prompt_eval_count: 1027, eval_count: 5 }, 20_000)).toBeUndefined();
    expect(await truncation({ prompt_eval_count: 22, eval_count: 352 }, 80, 256)).toMatchObject({
      truncation: { source: 'prompt_eval_count + eval_count is above num_ctx' },
    });
  });

  it('the recordings of a server that cuts are recognised, those of one that refuses are not', async () => {
    const messages = [{ role: 'user' as const, content: 'word '.repeat(5000) }];
    const seen = async (name: string, context: number): Promise<string[]> => {
      server.reply('/api/ps', ps({ name: 'm', context_length: context }));
      server.reply('/api/chat', recorded(`ollama/${name}`));
      return (await chat({}, { messages })).map((event) => event.type);
    };
    expect(await seen('chat-overlong-default', 2048)).toContain('truncated');
    expect(await seen('chat-overlong-truncate-false', 2048)).not.toContain('truncated');
    expect(await seen('chat-limit-default', 256)).toContain('truncated');
    expect(await seen('chat-limit-shift-false', 256)).not.toContain('truncated');
  });

  it('an answer that filled the context says so', async () => {
    server.reply('/api/ps', ps({ name: 'm', context_length: 256 }));
    server.reply('/api/chat', recorded('ollama/chat-limit-shift-false'));
    const notes = (await chat({})).flatMap((event) => (event.type === 'note' ? [event.text] : []));
    expect(notes).toContain('The context of 256 tokens is full.');
  });

  it('tells activity as far as `/api/ps` shows it', async () => {
    const activity = async (...models: object[]) => {
      server.reply('/api/ps', ps(...models));
      return (await backend.activity?.(modelOf(backend), signal))?.working;
    };
    expect(await activity()).toBe(0);
    expect(await activity({ name: 'm', expires_at: '0001-01-01T00:00:00Z' })).toBe(1);
    expect(await activity({ name: 'm', expires_at: '2026-11-23T20:00:00Z' })).toBeNull();
    server.reply('/api/ps', hang);
    backend.close();
    const limits = { ...defaultLimits(server.url), listMs: 30 };
    backend = backendAt('ollama', server.url, { ports: { ...REAL_PORTS, limits } });
    expect(await backend.activity?.(modelOf(backend), signal)).toEqual({ working: null, source: '/api/ps' });
  });

  it('keeps the limits that it was given', async () => {
    const limits = { ...defaultLimits(server.url), checkMs: 20, detailsMs: 20, loadMs: 20, unloadMs: 20 };
    backend = backendAt('ollama', server.url, { ports: { ...REAL_PORTS, limits } });
    server
      .reply('/api/version', hang)
      .reply('/api/show', hang)
      .reply('/api/chat', hang)
      .reply('/api/delete', hang);
    const model = modelOf(backend);
    expect((await backend.check(signal)).status.state).toBe('busy');
    const late = { fault: { code: 'timeout' } };
    await expect(backend.details?.(model, signal)).rejects.toMatchObject(late);
    await expect(backend.load?.(model, LOAD, signal)).rejects.toMatchObject(late);
    await expect(backend.unload?.(model, signal)).rejects.toMatchObject(late);
    await expect(backend.delete?.(model, signal)).rejects.toMatchObject(late);
  });
});
