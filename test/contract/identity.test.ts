import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BackendType } from '../../src/backends/backend.js';
import { discover, identify } from '../../src/backends/identify.js';
import { NO_FEATURES } from '../../src/domain/model.js';
import { RawServer, hang, json, status, stream } from '../support/raw-server.js';
import { DONE, REAL_PORTS, ask, backendAt, c, finish } from './answers.js';

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

  it('default ports are looked at side by side, and a silent one holds up nothing', async () => {
    const silent = await RawServer.start();
    silent.reply('/v1/models', hang);
    server.reply('/v1/models', json({ data: [] }, 200, LLAMA));
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
    const begun = performance.now();
    const found = await discover(signal, REAL_PORTS, [type(silent.port), type(server.port), type(1)]);
    expect(performance.now() - begun).toBeLessThan(600);
    expect(found).toEqual([{ kind: 'llama.cpp', url: server.url }]);
    await silent.stop();
  });
});
