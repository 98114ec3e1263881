import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenAiReader } from '../../src/backends/openai-reader.js';
import { RawServer, head, json, stream, write } from '../support/raw-server.js';
import { DONE, type Seen, ask, backendAt, c, finish, nd, o, sse } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';
import { bounded } from '../support/bounded.js';

let server: RawServer;
let clock: SteeredClock;
beforeEach(async () => {
  server = await RawServer.start();
  clock = new SteeredClock();
});
afterEach(() => server.stop());

const CHAT = '/v1/chat/completions';
const SSE = head(200, { 'Content-Type': 'text/event-stream', Connection: 'close' });
const PLACE = { kind: 'x', title: 'x', startCommand: '', model: 'm' };

async function ollama(line: unknown): Promise<Seen> {
  server.reply('/api/ps', json({ models: [{ name: 'm' }] })).reply('/api/chat', stream([o('a'), nd(line)]));
  return ask(backendAt('ollama', server.url));
}

/** Starts a chat whose server is driven by the test. */
async function driven(
  idleTimeoutMs: number,
): Promise<{ send: (text: string) => Promise<void>; end: () => void; seen: Promise<Seen> }> {
  let socketReady: (socket: Socket) => void = () => undefined;
  const socket = new Promise<Socket>((resolve) => {
    socketReady = resolve;
  });
  server.reply(CHAT, (opened) => socketReady(opened));
  const seen = ask(backendAt('openai', server.url, { ports: clock }), {
    firstByteTimeoutMs: 900_000,
    idleTimeoutMs,
  });
  const opened = await socket;
  await settle();
  return {
    send: async (text) => {
      await write(opened, text);
      await settle();
    },
    end: () => opened.end(),
    seen,
  };
}

describe('time and numbers', () => {
  it('case 63: a server may be silent for 400 seconds before it answers', async () => {
    const { send, end, seen } = await driven(300_000);
    clock.advance(400_000);
    await settle();
    await send(SSE + c('a') + finish() + DONE);
    end();
    expect(await seen).toMatchObject({ text: 'a', outcome: 'complete' });
  });

  it('case 64: silence in mid-answer fails at its limit, and not before', async () => {
    const short = await driven(300_000);
    await short.send(SSE + c('a'));
    clock.advance(310_000);
    expect(await short.seen).toMatchObject({ text: 'a', outcome: 'failed', fault: { code: 'timeout' } });
    const long = await driven(600_000);
    await long.send(SSE + c('a'));
    clock.advance(310_000);
    await settle();
    await long.send(c('b') + finish() + DONE);
    expect(await long.seen).toMatchObject({ text: 'ab', outcome: 'complete' });
  });

  it('case 64: comments keep the line open', async () => {
    const { send, seen } = await driven(300_000);
    await send(SSE);
    for (let minute = 0; minute < 10; minute += 0.5) {
      clock.advance(30_000);
      await send(':\n\n');
    }
    await send(c('a') + finish() + DONE);
    expect(await seen).toMatchObject({ text: 'a', outcome: 'complete' });
  });

  it('a machine that slept does not take its sleep for the silence of the server', async () => {
    const { send, seen } = await driven(300_000);
    await send(SSE + c('a'));
    clock.sleep(8 * 3600_000);
    await settle();
    await send(c('b') + finish() + DONE);
    expect(await seen).toMatchObject({ text: 'ab', outcome: 'complete' });
  });

  it('case 65: nanoseconds become speeds', async () => {
    const line = {
      done: true,
      done_reason: 'stop',
      eval_count: 100,
      eval_duration: 2e9,
      prompt_eval_count: 50,
      prompt_eval_duration: 5e8,
      load_duration: 3e9,
    };
    expect((await ollama(line)).usage).toEqual({
      promptTokens: 50,
      answerTokens: 100,
      loadMs: 3000,
      promptMs: 500,
      answerMs: 2000,
      promptPerSecond: 100,
      answerPerSecond: 50,
    });
  });

  it('case 66: what was not measured is left out', async () => {
    const none = await ollama({
      done: true,
      done_reason: 'stop',
      eval_count: 1,
      prompt_eval_count: 5,
      prompt_eval_duration: 0,
      eval_duration: 0,
    });
    expect(none.usage).toEqual({ promptTokens: 5, answerTokens: 1, promptMs: 0, answerMs: 0 });
    const timings = {
      prompt_n: 1,
      prompt_ms: 0,
      prompt_per_second: null,
      predicted_n: 1,
      predicted_ms: 0,
      predicted_per_second: 1e6,
    };
    server.reply(CHAT, stream([c('a'), finish(), sse({ choices: [], timings }), DONE]));
    expect((await ask(backendAt('openai', server.url))).usage).toEqual({
      promptTokens: 1,
      answerTokens: 1,
      promptMs: 0,
      answerMs: 0,
    });
  });

  it('case 67: a wall clock that is set back changes nothing', async () => {
    const { send, seen } = await driven(300_000);
    await send(SSE + c('a'));
    clock.setBack(3600_000);
    clock.advance(1000);
    await send(c('b') + finish() + DONE);
    expect(await seen).toMatchObject({ text: 'ab', outcome: 'complete' });
  });

  it('case 67: reading an event costs the same however many came before', () => {
    const reader = new OpenAiReader(PLACE);
    const chunk = {
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content: ' word' }, finish_reason: null }],
    };
    const text = sse(chunk);
    const count = bounded(() => {
      let events = 0;
      for (let index = 0; index < 400_000; index += 1) events += reader.feed(text).length;
      return events;
    });
    expect(count).toBe(400_000);
  });
});
