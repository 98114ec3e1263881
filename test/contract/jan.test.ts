import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { identify } from '../../src/backends/identify.js';
import { RawServer, json, status, stream } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { DONE, REAL_PORTS, ask, backendAt, c, finish } from './answers.js';

const CHAT = '/v1/chat/completions';
const SESSION = { id: 'Jan-v1-4B', object: 'model', created: 1, owned_by: 'user' };

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  server.reply('/v1/models', json({ object: 'list', data: [SESSION] }));
  backend = backendAt('jan', server.url, { key: 'sk-key-0123456789' });
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const who = (): Promise<string> => identify({ url: server.url, key: null }, signal, REAL_PORTS);
/** Without an envelope, and without a type of content. */
const plain = (code: number, text: string) => status(code, text);

describe('Jan', () => {
  it('is known by its sessions, by its plain refusals, and by its description when nothing runs', async () => {
    expect(await who()).toBe('jan');
    for (const text of ['Missing authorization header', 'Invalid or missing authorization token']) {
      server.reply('/v1/models', plain(401, text));
      expect(await who()).toBe('jan');
    }
    server.reply('/v1/models', plain(403, 'Invalid host header'));
    expect(await who()).toBe('jan');
    server.reply('/v1/models', json({ object: 'list', data: [] }));
    expect(await who()).toBe('openai');
    server.reply('/openapi.json', json({ info: { title: 'Jan API Server Endpoints' } }));
    expect(await who()).toBe('jan');
    server.reply('/v1/models', json({ data: [{ ...SESSION, created: 1_700_000_000 }] }));
    expect(await who()).toBe('openai');
  });

  it('case 28: a refusal in plain text is a key that is missing or wrong', async () => {
    for (const text of ['Missing authorization header', 'Invalid or missing authorization token']) {
      server.reply('/v1/models', plain(401, text)).reply(CHAT, plain(401, text));
      const fault = { code: 'unauthorized', message: 'The key for Jan is missing or wrong.' };
      expect((await backend.check(signal)).status).toMatchObject({ state: 'away', fault });
      expect((await ask(backend)).fault).toMatchObject(fault);
    }
  });

  it('a host that it does not trust is told with where to allow it', async () => {
    server.reply('/v1/models', plain(403, 'Invalid host header'));
    expect((await backend.check(signal)).status).toMatchObject({
      fault: {
        code: 'forbidden',
        message: 'Invalid host header.',
        hint: expect.stringMatching(/trusted hosts/),
      },
    });
  });

  it('lists what runs', async () => {
    expect(await backend.models(signal)).toMatchObject([{ name: 'Jan-v1-4B', loadState: 'loaded' }]);
    server.reply('/v1/models', json({ data: [{ id: 'x', owned_by: 'jan' }] }));
    expect(await backend.models(signal)).toMatchObject([{ name: 'x', loadState: 'unknown' }]);
  });

  it('case 31: a model that does not run is told from an unknown path, and no model at all from a busy server', async () => {
    server.reply(
      CHAT,
      plain(404, "No running session found for model 'm'"),
      plain(503, 'No models are available'),
      plain(404, 'Not Found'),
    );
    expect((await ask(backend)).fault).toMatchObject({
      code: 'unknown-model',
      message: "No running session found for model 'm'.",
      hint: 'Start it in Jan (Settings, Model Providers), or choose a model that runs.',
    });
    expect((await ask(backend)).fault).toMatchObject({
      code: 'unknown-model',
      message: 'Jan runs no model.',
    });
    expect((await ask(backend)).fault?.code).toBe('unknown-endpoint');
  });

  it('case 36: a session that died is told in words', async () => {
    server.reply(CHAT, plain(502, 'Proxy request to model failed: error sending request'));
    expect((await ask(backend)).fault).toMatchObject({
      code: 'server-error',
      message: 'Proxy request to model failed: error sending request.',
      hint: 'The session of the model has died: start the model again in Jan.',
    });
  });

  it('case 48: passes on what llama.cpp tells of itself', async () => {
    server.reply(CHAT, recorded('llama.cpp/chat-stream-progress'));
    const seen = await ask(backend);
    expect(seen.outcome).toBe('complete');
    expect(seen.usage.answerPerSecond).toBeGreaterThan(0);
    expect(seen.events.some((event) => event.type === 'prefill')).toBe(true);
    expect(JSON.parse(server.seen(CHAT)[0]?.body ?? '{}')).toMatchObject({ return_progress: true });
  });

  it('case 44: what another session refuses is left out, field by field', async () => {
    server.reply(
      CHAT,
      json({ error: { message: 'Unrecognized request argument supplied: return_progress' } }, 400),
      json({ detail: [{ loc: ['body', 'timings_per_token'], msg: 'Extra inputs are not permitted' }] }, 422),
      stream([c('a'), finish(), DONE]),
    );
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'complete' });
    expect(Object.keys(JSON.parse(server.seen(CHAT)[2]?.body ?? '{}') as object)).toEqual([
      'model',
      'messages',
      'stream',
      'stream_options',
    ]);
  });

  it('case 41: its prefix /v1 is asked once', async () => {
    await backend.models(signal);
    expect(server.requests.map(({ target }) => target)).toEqual(['/v1/models']);
  });
});
