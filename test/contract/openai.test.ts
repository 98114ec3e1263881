import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { keyOf } from '../../src/config/secrets.js';
import { isPublic } from '../../src/wire/address.js';
import { RawServer, json, status, stream } from '../support/raw-server.js';
import { DONE, ask, backendAt, c, finish, modelOf } from './answers.js';

const CHAT = '/v1/chat/completions';

let server: RawServer;
let backend: Backend;
beforeEach(async () => {
  server = await RawServer.start();
  server.reply(
    '/v1/models',
    json({ data: [{ id: 'gpt', object: 'model', created: 1, owned_by: 'system' }] }),
  );
  const key = keyOf({ url: server.url, key: '${REMOTE_KEY}' }, { REMOTE_KEY: 'sk-key-0123456789' });
  backend = backendAt('openai', server.url, key === null ? {} : { key });
});
afterEach(async () => {
  backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const bodies = (): readonly string[][] =>
  server.seen(CHAT).map(({ body }) => Object.keys(JSON.parse(body) as object));

describe('any other server with the OpenAI dialect', () => {
  it('gets the key that the environment holds, as a bearer, and nothing shows it', async () => {
    server.reply(CHAT, json({ error: { message: 'Incorrect API key provided: sk-key-0123456789' } }, 401));
    expect((await backend.check(signal)).status.state).toBe('ready');
    const { fault } = await ask(backend);
    expect(fault?.code).toBe('unauthorized');
    expect(JSON.stringify([fault, backend.info])).not.toContain('0123456789');
    expect(server.requests.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer sk-key-0123456789',
      'Bearer sk-key-0123456789',
    ]);
  });

  it('case 44: is asked with portable fields, and once more without one that it refuses', async () => {
    server.reply(
      CHAT,
      json({ error: { message: 'Unknown parameter: stream_options', code: 'unknown_parameter' } }, 400),
      stream([c('a'), finish(), DONE]),
    );
    expect(await ask(backend)).toMatchObject({ text: 'a', outcome: 'complete' });
    await ask(backend);
    const short = ['model', 'messages', 'stream'];
    expect(bodies()).toEqual([[...short, 'stream_options'], short, short]);
  });

  it('a refusal that is about something else is not asked again', async () => {
    server.reply(CHAT, json({ error: { message: 'messages must not be empty' } }, 400));
    expect((await ask(backend)).fault).toMatchObject({ status: 400, message: 'messages must not be empty.' });
    expect(bodies()).toHaveLength(1);
  });

  it('a list tells nothing of where its models run: that is said of the address', async () => {
    expect(await backend.models(signal)).toMatchObject([{ name: 'gpt', remote: false }]);
    expect(isPublic('https://api.example.com/prefix')).toBe(true);
    for (const url of [
      'http://api.example.com',
      'https://127.0.0.1:8443',
      'https://192.168.1.4',
      'https://172.20.0.1',
      'https://box.local',
      'https://box',
      'https://[::1]:8443',
    ])
      expect(isPublic(url)).toBe(false);
  });

  it('case 33: its limits tell when to ask again', async () => {
    server.reply(
      CHAT,
      json({ error: { message: 'Rate limit', type: 'tokens' } }, 429, { 'Retry-After-Ms': '1500' }),
    );
    expect((await ask(backend)).fault).toMatchObject({ code: 'busy', retryAfterMs: 1500 });
  });

  it('an account without credit is told as one, with nothing to wait for', async () => {
    const message = 'You exceeded your current quota, please check your plan and billing details.';
    server.reply(
      CHAT,
      json({ error: { message, type: 'insufficient_quota', code: 'insufficient_quota' } }, 429),
    );
    const { fault } = await ask(backend);
    expect(fault).toMatchObject({
      code: 'forbidden',
      message,
      hint: 'Add credit to the account behind this key, or use another key.',
    });
    expect(fault).not.toHaveProperty('retryAfterMs');
  });

  it('case 36: an error without words is told with its status', async () => {
    server.reply(CHAT, status(500, ''));
    expect((await ask(backend, { model: modelOf(backend) })).fault).toMatchObject({
      message: 'The server failed with status 500 and told no reason.',
      hint: 'Look into the log of the server.',
    });
  });
});
