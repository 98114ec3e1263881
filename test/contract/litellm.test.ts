import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import { type RawReply, RawServer, json, status, stream } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { DONE, REAL_PORTS, type Seen, ask, backendAt, c, finish, modelOf, sse } from './answers.js';

const CHAT = '/v1/chat/completions';
const real = (name: string): RawReply => recorded(`litellm/${name}`);

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  server
    .reply('/health/liveliness', real('liveliness'))
    .reply('/v1/models', real('models'))
    .reply('/model/info', real('model-info'));
  backend = backendAt('litellm', server.url, { key: 'sk-key-0123456789' });
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);

async function refused(code: number, body: unknown): Promise<Seen['fault']> {
  server.reply(CHAT, typeof body === 'string' ? status(code, body) : json(body, code));
  return (await ask(backend)).fault;
}

function entry(name: string, info: object, params: object = {}): object {
  return { model_name: name, litellm_params: params, model_info: info };
}

describe('LiteLLM', () => {
  it('is known by its list, by its headers, and by the ways in which it refuses', async () => {
    for (const reply of [real('models'), real('unauthorized'), real('wrong-key'), json({ data: [] })]) {
      server.reply('/v1/models', reply);
      expect(await who()).toBe('litellm');
    }
    server.reply('/health/liveliness', status(404, ''));
    expect(await who()).toBe('openai');
    server.reply('/v1/models', json({ error: {} }, 401, { 'x-litellm-call-id': 'x' }));
    expect(await who()).toBe('litellm');
    server.reply('/v1/models', real('models'));
    expect(await who()).toBe('openai');
  });

  it('is not asked whether it lives when its list tells that it is something else', async () => {
    server.reply('/v1/models', json({ data: [{ id: 'x', created: 1 }] }));
    expect(await who()).toBe('openai');
    expect(server.seen('/health/liveliness')).toHaveLength(0);
  });

  it('case 83: /health, which would ask every model, is never asked', async () => {
    server.reply('/health/readiness', json({ status: 'connected', litellm_version: '1.106.2' }));
    for (let round = 0; round < 3; round += 1) {
      expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, version: '1.106.2' });
      await backend.models(signal);
    }
    await backend.details?.(modelOf(backend, { name: 'tiny' }), signal);
    const asked = new Map<string, number>();
    for (const { target } of server.requests) asked.set(target, (asked.get(target) ?? 0) + 1);
    expect(asked).toEqual(
      new Map([
        ['/health/liveliness', 3],
        ['/v1/models', 4],
        ['/health/readiness', 3],
        ['/model/info', 1],
      ]),
    );
  });

  it('case 28: no key and a wrong key are one state, whatever the proxy calls them', async () => {
    const unknown = backendAt('litellm', server.url);
    for (const [asked, reply] of [
      [unknown, real('unauthorized')],
      [backend, real('wrong-key')],
    ] as const) {
      server.reply('/v1/models', reply).reply(CHAT, reply);
      const expected = { code: 'unauthorized', message: 'The key for LiteLLM is missing or wrong.' };
      expect((await asked.check(signal)).status).toMatchObject({ state: 'away', fault: expected });
      await expect(asked.models(signal)).rejects.toMatchObject({ fault: expected });
      expect((await ask(asked)).fault).toMatchObject(expected);
    }
    // With a key the same bare failure is what it says.
    server.reply('/v1/models', real('unauthorized'));
    expect((await backend.check(signal)).status).toMatchObject({
      fault: { code: 'server-error', message: 'Internal Server Error.' },
    });
    unknown.close();
  });

  it('case 32: a proxy that says that it is not ready, for want of its database, chats all the same', async () => {
    server.reply('/health/readiness', json({ detail: 'Service Unhealthy (db not connected)' }, 503));
    expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, version: null });
  });

  it('case 30: a wrong key is found although the proxy says without one that it lives', async () => {
    server.reply('/v1/models', real('wrong-key'));
    expect((await backend.check(signal)).status).toMatchObject({ state: 'away' });
    expect(server.seen('/health/liveliness')).toHaveLength(1);
  });

  it('case 28: what a good key may not do is no wrong key, and one that has expired is told as such', async () => {
    const told = (type: string, message: string): object => ({
      error: { message, type, param: 'model', code: '401' },
    });
    const denied =
      "key not allowed to access model. This key can only access models=['a']. Tried to access m";
    for (const code of [401, 403])
      expect(await refused(code, told('key_model_access_denied', denied))).toMatchObject({
        code: 'forbidden',
        message: `${denied}.`,
        hint: 'Choose a model that this key may use, or let LiteLLM allow it.',
      });
    const fault = await refused(
      429,
      told('budget_exceeded', 'Budget has been exceeded! Current cost: 5.0, Max budget: 1.0'),
    );
    expect(fault).toMatchObject({ code: 'forbidden', hint: expect.stringMatching(/larger budget/) });
    expect(fault).not.toHaveProperty('retryAfterMs');
    expect(await refused(401, told('expired_key', 'Authentication Error - Expired Key.'))).toMatchObject({
      code: 'unauthorized',
      message: 'The key for LiteLLM has expired.',
    });
  });

  it('case 28: neither a key nor the hash of one is repeated', async () => {
    const hash = '88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b';
    const words = `Authentication Error, Invalid proxy server token passed. Received API Key = sk-...6789, Key Hash (Token) =${hash}. Unable to find token in cache`;
    for (const [code, type] of [
      [401, 'token_not_found_in_db'],
      [500, 'internal_server_error'],
    ] as const) {
      const fault = await refused(code, {
        error: { message: words, type, param: 'None', code: String(code) },
      });
      expect(JSON.stringify(fault)).not.toMatch(/88dc28|6789/);
    }
  });

  it('lists what is behind it, with what it was told of it', async () => {
    expect(await backend.models(signal)).toMatchObject([
      {
        name: 'tiny',
        chat: true,
        loadState: 'unknown',
        contextMax: null,
        contextAllocated: null,
        remote: false,
      },
      { name: 'dead', chat: true },
    ]);
    const details = await backend.details?.(modelOf(backend, { name: 'tiny' }), signal);
    expect(details?.facts).toEqual([['answered by', 'openai/smollm2 at http://127.0.0.1:8080']]);
  });

  it('case 77: a model that makes vectors is marked, and lengths, abilities and clouds are read', async () => {
    const name = (id: string): object => ({ id, created: 1677610602 });
    server.reply('/v1/models', json({ data: ['e', 'g', 'l', 'x'].map(name) })).reply(
      '/model/info',
      json({
        data: [
          entry('e', { mode: 'embedding' }, { model: 'ollama/nomic-embed-text' }),
          entry(
            'g',
            {
              mode: 'chat',
              max_input_tokens: 128000,
              supports_vision: true,
              supports_function_calling: true,
            },
            { model: 'gpt-4o' },
          ),
          entry(
            'l',
            { mode: null, max_input_tokens: 0 },
            { model: 'hosted_vllm/q', api_base: 'http://h:8000' },
          ),
          entry('elsewhere', {}),
          'nonsense',
        ],
      }),
    );
    expect(await backend.models(signal)).toMatchObject([
      { name: 'e', chat: false, capabilities: ['embedding'], remote: false },
      { name: 'g', chat: true, contextMax: 128000, capabilities: ['vision', 'tools'], remote: true },
      { name: 'l', chat: true, contextMax: null, capabilities: null, remote: false },
      { name: 'x', chat: true, capabilities: null },
    ]);
  });

  it('case 74: deployments that share a name are one line, and their number stands in the details', async () => {
    const name = { id: 'g', created: 1677610602 };
    server.reply('/v1/models', json({ data: [name, name] })).reply(
      '/model/info',
      json({
        data: [
          entry(
            'g',
            { max_input_tokens: 8000 },
            { model: 'ollama/a', api_base: 'http://u:secret@one:11434/x' },
          ),
          entry('g', { max_input_tokens: 4000 }, { model: 'ollama/b', api_base: 'http://two:11434' }),
        ],
      }),
    );
    expect(await backend.models(signal)).toMatchObject([{ name: 'g', contextMax: 4000 }]);
    const details = await backend.details?.(modelOf(backend, { name: 'g' }), signal);
    expect(details?.facts).toEqual([
      ['deployments', '×2'],
      ['answered by', 'ollama/a at http://one:11434'],
      ['answered by', 'ollama/b at http://two:11434'],
    ]);
  });

  it('a key that may not read the details still gets the names', async () => {
    for (const reply of [status(403, 'no'), status(500, ''), json({ data: 'x' })]) {
      server.reply('/model/info', reply);
      const other = backendAt('litellm', server.url);
      expect((await other.models(signal)).map(({ name }) => name)).toEqual(['tiny', 'dead']);
      other.close();
    }
  });

  it('case 47: figures in a chunk whose choices are not empty are read', async () => {
    server.reply(CHAT, real('chat-stream'));
    const seen = await ask(backend, { model: { name: 'tiny' } });
    expect(seen).toMatchObject({
      outcome: 'complete',
      reason: 'length',
    });
    expect(seen.text).toMatch(/^1\. Red: Red/);
    expect(seen.usage.answerTokens).toBe(16);
    expect(seen.usage.promptTokens).toBeGreaterThan(0);
    expect(seen.events.some((event) => event.type === 'answering-model')).toBe(false);
  });

  it('case 49: a fall-back within the proxy is told, with the model that answers', async () => {
    const answer = (headers: Record<string, string>): RawReply =>
      stream([sse({ model: 'tiny', choices: [] }), c('a'), finish(), DONE], { headers });
    const names = (seen: Seen): readonly string[] =>
      seen.events.flatMap((event) => (event.type === 'answering-model' ? [event.name] : []));
    server.reply(
      CHAT,
      answer({ 'x-litellm-attempted-fallbacks': '1', 'x-litellm-model-group': 'backup' }),
      answer({ 'x-litellm-attempted-fallbacks': '1' }),
      answer({ 'x-litellm-attempted-fallbacks': '0', 'x-litellm-model-group': 'tiny' }),
    );
    const model = { name: 'tiny', label: 'tiny' };
    const first = await ask(backend, { model });
    expect(names(first)).toEqual(['backup']);
    expect(first.notes).toEqual(['LiteLLM fell back from tiny.']);
    const second = await ask(backend, { model });
    expect([names(second), second.notes]).toEqual([[], ['LiteLLM fell back from tiny.']]);
    const third = await ask(backend, { model });
    expect([names(third), third.notes]).toEqual([[], []]);
  });

  it('case 31: an unknown model is told as one, and where to add it', async () => {
    server.reply(CHAT, real('chat-unknown-model'));
    expect((await ask(backend, { model: { name: 'nope' } })).fault).toMatchObject({
      code: 'unknown-model',
      message: 'LiteLLM does not know the model nope.',
      hint: 'Choose another model, or add it to model_list in the configuration of LiteLLM.',
    });
  });

  it('case 36: a server behind it that is down has its reason and its own next step', async () => {
    server.reply(CHAT, real('chat-upstream-down'));
    expect((await ask(backend, { model: { name: 'dead' } })).fault).toEqual({
      code: 'server-error',
      message: 'OpenAIException - Connection error.',
      hint: 'LiteLLM does not reach the server behind it: start that, or correct its api_base.',
      status: 500,
    });
  });

  it('case 36: a traceback is cut off, in a text and in an error object', async () => {
    const trace =
      'Traceback (most recent call last):\n  File "proxy.py", line 1, in f\nValueError: no weights';
    for (const body of [`bad thing\n\n${trace}`, { error: { message: `bad thing\n${trace}`, code: '500' } }])
      expect((await refused(500, body))?.message).toBe('bad thing.');
    expect((await refused(500, { error: { message: trace } }))?.message).toBe('ValueError: no weights.');
  });

  it('case 37: a full context behind it has its figures', async () => {
    server.reply(CHAT, real('chat-overflow'));
    const { fault } = await ask(backend);
    expect(fault).toMatchObject({
      code: 'context-full',
      promptTokens: 5031,
      contextTokens: 1024,
      status: 400,
    });
    expect(fault?.message).toBe(
      'OpenAIException - request (5031 tokens) exceeds the available context size (1024 tokens), try increasing it.',
    );
    expect(fault?.hint).toMatch(/behind LiteLLM a larger context/);
  });

  it('case 33: its limits tell when to ask again', async () => {
    server.reply(
      CHAT,
      json({ error: { message: 'Rate limit', type: 'throttling_error', code: '429' } }, 429, {
        'Retry-After': '7',
      }),
    );
    expect((await ask(backend)).fault).toMatchObject({ code: 'busy', retryAfterMs: 7000 });
  });

  it('case 57: an error in mid-answer, with a code that is a text', async () => {
    server.reply(
      CHAT,
      stream([c('a'), sse({ error: { message: 'm', type: 'x', param: null, code: '500' } })]),
    );
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'failed', fault: { message: 'm.' } });
  });
});
