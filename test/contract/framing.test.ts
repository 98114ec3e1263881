import { gzipSync, createGzip, constants } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChatEvent } from '../../src/backends/backend.js';
import {
  type RawReply,
  RawServer,
  chunked,
  finish as close,
  hang,
  head,
  json,
  packets,
  status,
  stream,
  write,
} from '../support/raw-server.js';
import { DONE, OLLAMA_DONE, type Seen, ask, backendAt, c, finish, nd, o, sse } from './answers.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

async function openAi(reply: RawReply): Promise<Seen> {
  server.reply('/v1/chat/completions', reply);
  return ask(backendAt('llama.cpp', server.url));
}

async function ollama(reply: RawReply): Promise<Seen> {
  server.reply('/api/ps', json({ models: [{ name: 'm:latest' }] })).reply('/api/chat', reply);
  return ask(backendAt('ollama', server.url));
}

const ND = { type: 'application/x-ndjson' };
const sseOf = (...parts: (string | Buffer)[]): RawReply => stream(parts);
const ndOf = (...parts: (string | Buffer)[]): RawReply => stream(parts, ND);

describe('framing of answers', () => {
  for (const letter of ['😀', 'é', '漢']) {
    const bytes = Buffer.from(letter);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      it(`case 1: ${letter} cut after byte ${cut} shows once`, async () => {
        for (const [answer, run] of [
          [c(`a${letter}b`) + finish() + DONE, (parts: Buffer[]) => openAi(sseOf(...parts))],
          [o(`a${letter}b`) + OLLAMA_DONE, (parts: Buffer[]) => ollama(ndOf(...parts))],
        ] as const) {
          const whole = Buffer.from(answer);
          const at = whole.indexOf(bytes) + cut;
          expect((await run([whole.subarray(0, at), whole.subarray(at)])).text).toBe(`a${letter}b`);
        }
      });
    }
  }

  it('case 2: packet borders make no difference', async () => {
    const answer = c('one ') + c('two') + finish() + DONE;
    // Pieces that were read together are one event, others are several: what they say, and of how many pieces, is the same.
    const fieldsOf = ({ events }: Seen): unknown =>
      events.reduce<ChatEvent[]>((joined, event) => {
        const last = joined.at(-1);
        if (event.type !== 'text') return [...joined, event];
        const { text, pieces = 1 } = event;
        if (last?.type !== 'text') return [...joined, { type: 'text', text, pieces }];
        const both = { type: 'text' as const, text: last.text + text, pieces: (last.pieces ?? 1) + pieces };
        return [...joined.slice(0, -1), both];
      }, []);
    const whole = await openAi(sseOf(answer));
    expect(whole.text).toBe('one two');
    expect(fieldsOf(await openAi(sseOf(...answer)))).toEqual(fieldsOf(whole));
    const first = c('one ');
    const forty = Array.from({ length: 40 }, (_, i) =>
      first.slice((i * first.length) / 40, ((i + 1) * first.length) / 40),
    );
    expect(
      fieldsOf(await openAi(sseOf(...forty.filter((part) => part !== ''), c('two') + finish() + DONE))),
    ).toEqual(fieldsOf(whole));
  });

  it('case 3: damaged bytes and halves of surrogate pairs do not stop the answer', async () => {
    const [before = '', after = ''] = c('a@b').split('@');
    const damaged = await openAi(sseOf(before, Buffer.from([0xff, 0xfe]), after, finish() + DONE));
    expect(damaged.text).toBe('a\ufffd\ufffdb');
    const halves = await openAi(sseOf(c('\ud83d'), c('\ude00'), finish() + DONE));
    expect(halves.text).toBe('😀');
    expect((await openAi(sseOf(c('\ud83d'), finish() + DONE))).outcome).toBe('complete');
  });

  it('case 4: every form of line end gives the same events', async () => {
    const answer = c('a') + c('b') + finish() + DONE;
    for (const parts of [
      [answer.replaceAll('\n', '\r\n')],
      answer.replaceAll('\n', '\r\n').split(/(?<=\r)/),
      [answer.replaceAll('\n', '\r')],
      [c('a').replaceAll('\n', '\r') + c('b').replaceAll('\n', '\r\n') + finish() + DONE],
    ]) {
      const seen = await openAi(sseOf(...parts));
      expect([seen.text, seen.outcome]).toEqual(['ab', 'complete']);
    }
  });

  it('case 5: data lines of one event are joined', async () => {
    const seen = await openAi(
      sseOf('data: {"choices":[{"index":0,\ndata: "delta":{"content":"hi"}}]}\n\n', finish() + DONE),
    );
    expect(seen.text).toBe('hi');
  });

  it('case 6: blanks around the data do not matter', async () => {
    const body = '{"choices":[{"index":0,"delta":{"content":"x"}}]}';
    for (const end of ['data:[DONE]\n\n', 'data: [DONE]  \n\n', 'data: [DONE]\r\n\r\n']) {
      const seen = await openAi(sseOf(`data:${body}\n\ndata:  ${body}\n\n${end}`));
      expect([seen.text, seen.outcome]).toEqual(['xx', 'complete']);
    }
  });

  it('case 7: comments are neither text nor an error', async () => {
    const seen = await openAi(
      sseOf(':\n\n', ': ping\n\n', c('a'), ': PROCESSING\n\n', c('b'), ':\n\n', finish() + DONE),
    );
    expect(seen.text).toBe('ab');
    // Pieces that came in one read are one event.
    expect([...new Set(seen.events.map((event) => event.type))]).toEqual(['sent', 'text', 'ended']);
  });

  it('case 8: event, id and retry lines are ignored, and nothing reconnects', async () => {
    const seen = await openAi(sseOf(`event: message\nid: 7\nretry: 3000\n${c('a')}`, finish(), DONE));
    expect([seen.text, seen.outcome, server.requests.length]).toEqual(['a', 'complete', 1]);
  });

  it('case 9: a byte order mark loses nothing', async () => {
    expect((await openAi(sseOf(`\ufeff${c('a')}${finish()}${DONE}`))).text).toBe('a');
    server.reply('/v1/models', status(200, `\ufeff{"data":[{"id":"x"}]}`)).reply('/props', json({}));
    expect(await backendAt('llama.cpp', server.url).models(new AbortController().signal)).toHaveLength(1);
  });

  it('case 10: a last event without its blank line is used', async () => {
    const seen = await openAi(sseOf(c('begin '), c('end').slice(0, -1)));
    expect([seen.text, seen.outcome]).toEqual(['begin end', 'incomplete']);
  });

  it('case 11: a line of 2 MB is read, one past the limit fails', async () => {
    const big = 'x'.repeat(2 * 1024 * 1024);
    expect((await openAi(sseOf(c(big), finish() + DONE))).text).toHaveLength(big.length);
    const part = 'y'.repeat(1024 * 1024);
    const endless = await openAi(sseOf('data: ', ...Array.from({ length: 18 }, () => part)));
    expect([endless.outcome, endless.fault?.message]).toEqual([
      'failed',
      'The server sent a line that is too long.',
    ]);
    const lines = await ollama(ndOf('{"message":"', ...Array.from({ length: 18 }, () => part)));
    expect(lines.outcome).toBe('failed');
  });

  it('case 12: events that are no chunks are skipped', async () => {
    const odd = ['{"choices":[{', 'null', '[]', '"text"', '42', ''].map((text) => `data: ${text}\n\n`);
    const seen = await openAi(sseOf(c('a'), ...odd, c('b'), finish() + DONE));
    expect([seen.text, seen.outcome]).toEqual(['ab', 'complete']);
  });

  it('case 13: a finish reason without [DONE] is complete', async () => {
    expect((await openAi(sseOf(c('a'), finish()))).outcome).toBe('complete');
  });

  it('case 14: a clean end without any mark is incomplete', async () => {
    const seen = await openAi(chunked([c('a')]));
    expect([seen.text, seen.outcome]).toEqual(['a', 'incomplete']);
  });

  it('case 15: [DONE] alone is complete, and an empty answer is said', async () => {
    expect(await openAi(sseOf(c('a'), DONE))).toMatchObject({ outcome: 'complete', reason: null, notes: [] });
    expect(await openAi(sseOf(DONE))).toMatchObject({ outcome: 'complete', notes: ['The answer is empty.'] });
    expect(await openAi(sseOf(finish()))).toMatchObject({
      outcome: 'complete',
      notes: ['The answer is empty.'],
    });
  });

  it('case 16: nothing counts after [DONE], and the socket is released', async () => {
    const seen = await openAi(
      stream([c('a') + finish() + DONE + c('late') + DONE + 'garbage'], { end: 'open' }),
    );
    expect([seen.text, seen.outcome]).toEqual(['a', 'complete']);
    await server.requests[0]?.closed;
  });

  it('case 17: a close before the announced end is broken', async () => {
    for (const reply of [
      chunked([c('a')], { whole: false, end: 'fin' }),
      packets([head(200, { 'Content-Type': 'text/event-stream', 'Content-Length': '1000' }) + c('a')]),
    ]) {
      const seen = await openAi(reply);
      expect([seen.text, seen.outcome]).toEqual(['a', 'broken']);
      expect(seen.fault?.message).toMatch(/closed by the server/);
    }
  });

  it('case 18: a reset in mid-answer is broken, and nothing is sent again', async () => {
    const seen = await openAi(stream([c('a')], { end: 'rst' }));
    expect([seen.text, seen.outcome, server.requests.length]).toEqual(['a', 'broken', 1]);
  });

  it('case 19: an answer without length may end with the connection', async () => {
    expect((await openAi(sseOf(c('a'), finish()))).outcome).toBe('complete');
    expect((await openAi(sseOf(c('a')))).outcome).toBe('incomplete');
  });

  it('case 20: compressed lists are decoded, other encodings are named', async () => {
    const list = gzipSync(JSON.stringify({ data: [{ id: 'x' }] }));
    server.reply('/v1/models', status(200, list, { 'Content-Encoding': 'gzip' })).reply('/props', json({}));
    const backend = backendAt('llama.cpp', server.url);
    expect(await backend.models(new AbortController().signal)).toHaveLength(1);
    server.reply('/v1/models', status(200, 'x', { 'Content-Encoding': 'br' }));
    await expect(backend.models(new AbortController().signal)).rejects.toThrow(/unsupported encoding \(br\)/);
    backend.close();
  });

  it('case 20: a compressed stream shows its deltas before its end', async () => {
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
    let release: () => void = () => undefined;
    const firstSeen = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.reply('/v1/chat/completions', async (socket) => {
      gzip.on('data', (bytes: Buffer) => void socket.write(bytes));
      gzip.on('end', () => close(socket, 'fin'));
      await write(
        socket,
        head(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip', Connection: 'close' }),
      );
      gzip.write(c('a'));
      await firstSeen;
      gzip.end(c('b') + finish() + DONE);
    });
    const seen = await ask(backendAt('llama.cpp', server.url), {
      onEvent: (event) => void (event.type === 'text' && release()),
    });
    expect([seen.text, seen.outcome]).toEqual(['ab', 'complete']);
  });

  it('case 21: lines of Ollama are found in every cut', async () => {
    const answer = o('a') + o('b') + OLLAMA_DONE;
    const at = answer.indexOf('"message"') + 4;
    for (const parts of [
      [answer],
      [answer.slice(0, at), answer.slice(at)],
      [answer.replaceAll('\n', '\r\n')],
      [answer.replaceAll('\n', '\n\n')],
      [answer.slice(0, -1)],
    ]) {
      const seen = await ollama(ndOf(...parts));
      expect([seen.text, seen.outcome]).toEqual(['ab', 'complete']);
    }
  });

  it('case 22: one garbage line is skipped, more of them are no Ollama stream', async () => {
    expect(await ollama(ndOf(o('a'), 'garbage\n', o('b'), OLLAMA_DONE))).toMatchObject({
      text: 'ab',
      outcome: 'complete',
    });
    for (const parts of [['garb\u001b[2Jage\n'], [o('a'), 'x\ny\nz\n', o('b')]]) {
      const seen = await ollama(ndOf(...parts));
      expect(seen.outcome).toBe('failed');
      expect(seen.fault?.message).toMatch(/^This is not an Ollama stream/);
      expect(seen.fault?.message).not.toContain('\u001b');
    }
  });

  it('case 23: a whole body is shown as one delta', async () => {
    const whole = {
      choices: [{ index: 0, message: { content: 'ab' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 2 },
    };
    expect(await openAi(json(whole))).toMatchObject({
      text: 'ab',
      outcome: 'complete',
      usage: { answerTokens: 2 },
    });
    const line = { message: { content: 'ab' }, done: true, done_reason: 'stop', eval_count: 2 };
    expect(await ollama(json(line))).toMatchObject({
      text: 'ab',
      outcome: 'complete',
      usage: { answerTokens: 2 },
    });
  });

  it('case 23: the content type is not believed', async () => {
    for (const type of ['application/json', 'text/plain', null]) {
      expect(await openAi(stream([`\n:\n\n${c('a')}`, finish() + DONE], { type }))).toMatchObject({
        text: 'a',
        outcome: 'complete',
      });
      expect(await ollama(stream([o('a'), OLLAMA_DONE], { type }))).toMatchObject({
        text: 'a',
        outcome: 'complete',
      });
    }
    expect((await openAi(stream(['<html><body>portal'], { type: null }))).fault?.code).toBe('not-a-server');
  });

  it('a tool that answers nothing at all is stopped by its limit', async () => {
    server.reply('/v1/chat/completions', hang);
    const seen = await ask(backendAt('llama.cpp', server.url), { firstByteTimeoutMs: 60 });
    expect([seen.outcome, seen.fault?.code]).toEqual(['failed', 'timeout']);
  });

  it('sse() writes what the reader reads', async () => {
    expect((await openAi(sseOf(sse({ choices: [{ delta: { content: nd({}) } }] }), DONE))).text).toBe('{}\n');
  });
});
