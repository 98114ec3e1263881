import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RawServer, hang, json, stream } from '../support/raw-server.js';
import { LOAD, DONE, OLLAMA_DONE, ask, backendAt, c, finish, modelOf, o } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

const signal = new AbortController().signal;
const CHAT = '/v1/chat/completions';

describe('cancel and concurrency', () => {
  it('case 68: a chat that was not answered yet ends at once, and the server sees it', async () => {
    server.reply('/api/ps', json({ models: [] })).reply('/api/chat', hang);
    const stop = new AbortController();
    // No time passes: what waited for a timer would wait for ever.
    const backend = backendAt('ollama', server.url, { ports: new SteeredClock() });
    const seen = ask(backend, { signal: stop.signal });
    const request = await server.waitFor('/api/chat');
    await settle();
    stop.abort();
    const { outcome, notes, events } = await seen;
    await request.closed;
    expect(outcome).toBe('cancelled');
    expect(events.map((event) => event.type)).toEqual(['sent', 'loading', 'note', 'ended']);
    expect(notes).toEqual(['The model was still being loaded: that was stopped too.']);
  });

  it('case 69: text before a cancel stays, and nothing old reaches the next answer', async () => {
    server.reply(CHAT, stream([c('old')], { end: 'open' }), stream([c('new'), finish(), DONE]));
    const backend = backendAt('llama.cpp', server.url);
    const stop = new AbortController();
    const first = await ask(backend, {
      signal: stop.signal,
      onEvent: (event) => void (event.type === 'text' && stop.abort()),
    });
    expect([first.text, first.outcome]).toEqual(['old', 'cancelled']);
    expect(await ask(backend)).toMatchObject({ text: 'new', outcome: 'complete' });
    expect(server.connections).toBe(2);
  });

  it('a chat with a signal that has ended already asks nothing', async () => {
    const seen = await ask(backendAt('llama.cpp', server.url), { signal: AbortSignal.abort() });
    expect([seen.outcome, server.requests.length]).toEqual(['cancelled', 0]);
  });

  it('case 71: a poll on a kept socket that has died goes once more', async () => {
    server.reply(
      '/v1/models',
      json({ data: [] }),
      (socket) => void socket.destroy(),
      json({ data: [{ id: 'x' }] }),
    );
    const backend = backendAt('openai', server.url);
    expect(await backend.models(signal)).toHaveLength(0);
    await settle();
    expect(await backend.models(signal)).toHaveLength(1);
    expect(server.seen('/v1/models')).toHaveLength(3);
    backend.close();
  });

  it('case 71: a chat that was reset without a byte is not sent again', async () => {
    server.reply(CHAT, (socket) => void socket.resetAndDestroy());
    const seen = await ask(backendAt('openai', server.url));
    expect([seen.outcome, server.requests.length]).toEqual(['broken', 1]);
  });

  it('case 72: a hanging question is "busy", not "away", and holds up nothing else', async () => {
    const clock = new SteeredClock();
    server
      .reply('/api/version', hang)
      .reply('/api/ps', hang)
      .reply(
        '/api/tags',
        json({ models: [{ name: 'm', capabilities: ['completion'], details: { context_length: 8 } }] }),
      );
    const backend = backendAt('ollama', server.url, { ports: clock });
    const check = backend.check(signal);
    const models = backend.models(signal);
    await server.waitFor('/api/version');
    await server.waitFor('/api/ps');
    await server.waitFor('/api/tags');
    await settle();
    clock.advance(3000);
    expect((await check).status.state).toBe('busy');
    expect((await models).map((model) => model.loadState)).toEqual(['unknown']);
    backend.close();
  });

  it('case 72: a question that hangs is not asked a second time meanwhile; each who waits gives it up for itself', async () => {
    const clock = new SteeredClock();
    server
      .reply('/api/ps', hang)
      .reply('/api/tags', json({ models: [{ name: 'm', capabilities: ['completion'], details: {} }] }))
      .reply('/api/show', json({}))
      .reply('/api/chat', stream([o('a'), OLLAMA_DONE]));
    const backend = backendAt('ollama', server.url, { ports: clock });
    const leaving = new AbortController();
    const polls = [backend.models(leaving.signal), backend.models(signal)];
    const request = await server.waitFor('/api/ps');
    // A chat looks at it for a moment only, and does not wait as long as the polls do.
    const chat = ask(backend);
    await settle();
    clock.advance(400);
    expect((await chat).text).toBe('a');
    leaving.abort();
    await expect(polls[0]).rejects.toThrow('The request was cancelled.');
    expect(server.seen('/api/ps')).toHaveLength(1);
    clock.advance(3000);
    expect((await polls[1])?.map((model) => model.loadState)).toEqual(['unknown']);
    await request.closed;
    const later = backend.models(signal);
    await server.waitFor('/api/ps', 2);
    clock.advance(3000);
    await later;
    backend.close();
  });

  it('case 72: a request behind busy slots is "queued"', async () => {
    const clock = new SteeredClock();
    server.reply('/props', json({ endpoint_metrics: true })).reply('/slots', json([{ is_processing: true }]));
    server.reply('/metrics', (socket) => {
      const text = 'llamacpp:requests_processing 1\nllamacpp:requests_deferred 1\n';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    });
    server.reply(CHAT, hang);
    const stop = new AbortController();
    const backend = backendAt('llama.cpp', server.url, { ports: clock });
    const seen = ask(backend, {
      signal: stop.signal,
      onEvent: (event) => void (event.type === 'queued' && stop.abort()),
    });
    await server.waitFor(CHAT);
    await settle();
    clock.advance(400);
    expect((await seen).events.map((event) => event.type)).toEqual(['sent', 'queued', 'ended']);
    backend.close();
  });

  it('a router that has to load the model first says so', async () => {
    server.reply(CHAT, stream([c('a'), finish(), DONE]));
    const seen = await ask(backendAt('llama.cpp', server.url), { model: { loadState: 'unloaded' } });
    expect(seen.events.map((event) => event.type)).toEqual(['sent', 'loading', 'text', 'ended']);
  });

  it('an abort during a load is told as cancelled', async () => {
    server.reply('/api/chat', hang);
    const backend = backendAt('ollama', server.url);
    const stop = new AbortController();
    const load = backend.load?.(modelOf(backend), LOAD, stop.signal);
    const request = await server.waitFor('/api/chat');
    stop.abort();
    await expect(load).rejects.toThrow('The request was cancelled.');
    await request.closed;
    backend.close();
  });

  it('a stream that the reader leaves closes its socket', async () => {
    server.reply('/api/ps', json({ models: [] })).reply('/api/chat', stream([o('a')], { end: 'open' }));
    const backend = backendAt('ollama', server.url);
    const request = {
      model: modelOf(backend),
      messages: [],
      keepAlive: '',
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
    };
    for await (const event of backend.chat(request, signal)) if (event.type === 'text') break;
    await (
      await server.waitFor('/api/chat')
    ).closed;
    backend.close();
  });
});
