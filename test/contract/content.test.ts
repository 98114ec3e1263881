import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RawServer, json, status, stream } from '../support/raw-server.js';
import { DONE, OLLAMA_DONE, type Seen, ask, backendAt, c, finish, modelOf, nd, o, sse } from './answers.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

const ROLE = { index: 0, delta: { role: 'assistant', content: null } };

async function openAi(...parts: string[]): Promise<Seen> {
  server.reply('/v1/chat/completions', stream(parts));
  return ask(backendAt('llama.cpp', server.url));
}

async function ollama(...parts: string[]): Promise<Seen> {
  server.reply('/api/ps', json({ models: [{ name: 'm:latest' }] }));
  server.reply('/api/chat', stream(parts, { type: 'application/x-ndjson' }));
  return ask(backendAt('ollama', server.url));
}

const delta = (fields: unknown): string => sse({ choices: [{ index: 0, delta: fields }] });
const typesOf = (seen: Seen): string[] => seen.events.map((event) => event.type);

describe('chunks and content', () => {
  it('case 45: deltas without text are no first token', async () => {
    const seen = await openAi(
      sse({ choices: [ROLE] }),
      c(''),
      delta({}),
      sse({ choices: [{ index: 0 }] }),
      c('a'),
      delta({}),
      finish(),
      DONE,
    );
    expect(typesOf(seen)).toEqual(['sent', 'text', 'ended']);
  });

  it('case 46: progress of the prompt is no text', async () => {
    const progress = (processed: number, total: number): string =>
      sse({ choices: [ROLE], prompt_progress: { total, cache: 1, processed, time_ms: 3 } });
    const seen = await openAi(progress(0, 0), progress(5, 10), progress(10, 10), c('a'), finish(), DONE);
    expect(typesOf(seen)).toEqual(['sent', 'prefill', 'prefill', 'prefill', 'text', 'ended']);
    expect(seen.events[2]).toEqual({
      type: 'prefill',
      progress: { processed: 5, total: 10, cached: 1 },
      source: 'prompt_progress',
    });
  });

  it('case 47: the last usage wins, wherever it stands', async () => {
    const usage = (tokens: number) => ({
      usage: { prompt_tokens: 3, completion_tokens: tokens, prompt_tokens_details: { cached_tokens: 2 } },
    });
    const told = { promptTokens: 3, answerTokens: 9, cachedTokens: 2 };
    const text = { choices: [{ index: 0, delta: { content: 'a' } }] };
    expect(
      (await openAi(sse({ ...text, usage: null }), finish(), sse({ choices: [], ...usage(9) }), DONE)).usage,
    ).toEqual(told);
    expect(
      (await openAi(c('a'), sse({ choices: [{ delta: {}, finish_reason: 'stop' }], ...usage(9) }), DONE))
        .usage,
    ).toEqual(told);
    expect(
      (await openAi(sse({ ...text, ...usage(1) }), sse({ ...text, ...usage(9) }), finish(), DONE)).usage,
    ).toEqual(told);
    expect((await openAi(c('a'), finish(), DONE)).usage).toEqual({});
  });

  it('case 48: timings give the speed, on the last chunk or on each', async () => {
    const timings = (n: number, tokenMs = 150) => ({
      cache_n: 4,
      prompt_n: 6,
      prompt_ms: 20,
      prompt_per_second: 300,
      predicted_n: n,
      predicted_ms: n * tokenMs,
      predicted_per_second: 6.6,
    });
    const last = await openAi(c('a'), finish(), sse({ choices: [], timings: timings(2) }), DONE);
    expect(last.usage).toMatchObject({
      promptTokens: 10,
      cachedTokens: 4,
      answerTokens: 2,
      answerPerSecond: 6.6,
      promptPerSecond: 300,
    });
    const answer = (tokenMs: number) =>
      openAi(
        ...[1, 2, 3].map((n) =>
          sse({ choices: [{ delta: { content: 'a' } }], timings: timings(n, tokenMs) }),
        ),
        finish(),
        DONE,
      );
    const each = await answer(150);
    expect(typesOf(each).filter((type) => type === 'usage')).toHaveLength(3);
    expect(each.usage.answerTokens).toBe(3);
    // Quicker than anybody looks: not all are told, but the last ones are.
    const quick = await answer(20);
    expect(typesOf(quick).filter((type) => type === 'usage')).toHaveLength(1);
    expect(quick.usage.answerTokens).toBe(3);
  });

  it('tells once how the server numbers the request, as its log would name it', async () => {
    const chunk = (id: unknown): string => sse({ id, choices: [{ delta: { content: 'a' } }] });
    const ids = async (id: unknown): Promise<unknown> =>
      (await openAi(chunk(id), chunk(id), finish(), DONE)).events.filter(({ type }) => type === 'request');
    expect(await ids('chatcmpl-a269c1d1')).toEqual([{ type: 'request', id: 'chatcmpl-a269c1d1' }]);
    // In its log vLLM puts another number behind; of an id with dashes the beginning tells it apart.
    expect(await ids('chatcmpl-7a1b2c3d-4e5f')).toEqual([{ type: 'request', id: 'chatcmpl-7a1b2c3d' }]);
    for (const other of ['gen-1', 7, null, 'chatcmpl-\u001b[2J']) expect(await ids(other)).toEqual([]);
  });

  it('case 49: an answering model of another name is told once', async () => {
    const chunk = (id: number): string =>
      sse({ id: `x${id}`, created: id, model: 'other', choices: [{ delta: { content: 'a' } }] });
    const seen = await openAi(chunk(1), chunk(2), finish(), DONE);
    expect(seen.text).toBe('aa');
    expect(seen.events.filter((event) => event.type === 'answering-model')).toEqual([
      { type: 'answering-model', name: 'other' },
    ]);
  });

  it('case 50: only the first choice is shown, and every word for the end counts', async () => {
    const two = sse({
      choices: [
        { index: 1, delta: { content: 'B' } },
        { index: 0, delta: { content: 'A' } },
      ],
    });
    const other = sse({ choices: [{ index: 1, delta: { content: 'B' } }] });
    expect((await openAi(two, other, finish(), DONE)).text).toBe('A');
    const length = await openAi(c('a'), finish('length'), DONE);
    expect(length).toMatchObject({ outcome: 'complete', reason: 'length', notes: [] });
    for (const word of ['content_filter', 'abort', 'eos_token']) {
      expect(await openAi(c('a'), finish(word), DONE)).toMatchObject({ outcome: 'complete', reason: word });
    }
  });

  it('case 51: thinking has two names and is shown once', async () => {
    for (const fields of [
      { reasoning_content: 'why' },
      { reasoning: 'why' },
      { reasoning: 'why', reasoning_content: 'why' },
    ]) {
      expect(await openAi(delta(fields), c('yes'), finish(), DONE)).toMatchObject({
        thinking: 'why',
        text: 'yes',
      });
    }
    expect(
      await openAi(delta({ reasoning: { a: 1 } }), delta({ reasoning: ['x'] }), c('yes'), finish(), DONE),
    ).toMatchObject({ thinking: '', text: 'yes' });
  });

  it('case 52: thinking and content of one line come in this order', async () => {
    const seen = await ollama(nd({ message: { thinking: 'why', content: 'yes' }, done: false }), OLLAMA_DONE);
    expect(typesOf(seen)).toEqual(['sent', 'reasoning', 'text', 'ended']);
  });

  it('case 53: thinking inside the text is taken out, but not in mid-answer', async () => {
    expect(await openAi(c('<th'), c('ink>why'), c('</thi'), c('nk>\n\nyes'), finish(), DONE)).toMatchObject({
      thinking: 'why',
      text: 'yes',
    });
    expect(await openAi(c('why</think>yes'), finish(), DONE)).toMatchObject({ thinking: 'why', text: 'yes' });
    const fence = 'See:\n```\n<think>x</think>\n```';
    expect((await openAi(c('See:\n```\n<think>x'), c('</think>\n```'), finish(), DONE)).text).toBe(fence);
    expect(await openAi(c('<think>never'), c(' closed'), finish(), DONE)).toMatchObject({
      thinking: 'never closed',
      text: '',
    });
    expect((await openAi(c('a <'), c('b'), c(' <'), finish(), DONE)).text).toBe('a <b <');
  });

  it('case 54: a budget that thinking used up is told', async () => {
    const seen = await openAi(delta({ reasoning_content: 'hm' }), finish('length'), DONE);
    expect(seen.notes).toEqual(['The limit was used up by thinking before an answer came.']);
  });

  it('case 55: tool calls are joined and shown as text', async () => {
    const call = (index: number, part: unknown): string => delta({ tool_calls: [{ index, function: part }] });
    const seen = await openAi(
      call(0, { name: 'a', arguments: '' }),
      call(1, { name: 'b', arguments: '{"y"' }),
      call(0, { arguments: '{"x":1}' }),
      call(1, { arguments: ':2}' }),
      finish('tool_calls'),
      DONE,
    );
    expect(seen.text).toBe('[tool call] a({"x":1})\n[tool call] b({"y":2})');
    const calls = [
      { function: { name: 'a', arguments: { x: 1 } } },
      { function: { name: 'a', arguments: { x: 2 } } },
    ];
    const native = await ollama(
      nd({ message: { content: '', tool_calls: calls }, done: false }),
      OLLAMA_DONE,
    );
    expect(native.text).toBe('[tool call] a({"x":1})\n[tool call] a({"x":2})');
  });

  it('case 56: an error line after text is a failure with the text kept', async () => {
    const seen = await ollama(o('a'), nd({ error: 'llama runner process has terminated: exit status 2' }));
    expect(seen).toMatchObject({
      text: 'a',
      outcome: 'failed',
      fault: { message: 'llama runner process has terminated: exit status 2.' },
    });
  });

  it('case 57: an error event is a failure in all its forms', async () => {
    for (const parts of [
      [sse({ error: { message: 'm', code: 500 } })],
      [sse({ error: { message: 'm', code: 500 } }), DONE],
      [sse({ error: 'm' })],
      [sse({ object: 'error', message: 'm' })],
    ]) {
      expect(await openAi(c('a'), ...parts)).toMatchObject({
        text: 'a',
        outcome: 'failed',
        fault: { message: 'm.' },
      });
    }
  });

  it('case 58: the bare error line of old servers is not lost', async () => {
    const seen = await openAi(c('a'), 'error: {"code":500,"message":"m"}\n\n');
    expect(seen).toMatchObject({ text: 'a', outcome: 'failed', fault: { message: 'm.' } });
  });

  it('case 59: a named error event is a failure', async () => {
    const seen = await openAi(
      c('a'),
      'event: error\ndata: {"error":{"type":"internal_error","message":"m"}}\n\nevent: chat.end\ndata: {}\n\n',
    );
    expect(seen).toMatchObject({ outcome: 'failed', fault: { message: 'm.' } });
  });

  it('case 60: half ends are told apart', async () => {
    const hidden = await openAi(c('a'), sse({ model: '', choices: [{ delta: {} }] }));
    expect(hidden).toMatchObject({
      outcome: 'incomplete',
      notes: ['The server hides why it stopped: look into its log.'],
    });
    expect((await ollama(o('a'), nd({ done: true, done_reason: 'error' }))).outcome).toBe('failed');
    expect((await ollama(o('a'), nd({ done: false, done_reason: 'stop' }))).outcome).toBe('complete');
    expect((await ollama(o('a'))).outcome).toBe('incomplete');
  });

  it('case 61: names and errors of a server cannot steer the terminal', async () => {
    const evil = 'x\u001b[2J\u001b]52;c;AAAA\u0007\r\u009b31m\u202ey';
    const seen = await openAi(
      sse({ model: evil, choices: [{ delta: { content: 'a' } }] }),
      sse({ error: { message: evil } }),
    );
    const shown = JSON.stringify([
      seen.fault,
      seen.events.filter((event) => event.type === 'answering-model'),
    ]);
    expect(shown).not.toMatch(/\\u001b|\\u0007|\u009b|\u202e|\\r/);
    server.reply('/v1/models', json({ data: [{ id: evil }] })).reply('/props', status(404, ''));
    const backend = backendAt('llama.cpp', server.url);
    const model = (await backend.models(new AbortController().signal))[0];
    expect(model?.label).not.toMatch(/[\u001b\u0007\u009b\u202e\r]/);
    expect(model?.name).toBe(evil);
    backend.close();
  });

  it('case 62: names of prototypes are names', async () => {
    const seen = await openAi(
      'data: {"__proto__":{"error":"x"},"constructor":{},"choices":[{"delta":{"content":"a","__proto__":{"content":"b"}}}]}\n\n',
      finish(),
      DONE,
    );
    expect([seen.text, seen.outcome]).toEqual(['a', 'complete']);
    server.reply(
      '/api/tags',
      status(200, '{"models":[{"name":"__proto__","digest":"constructor"},{"name":"constructor"}]}'),
    );
    server
      .reply('/api/ps', json({ models: [] }))
      .reply('/api/show', json({ capabilities: ['completion'], model_info: {} }));
    const backend = backendAt('ollama', server.url);
    const names = (await backend.models(new AbortController().signal)).map((model) => model.name);
    expect(names).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['error']).toBeUndefined();
    backend.close();
  });

  it('a model keeps its name in the request, and no field is sent that can hide something', async () => {
    await ollama(o('a'), OLLAMA_DONE);
    const body = JSON.parse(server.seen('/api/chat')[0]?.body ?? '') as Record<string, unknown>;
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      truncate: false,
      shift: false,
    });
    expect(modelOf(backendAt('ollama', server.url)).name).toBe('m');
  });
});
