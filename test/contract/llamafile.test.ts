import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import { RawServer, json, status, stream } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { DONE, LOAD, REAL_PORTS, ask, backendAt, c, finish, modelOf, sse } from './answers.js';

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  backend = backendAt('llamafile', server.url);
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';
const LLAMA = { Server: 'llama.cpp' };
const V2 = { Server: 'llamafile/0.9.3' };
const list = (id: string, owner = 'llamacpp') => ({ object: 'list', data: [{ id, owned_by: owner }] });
const OLD_PROPS = {
  user_name: 'User',
  assistant_name: 'Assistant',
  default_generation_settings: { n_ctx: 2048 },
  total_slots: 1,
};
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);

describe('llamafile: which of its servers', () => {
  it('case 42: 0.9 is known by what it tells of itself, and by its words while it loads', async () => {
    server
      .reply('/v1/models', json(list('LLaMA_CPP'), 200, LLAMA))
      .reply('/props', json(OLD_PROPS, 200, LLAMA));
    expect(await who()).toBe('llamafile');
    server.reply('/v1/models', json({ status: 'loading model' }, 503, LLAMA));
    expect(await who()).toBe('llamafile');
  });

  it('case 42: llamafiler is known by its header, and through a proxy by the owner of its model', async () => {
    server.reply('/v1/models', json(list('m', 'llamafile'), 200, V2));
    expect(await who()).toBe('llamafile');
    server.reply('/v1/models', json(list('m', 'llamafile')));
    expect(await who()).toBe('llamafile');
    expect(server.seen('/props')).toEqual([]);
  });

  it('case 42: 0.10 is known by the name of its file alone', async () => {
    server.reply('/v1/models', json(list('/home/u/Qwen3-0.6B-Q8_0.llamafile'), 200, LLAMA));
    expect(await who()).toBe('llamafile');
    server.reply('/v1/models', json(list('qwen'), 200, LLAMA));
    server.reply(
      '/props',
      json({ build_info: 'b9000-abc', model_path: '/home/u/Qwen3.LLAMAFILE' }, 200, LLAMA),
    );
    expect(await who()).toBe('llamafile');
  });

  it('case 42: llama.cpp stays llama.cpp, whatever it answers', async () => {
    server.reply('/v1/models', recorded('llama.cpp/models')).reply('/props', recorded('llama.cpp/props'));
    expect(await who()).toBe('llama.cpp');
    server.reply('/props', status(404, '', LLAMA));
    expect(await who()).toBe('llama.cpp');
    server.reply('/v1/models', recorded('llama.cpp/health-loading'));
    expect(await who()).toBe('llama.cpp');
    server.reply('/v1/models', recorded('llama.cpp/unauthorized'));
    expect(await who()).toBe('llama.cpp');
    server
      .reply('/v1/models', recorded('llama.cpp/router-v1-models'))
      .reply('/props', recorded('llama.cpp/router-props'));
    expect(await who()).toBe('llama.cpp');
  });
});

describe('llamafile 0.9', () => {
  beforeEach(() => {
    server
      .reply('/v1/models', json(list('LLaMA_CPP'), 200, LLAMA))
      .reply('/props', json(OLD_PROPS, 200, LLAMA));
    server.reply('/slots', json([{ state: 1 }, { state: 0 }])).reply('/metrics', status(501, ''));
  });

  it('tells its context and its slots, and offers what it has', async () => {
    expect(await backend.check(signal)).toMatchObject({
      status: { state: 'ready' },
      processing: 1,
      queued: 0,
    });
    expect(await backend.models(signal)).toMatchObject([
      { name: 'LLaMA_CPP', contextAllocated: 2048, loadState: 'loaded', backendId: backend.info.id },
    ]);
    expect(backend.info).toMatchObject({
      kind: 'llamafile',
      title: 'llamafile',
      features: { promptProgress: false, prefill: false, load: false, pull: false },
    });
    expect(await backend.activity?.(modelOf(backend), signal)).toEqual({ working: 1, source: '/slots' });
    await expect(backend.load?.(modelOf(backend), LOAD, signal)).rejects.toThrow(
      /This llamafile server holds one model/,
    );
  });

  it('case 49: a new id on every chunk and no [DONE] are one whole answer', async () => {
    const chunk = (id: string, delta: object, reason: string | null = null) =>
      sse({ id, created: 1, model: 'LLaMA_CPP', choices: [{ index: 0, delta, finish_reason: reason }] });
    server.reply(
      CHAT,
      stream([
        chunk('chatcmpl-a', { role: 'assistant' }),
        chunk('chatcmpl-b', { content: 'one' }),
        chunk('chatcmpl-c', { content: ' two' }),
        chunk('chatcmpl-d', {}, 'stop'),
      ]),
    );
    expect(await ask(backend)).toMatchObject({
      text: 'one two',
      outcome: 'complete',
      reason: 'stop',
      usage: {},
    });
  });

  it('case 58: an error as a bare line in mid-answer is told', async () => {
    server.reply(CHAT, stream([c('a'), 'error: {"code":500,"message":"slot unavailable"}\n\n']));
    expect(await ask(backend)).toMatchObject({
      text: 'a',
      outcome: 'failed',
      fault: { message: 'slot unavailable.' },
    });
  });

  it('case 34: is loading while it says so', async () => {
    const loading = json({ status: 'loading model' }, 503, LLAMA);
    server.reply('/v1/models', loading).reply('/props', loading).reply('/health', loading);
    expect((await backend.check(signal)).status.state).toBe('loading');
  });
});

