import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import { RawServer, head, json, status, stream, write } from '../support/raw-server.js';
import { DONE, REAL_PORTS, type Seen, ask, backendAt, c, finish, modelOf, sse } from './answers.js';

const CHAT = '/v1/chat/completions';
const BASE = {
  id: 'Qwen/Qwen3-8B',
  object: 'model',
  owned_by: 'vllm',
  root: '/models/qwen',
  parent: null,
  max_model_len: 8192,
};
const ADAPTER = { id: 'sql', object: 'model', owned_by: 'vllm', root: '/loras/sql', parent: BASE.id };
const LIST = { object: 'list', data: [BASE, ADAPTER] };

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  server.reply('/health', status(200, '')).reply('/v1/models', json(LIST));
  backend = backendAt('vllm', server.url);
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);
const sent = (place = 0): Record<string, unknown> =>
  JSON.parse(server.seen(CHAT)[place]?.body ?? '{}') as Record<string, unknown>;

async function refused(code: number, body: unknown): Promise<Seen['fault']> {
  server.reply(CHAT, typeof body === 'string' ? status(code, body) : json(body, code));
  return (await ask(backend)).fault;
}

describe('vLLM', () => {
  it('is known by its name, by its length of context, and by its way to refuse a key', async () => {
    expect(await who()).toBe('vllm');
    server.reply('/v1/models', json({ data: [{ id: 'x', owned_by: 'me', max_model_len: 10 }] }));
    expect(await who()).toBe('vllm');
    server.reply('/v1/models', json({ data: [{ id: 'x', owned_by: 'sglang', max_model_len: 10 }] }));
    expect(await who()).toBe('openai');
    server.reply('/v1/models', json({ error: 'Unauthorized' }, 401));
    expect(await who()).toBe('vllm');
  });

  it('case 26: an empty 200 of /health is good, and what tells the version is asked once', async () => {
    server.reply('/version', json({ version: '0.11.2' }));
    for (let round = 0; round < 3; round += 1)
      expect(await backend.check(signal)).toEqual({
        status: { state: 'ready' },
        version: '0.11.2',
        processing: null,
        queued: null,
      });
    const asked = ['/health', '/v1/models', '/version', '/metrics'].map((path) => server.seen(path).length);
    expect(asked).toEqual([3, 1, 1, 1]);
    expect(backend.info.features).toMatchObject({ queue: false, metrics: false });
  });

  it('case 30: a wrong key is found although /health wants none', async () => {
    server.reply('/v1/models', json({ error: 'Unauthorized' }, 401));
    expect((await backend.check(signal)).status).toMatchObject({
      state: 'away',
      fault: { code: 'unauthorized', message: 'The key for vLLM is missing or wrong.' },
    });
    server.reply('/v1/models', json(LIST));
    expect((await backend.check(signal)).status.state).toBe('ready');
  });

  it('case 32: metrics that fail are no dead server, and are told as not told', async () => {
    server.reply('/metrics', status(500, 'x')).reply('/version', status(500, 'x'));
    expect(await backend.check(signal)).toEqual({
      status: { state: 'ready' },
      version: null,
      processing: null,
      queued: null,
    });
  });

  it('a dead engine is not a busy server', async () => {
    server.reply('/health', status(503, ''));
    expect((await backend.check(signal)).status).toMatchObject({
      state: 'away',
      fault: { code: 'server-error', message: 'The engine of vLLM is dead: only its front answers.' },
    });
  });

  it('tells the context that it was started with, and not a maximum that it does not know', async () => {
    expect(await backend.models(signal)).toMatchObject([
      { name: BASE.id, contextAllocated: 8192, contextMax: null, loadState: 'loaded', family: null },
      { name: 'sql', contextAllocated: 8192, contextMax: null, family: `LoRA of ${BASE.id}` },
    ]);
    const details = await backend.details?.(modelOf(backend, { name: 'sql' }), signal);
    expect(details?.facts).toEqual([
      ['adapter of', BASE.id],
      ['weights at', '/loras/sql'],
    ]);
  });

  it('the requests of an adapter are those of its base model', async () => {
    await backend.models(signal);
    server.reply(
      '/metrics',
      status(
        200,
        `vllm:num_requests_running{model_name="${BASE.id}"} 2\nvllm:num_requests_running{model_name="x"} 5`,
      ),
    );
    const working = async (name: string): Promise<number | null | undefined> =>
      (await backend.activity?.(modelOf(backend, { name }), signal))?.working;
    expect(await working('sql')).toBe(2);
    expect(await working(BASE.id)).toBe(2);
    expect(await working('unknown')).toBe(7);
    server.reply('/metrics', status(404, ''));
    expect(await working('sql')).toBeNull();
  });

  it('case 83: an engine that sleeps is seen as such, and nothing that is asked wakes it', async () => {
    server.reply(
      '/metrics',
      status(
        200,
        'vllm:engine_sleep_state{sleep_state="awake"} 0\nvllm:engine_sleep_state{sleep_state="weights_offloaded"} 1\nvllm:num_requests_running 0',
      ),
    );
    await backend.check(signal);
    expect(await backend.models(signal)).toMatchObject([
      { loadState: 'unloaded' },
      { loadState: 'unloaded' },
    ]);
    await backend.activity?.(modelOf(backend), signal);
    await backend.details?.(modelOf(backend), signal);
    expect(new Set(server.requests.map(({ method, target }) => `${method} ${target}`))).toEqual(
      new Set(['GET /health', 'GET /v1/models', 'GET /version', 'GET /metrics']),
    );
  });

  it('case 47: running counts are live, the last one counts, and a burst of text stays one piece', async () => {
    const chunk = (text: string, tokens: number): string =>
      sse({
        choices: [{ index: 0, delta: { content: text } }],
        usage: { prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens },
      });
    server.reply(
      CHAT,
      stream([
        sse({
          choices: [{ index: 0, delta: { role: 'assistant', content: '' } }],
          usage: { prompt_tokens: 9, completion_tokens: 0 },
        }),
        chunk('a', 1) + chunk('b', 2) + chunk('c', 5),
        finish(),
        sse({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 6 } }),
        DONE,
      ]),
    );
    const seen = await ask(backend);
    expect(seen).toMatchObject({
      text: 'abc',
      outcome: 'complete',
      usage: { promptTokens: 9, answerTokens: 6 },
    });
    const counts = seen.events.flatMap((event) =>
      event.type === 'usage' ? [[event.usage.answerTokens, event.source]] : [],
    );
    expect(counts.at(-1)).toEqual([6, 'usage']);
    expect(counts.map(([tokens]) => tokens)).not.toContain(0);
    expect(seen.events.filter((event) => event.type === 'text')).toHaveLength(1);
    expect(sent()['stream_options']).toEqual({ include_usage: true, continuous_usage_stats: true });
  });

  it('case 51: thinking comes under either name', async () => {
    const delta = (fields: object): string => sse({ choices: [{ index: 0, delta: fields }] });
    server.reply(
      CHAT,
      stream([delta({ reasoning: 'why ' }), delta({ reasoning_content: 'not' }), c('yes'), finish(), DONE]),
    );
    expect(await ask(backend)).toMatchObject({ thinking: 'why not', text: 'yes' });
  });

  it('case 50: its own words for an end are told: stop_reason, and reasons that nobody else has', async () => {
    const end = (fields: object): string => sse({ choices: [{ index: 0, delta: {}, ...fields }] });
    server.reply(CHAT, stream([c('a'), end({ finish_reason: 'stop', stop_reason: '###' }), DONE]));
    expect(await ask(backend)).toMatchObject({ reason: 'stop', notes: ['Stopped at the text "###".'] });
    server.reply(CHAT, stream([c('a'), end({ finish_reason: 'stop', stop_reason: 151645 }), DONE]));
    expect((await ask(backend)).notes).toEqual([]);
    server.reply(CHAT, stream([c('a'), end({ finish_reason: 'abort' }), DONE]));
    expect(await ask(backend)).toMatchObject({ outcome: 'complete', reason: 'abort' });
  });

  it('case 57: an error in mid-answer is one, also when [DONE] follows', async () => {
    const error = { message: 'm', type: 'InternalServerError', code: 500 };
    for (const body of [{ error }, { object: 'error', ...error }]) {
      server.reply(CHAT, stream([c('a'), sse(body), DONE]));
      expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'failed', fault: { message: 'm.' } });
    }
  });

  it('case 31: an unknown model is told from an unknown path', async () => {
    const words = { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 };
    for (const body of [{ error: words }, { object: 'error', ...words }])
      expect(await refused(404, body)).toMatchObject({
        code: 'unknown-model',
        hint: 'Choose another model: vLLM serves only those that it was started with.',
      });
    expect((await refused(404, { detail: 'Not Found' }))?.code).toBe('unknown-endpoint');
  });

  it('case 36: an error without words names where the log is', async () => {
    expect(await refused(500, '')).toMatchObject({
      message: 'vLLM failed with status 500 and told no reason.',
      hint: 'Look into the log of vLLM: its terminal (standard output).',
    });
  });

  it('case 37: a full context in each of its wordings has its figures and its own next step', async () => {
    const old =
      "This model's maximum context length is 4096 tokens. However, you requested 9100 tokens (9000 in the messages, 100 in the completion). Please reduce the length of the messages or completion.";
    const newer =
      "You passed 9000 input tokens and requested 0 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 4096 tokens. Please reduce the length of the input prompt.";
    for (const body of [
      { object: 'error', message: old, type: 'BadRequestError', param: null, code: 400 },
      { error: { message: newer, type: 'BadRequestError', param: 'input_tokens', code: 400 } },
    ]) {
      expect(await refused(400, body)).toMatchObject({
        code: 'context-full',
        promptTokens: 9000,
        contextTokens: 4096,
        hint: 'Shorten the message, start a new chat, or start vLLM with a larger --max-model-len.',
      });
    }
  });

  it('case 77: a model that refused to chat is marked from then on', async () => {
    expect((await backend.models(signal))[0]?.chat).toBe(true);
    server.reply(
      CHAT,
      json({ error: { message: 'The model does not support Chat Completions API', code: 400 } }, 400),
    );
    const seen = await ask(backend, { model: { name: BASE.id } });
    expect(seen.fault?.code).toBe('unsupported');
    expect((await backend.models(signal)).map(({ chat }) => chat)).toEqual([false, true]);
  });

  it('case 44: a field that it refuses is left out, and from then on at once', async () => {
    server.reply(
      CHAT,
      json({ error: { message: "Unknown field 'stream_options'", code: 400 } }, 400),
      stream([c('a'), finish(), DONE]),
    );
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'complete' });
    await ask(backend);
    expect(server.seen(CHAT).map((_, place) => 'stream_options' in sent(place))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('goes on with an answer that was cut off', async () => {
    server.reply(CHAT, stream([c('b'), finish(), DONE]));
    const request = {
      model: modelOf(backend),
      messages: [
        { role: 'user' as const, content: 'q' },
        { role: 'assistant' as const, content: 'a' },
      ],
      keepAlive: '',
      firstByteTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      continues: true,
    };
    for await (const event of backend.chat(request, signal)) void event;
    expect(sent()).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    server.reply(CHAT, stream([c('b'), finish(), DONE]));
    await ask(backend);
    expect(sent(1)).not.toHaveProperty('continue_final_message');
  });

  it('counts tokens with the tokenizer of the model, and stops asking where there is none', async () => {
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const counted = (): Promise<number | null> | undefined =>
      backend.countTokens?.(modelOf(backend), messages, signal);
    server.reply('/tokenize', json({ count: 12, max_model_len: 8192, tokens: [1, 2] }));
    expect(await counted()).toBe(12);
    expect(JSON.parse(server.seen('/tokenize')[0]?.body ?? '')).toEqual({ model: 'm', messages });
    server.reply('/tokenize', status(404, ''));
    expect(await counted()).toBeNull();
    expect(await counted()).toBeNull();
    expect(server.seen('/tokenize')).toHaveLength(2);
  });

  it('case 72: a request that waits for others is told as queued, then as being read, although its head came at once', async () => {
    const line = (waiting: number): string =>
      `vllm:num_requests_running{model_name="m"} 4\nvllm:num_requests_waiting{model_name="m"} ${waiting}\n`;
    let release = (): void => undefined;
    const read = new Promise<void>((resolve) => (release = resolve));
    server.reply('/metrics', status(200, line(2)), status(200, line(1)), (socket, request) => {
      void status(200, line(0))(socket, request);
      setTimeout(release, 20);
    });
    server.reply(CHAT, async (socket) => {
      await write(socket, head(200, { 'Content-Type': 'text/event-stream', Connection: 'close' }));
      await read;
      socket.end(c('a') + finish() + DONE);
    });
    const ports = {
      now: () => 0,
      monotonic: () => performance.now(),
      after: (delayMs: number, run: () => void) => {
        const timer = setTimeout(run, Math.min(delayMs, delayMs > 1000 ? delayMs : 5));
        return () => clearTimeout(timer);
      },
    };
    const own = backendAt('vllm', server.url, { ports });
    const seen = await ask(own);
    own.close();
    expect(seen.events.slice(0, 3)).toEqual([
      { type: 'sent' },
      { type: 'queued', source: 'vllm:num_requests_waiting' },
      {
        type: 'prefill',
        progress: { processed: 0, total: 0, cached: 0 },
        source: 'vllm:num_requests_running',
      },
    ]);
    expect(seen).toMatchObject({ text: 'a', outcome: 'complete' });
  });
});
