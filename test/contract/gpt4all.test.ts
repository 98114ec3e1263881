import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { gpt4all } from '../../src/backends/gpt4all.js';
import { identify } from '../../src/backends/identify.js';
import { RawServer, hang, json, status } from '../support/raw-server.js';
import { REAL_PORTS, ask, backendAt, modelOf } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  backend = backendAt('gpt4all', server.url);
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';
const MODELS = '/v1/models';
const NAME = 'Llama 3 8B Instruct';
const LIST = json({ object: 'list', data: [{ id: NAME, created: 0, owned_by: 'humanity' }] });
const answer = (model: string, content = 'hello', reason = 'stop') =>
  json({
    id: 'placeholder',
    object: 'chat.completion',
    model,
    choices: [{ index: 0, finish_reason: reason, message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);

describe('GPT4All', () => {
  it('case 84: GPT4All is asked with the three fields that it takes, and answers in one block', async () => {
    server.reply(CHAT, answer(NAME));
    const seen = await ask(backend, { model: { name: NAME } });
    expect(JSON.parse(server.seen(CHAT)[0]?.body ?? '')).toEqual({
      model: NAME,
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 4096,
    });
    expect(seen).toMatchObject({ text: 'hello', outcome: 'complete', reason: 'stop' });
    expect(seen.usage).toEqual({ promptTokens: 7, answerTokens: 3 });
    expect(seen.events.filter((event) => event.type === 'text')).toHaveLength(1);
    expect(seen.notes).toEqual([
      expect.stringMatching(/^No streaming: GPT4All sent the whole answer after \d+\.\d s\.$/),
    ]);
    expect(backend.info.features.stream).toBe(false);
  });

  it('case 84: the elapsed time is that of the whole answer', async () => {
    const clock = new SteeredClock();
    server.reply(CHAT, async (socket, request) => {
      await settle();
      clock.advance(12_340);
      await answer(NAME)(socket, request);
    });
    const seen = await ask(backendAt('gpt4all', server.url, { ports: clock }), {
      model: { name: NAME },
      firstByteTimeoutMs: 60_000,
    });
    expect(seen.notes).toEqual(['No streaming: GPT4All sent the whole answer after 12.3 s.']);
  });

  it('case 49: another model than the asked one is told', async () => {
    server.reply(CHAT, answer('Phi-3 Mini'));
    const { events } = await ask(backend, { model: { name: NAME } });
    expect(events.filter((event) => event.type === 'answering-model')).toEqual([
      { type: 'answering-model', name: 'Phi-3 Mini' },
    ]);
  });

  it('case 50: an answer that was cut at its length says so', async () => {
    server.reply(CHAT, answer(NAME, 'cut', 'length'));
    const seen = await ask(backend, { model: { name: NAME } });
    expect(seen).toMatchObject({ outcome: 'complete', reason: 'length' });
    expect(seen.notes.join()).toMatch(/asked for 4096 tokens at most; the setting maxTokens/);
  });

  it('is asked with what is set but the seed, which it refuses; that is said', async () => {
    server.reply(CHAT, answer(NAME, 'cut', 'length'));
    const sampling = { temperature: 0, topP: 0.5, seed: 7, maxTokens: 3 };
    const seen = await ask(backend, { model: { name: NAME }, sampling });
    const { messages: _messages, ...asked } = JSON.parse(server.seen(CHAT)[0]?.body ?? '') as object & {
      messages: unknown;
    };
    expect(asked).toEqual({ model: NAME, max_tokens: 3, temperature: 0, top_p: 0.5 });
    expect(seen.notes.slice(1)).toEqual(['GPT4All takes no seed: none was sent.']);
  });

  it('case 36: 500 without a word names the place of its log', async () => {
    server.reply(CHAT, status(500, ''));
    const { fault, notes } = await ask(backend);
    expect(fault).toMatchObject({
      message: 'GPT4All failed with status 500 and told no reason.',
      hint: expect.stringContaining('GPT4All/log.txt') as unknown,
    });
    expect(notes).toEqual([]);
  });

  it('case 28: 401 without a word is a server that is switched off, not a wrong key', async () => {
    server.reply(MODELS, status(401, '')).reply(CHAT, status(401, ''));
    const off = {
      code: 'not-running',
      message: 'The API server of GPT4All is switched off.',
      hint: 'Turn on "Enable Local API Server" in the settings of the GPT4All app.',
    };
    expect((await backend.check(signal)).status).toMatchObject({ state: 'away', fault: off });
    expect((await ask(backend)).fault).toMatchObject(off);
  });

  it('case 72: is not asked while it works on a chat of ours, and is busy meanwhile', async () => {
    server.reply(MODELS, LIST).reply(CHAT, hang);
    const listed = await backend.models(signal);
    const stop = new AbortController();
    const chat = ask(backend, { signal: stop.signal });
    await server.waitFor(CHAT);
    expect((await backend.check(signal)).status.state).toBe('busy');
    expect(await backend.models(signal)).toEqual(listed);
    expect(server.seen(MODELS)).toHaveLength(1);
    stop.abort();
    await chat;
  });

  it('case 72: a list that hangs is a busy server, before and after a stop', async () => {
    const clock = new SteeredClock();
    server.reply(MODELS, hang);
    const slow = backendAt('gpt4all', server.url, { ports: clock });
    const check = slow.check(signal);
    await server.waitFor(MODELS);
    await settle();
    clock.advance(2500);
    expect((await check).status.state).toBe('busy');
    const activity = slow.activity?.(modelOf(slow), signal);
    await server.waitFor(MODELS, 2);
    await settle();
    clock.advance(2500);
    expect(await activity).toEqual({ working: 1, source: '/v1/models is silent' });
    server.reply(MODELS, LIST);
    expect(await slow.activity?.(modelOf(slow), signal)).toEqual({
      working: 0,
      source: '/v1/models answers',
    });
    slow.close();
  });

  it('a stop says that it goes on all the same', async () => {
    server.reply(CHAT, hang);
    const stop = new AbortController();
    const chat = ask(backend, { signal: stop.signal });
    await server.waitFor(CHAT);
    await settle();
    stop.abort();
    const { outcome, notes } = await chat;
    expect(outcome).toBe('cancelled');
    expect(notes[0]).toContain('does not notice a stop');
  });

  it('case 75: a name with blanks and capitals is a name', async () => {
    server.reply(MODELS, LIST);
    expect(await backend.models(signal)).toMatchObject([
      { name: NAME, label: NAME, contextMax: null, sizeBytes: null, loadState: 'unknown', chat: true },
    ]);
  });

  it('case 42: is known by the owner of its models, and without any by how it knows every name', async () => {
    server.reply(MODELS, LIST);
    expect(await who()).toBe('gpt4all');
    server.reply(MODELS, json({ object: 'list', data: [] }));
    server.reply(`${MODELS}/no-such-model`, json({}));
    expect(await who()).toBe('gpt4all');
    server.reply(`${MODELS}/no-such-model`, json({ error: 'not found' }, 404));
    expect(await who()).toBe('openai');
  });

  it('case 42: 401 without a word is GPT4All at its own port only', async () => {
    const off = { status: 401, headers: {}, text: '', json: undefined };
    const probe = (): never => {
      throw new Error('nothing is asked');
    };
    expect(await gpt4all.recognises?.(off, probe, 'http://127.0.0.1:4891')).toBe(true);
    expect(await gpt4all.recognises?.(off, probe, 'http://127.0.0.1:8080')).toBe(false);
  });
});