describe('llamafiler', () => {
  beforeEach(() => {
    server.reply('/v1/models', json(list('m', 'llamafile'), 200, V2));
  });

  it('tells its version, and asks for nothing that it does not have', async () => {
    expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, version: '0.9.3' });
    expect(await backend.models(signal)).toMatchObject([{ name: 'm', label: 'm', contextAllocated: null }]);
    expect(backend.info.features).toMatchObject({ promptProgress: true, queue: false, contextSize: false });
    const model = modelOf(backend);
    expect(await backend.activity?.(model, signal)).toMatchObject({ working: null });
    expect(await backend.countTokens?.(model, [], signal)).toBeNull();
    expect(await backend.details?.(model, signal)).toMatchObject({ template: null, facts: [] });
    expect(new Set(server.requests.map(({ target }) => target))).toEqual(new Set(['/v1/models']));
  });

  it('case 46: tells how far the prompt is as a share, which is no text', async () => {
    const chunk = (more: object, content = '') =>
      sse({ choices: [{ index: 0, delta: { role: 'assistant', content } }], usage: null, ...more });
    const last = {
      choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 2 },
    };
    server.reply(
      CHAT,
      stream([
        chunk({ x_prefill_progress: 0.25 }),
        chunk({ x_prefill_progress: 7 }),
        chunk({ x_prefill_progress: null }, 'a'),
        sse(last),
        DONE,
      ]),
    );
    const seen = await ask(backend);
    expect(seen.events.filter((event) => event.type === 'prefill')).toEqual(
      [0.25, 1].map((share) => ({
        type: 'prefill',
        progress: { processed: 0, total: 0, cached: 0, share },
        source: 'x_prefill_progress',
      })),
    );
    expect(seen).toMatchObject({
      text: 'a',
      outcome: 'complete',
      usage: { promptTokens: 9, answerTokens: 2 },
    });
    expect(Object.keys(JSON.parse(server.seen(CHAT)[0]?.body ?? '') as object)).toEqual([
      'model',
      'messages',
      'stream',
      'stream_options',
    ]);
  });

  it('case 37: a message that is too long is a full context', async () => {
    server.reply(
      CHAT,
      status(400, 'out_of_context_due_to_long_message\r\n', { 'Content-Type': 'text/plain' }),
    );
    expect((await ask(backend)).fault?.code).toBe('context-full');
  });
});

describe('llamafile 0.10', () => {
  it('is llama.cpp with another name', async () => {
    const id = '/home/u/Qwen3-0.6B-Q8_0.llamafile';
    server.reply('/v1/models', json(list(id), 200, LLAMA));
    server.reply('/props', json({ build_info: 'b9000-abc', model_path: id, is_sleeping: true }, 200, LLAMA));
    expect(await backend.check(signal)).toMatchObject({ version: 'b9000', processing: 0 });
    expect(await backend.models(signal)).toMatchObject([
      { name: id, label: 'Qwen3-0.6B-Q8_0', loadState: 'unloaded' },
    ]);
    expect(backend.info.features).toMatchObject({ prefill: true, promptProgress: true });
    server.reply(CHAT, stream([c('a'), finish(), DONE]));
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'complete' });
    expect(server.seen(CHAT)[0]?.body).toContain('return_progress');
  });

  it('is told apart anew when it was away', async () => {
    server.reply('/v1/models', json(list('m', 'llamafile'), 200, V2));
    await backend.check(signal);
    expect(backend.info.features.queue).toBe(false);
    server.reply('/v1/models', json({}, 500));
    expect((await backend.check(signal)).status.state).toBe('away');
    server
      .reply('/v1/models', json(list('m'), 200, LLAMA))
      .reply('/props', json({ build_info: 'b1' }, 200, LLAMA));
    await backend.check(signal);
    expect(backend.info.features.queue).toBe(true);
  });
});
