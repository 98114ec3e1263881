import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BackendType } from '../../src/backends/backend.js';
import { discover, identify, type FoundBackend } from '../../src/backends/identify.js';
import { NO_FEATURES } from '../../src/domain/model.js';
import { RawServer, hang, json, status, stream } from '../support/raw-server.js';
import { DONE, REAL_PORTS, ask, backendAt, c, finish } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

const signal = new AbortController().signal;
const who = (key: string | null = null): Promise<string> =>
  identify({ url: server.url, key }, signal, REAL_PORTS);
const LLAMA = { Server: 'llama.cpp' };

describe('which server is this', () => {
  it('case 42: LM Studio is not Ollama, although it answers 200 to everything', async () => {
    const refusal = json({ error: 'Unexpected endpoint or method. (GET /api/tags)' });
    server.reply(
      '/v1/models',
      json({ data: [{ id: 'x', object: 'model', owned_by: 'organization_owner' }] }),
    );
    server.reply('/api/version', refusal).reply('/.well-known/localai.json', refusal);
    server.reply('/api/v1/models', refusal);
    expect(await who()).toBe('lmstudio');
  });

  it('case 42: LocalAI is not Ollama, although it speaks its interface', async () => {
    server
      .reply('/v1/models', json({ data: [{ id: 'x', object: 'model' }] }))
      .reply('/api/version', json({ version: '0.9.0' }));
    server.reply('/.well-known/localai.json', json({ version: 'v3', endpoints: {} }));
    expect(await who()).toBe('localai');
  });

  it('case 42: llama.cpp is known by its header, also while it loads and with a key', async () => {
    const loading = { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } };
    for (const reply of [json(loading, 503, LLAMA), json({}, 401, LLAMA), json({ data: [] }, 200, LLAMA)]) {
      server.reply('/v1/models', reply).reply('/api/tags', json({ models: [] }, 200, LLAMA));
      expect(await who()).toBe('llama.cpp');
    }
    server.reply('/v1/models', json({ data: [{ id: 'x', owned_by: 'llamacpp' }] }));
    expect(await who()).toBe('llama.cpp');
  });

  it('Ollama is known by its version, with and without models', async () => {
    server.reply('/api/version', json({ version: '0.13.0' }));
    for (const body of [{ object: 'list', data: null }, { data: [{ id: 'x', owned_by: 'library' }] }]) {
      server.reply('/v1/models', json(body));
      expect(await who()).toBe('ollama');
    }
    server.reply('/v1/models', status(404, '404 page not found'));
    expect(await who()).toBe('ollama');
  });

  it('case 44: an unknown server with a list and a chat is used as it is', async () => {
    server
      .reply('/v1/models', json({ data: [{ id: 'x' }] }))
      .reply('/v1/chat/completions', stream([c('a'), finish(), DONE]));
    expect(await who()).toBe('openai');
    const backend = backendAt('openai', server.url);
    expect((await backend.check(signal)).status.state).toBe('ready');
    expect(await backend.models(signal)).toMatchObject([{ name: 'x', loadState: 'unknown' }]);
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'complete' });
    expect(Object.keys(JSON.parse(server.seen('/v1/chat/completions')[0]?.body ?? '{}') as object)).toEqual([
      'model',
      'messages',
      'stream',
      'stream_options',
    ]);
    backend.close();
  });

  it('a field that a strict server refuses is left out in a second try', async () => {
    server.reply(
      '/v1/chat/completions',
      json({ error: { message: 'unknown field stream_options' } }, 400),
      stream([c('a'), finish(), DONE]),
    );
    expect(await ask(backendAt('openai', server.url))).toMatchObject({ text: 'a', outcome: 'complete' });
  });

  it('a server that wants a key is a server', async () => {
    server.reply('/v1/models', json({ error: { message: 'Who are you?' } }, 401));
    expect(await who()).toBe('openai');
  });

  it('web pages and other things are refused', async () => {
    server.reply('/v1/models', status(200, '<!doctype html>', { 'Content-Type': 'text/html' }));
    await expect(who()).rejects.toThrow('This is a web page, not a model server.');
    server.reply('/v1/models', json({ hello: 1 }));
    await expect(who()).rejects.toMatchObject({ fault: { code: 'not-a-server' } });
    server.reply('/v1/models', status(302, '', { Location: 'http://portal.example/login' }));
    await expect(who()).rejects.toThrow(/redirects to http:\/\/portal.example\/login/);
  });

  it('default ports are looked at side by side, and a silent one is left after 300 ms', async () => {
    const [silent, other] = [await RawServer.start(), await RawServer.start()];
    silent.reply('/v1/models', hang);
    // Each of the two answers only when all were asked.
    const all = Promise.all([silent, other, server].map((one) => one.waitFor('/v1/models')));
    for (const one of [other, server])
      one.reply('/v1/models', async (socket, request) => {
        await all;
        await json({ data: [] }, 200, LLAMA)(socket, request);
      });
    const type = (port: number): BackendType => ({
      kind: `k${port}`,
      title: '',
      defaultPorts: [port],
      startCommand: '',
      logPlace: '',
      features: NO_FEATURES,
      notConcerned: {},
      create: () => backendAt('mock', ''),
    });
    const clock = new SteeredClock();
    let found: readonly FoundBackend[] | null = null;
    const places = [silent.port, other.port, server.port, 1].map(type);
    let told = 0;
    const { now, monotonic, after } = clock;
    const ports = { now, monotonic, after, onRequest: () => void (told += 1) };
    const search = discover(signal, ports, places).then((entries) => (found = entries));
    // Two that answer, and one port where nobody is.
    while (told < 3) await settle();
    clock.advance(299);
    await settle();
    expect(found).toBeNull();
    clock.advance(1);
    expect(await search).toEqual([
      { kind: 'llama.cpp', url: other.url },
      { kind: 'llama.cpp', url: server.url },
    ]);
    await silent.stop();
    await other.stop();
  });
});
