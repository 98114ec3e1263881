import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { defaultLimits } from '../../src/domain/limits.js';
import type { PullProgress } from '../../src/domain/model.js';
import { RawServer, hang, head, json, stream, write } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { backendAt, modelOf, nd } from './answers.js';
import { SteeredClock, settle } from './steered-clock.js';

let server: RawServer;
const open: Backend[] = [];
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(async () => {
  for (const backend of open.splice(0)) backend.close();
  await server.stop();
});

const signal = new AbortController().signal;
const NDJSON = { type: 'application/x-ndjson' };
const SUCCESS = nd({ status: 'success' });

function ollama(clock?: SteeredClock): Backend {
  const backend = backendAt('ollama', server.url, clock === undefined ? {} : { ports: clock });
  open.push(backend);
  return backend;
}

async function pulled(backend: Backend, stop = signal): Promise<PullProgress[]> {
  const seen: PullProgress[] = [];
  for await (const progress of backend.pull?.('m', stop) ?? []) seen.push(progress);
  return seen;
}

const layer = (digest: string, total: number, completed?: number): string =>
  nd({
    status: `pulling ${digest}`,
    digest: `sha256:${digest}`,
    total,
    ...(completed === undefined ? {} : { completed }),
  });

describe('pull and delete', () => {
  it('case 85: layers that come in parallel, shrink, begin without a figure and appear late stay within the total', async () => {
    const lines = [
      nd({ status: 'pulling manifest' }),
      layer('a', 100_000_000, 50_000_000),
      layer('b', 20_000_000),
      layer('a', 100_000_000, 30_000_000),
      layer('c', 10, 99),
      layer('d', 300_000_000, 1),
      nd({ status: 'pulling e', digest: 'sha256:e', total: -1, completed: 'x' }),
      SUCCESS,
    ];
    server.reply('/api/pull', stream(lines, NDJSON));
    const seen = await pulled(ollama());
    expect(seen.map(({ completedBytes, totalBytes }) => [completedBytes, totalBytes])).toEqual([
      [null, null],
      [50_000_000, 100_000_000],
      [50_000_000, 120_000_000],
      [30_000_000, 120_000_000],
      [30_000_010, 120_000_010],
      [30_000_011, 420_000_010],
      [30_000_011, 420_000_010],
      [30_000_011, 420_000_010],
    ]);
    expect(seen.map(({ phase }) => phase)).toEqual([
      'preparing',
      ...Array<string>(6).fill('downloading'),
      'done',
    ]);
    expect(seen.at(-1)?.layers).toHaveLength(4);
  });

  it('case 86: four silent minutes of verifying are no end, and no limit counts them', async () => {
    const clock = new SteeredClock();
    let go: () => void = () => undefined;
    const verified = new Promise<void>((resolve) => (go = resolve));
    server.reply('/api/pull', async (socket) => {
      await write(socket, head(200, { Connection: 'close', 'Content-Type': 'application/x-ndjson' }));
      await write(socket, layer('a', 10, 10) + nd({ status: 'verifying sha256 digest' }));
      await verified;
      await write(socket, nd({ status: 'writing manifest' }) + SUCCESS);
      socket.end();
    });
    const phases: string[] = [];
    const pull = (async () => {
      for await (const { phase } of ollama(clock).pull?.('m', signal) ?? []) phases.push(phase);
    })();
    while (phases.at(-1) !== 'verifying') await settle();
    for (let minute = 0; minute < 20; minute += 1) clock.advance(60_000);
    go();
    await pull;
    expect(phases).toEqual(['downloading', 'verifying', 'verifying', 'done']);
  });

  it('case 86: an error after 200 is told in the words of the server', async () => {
    const failing = (error: string) => stream([nd({ status: 'pulling manifest' }), nd({ error })], NDJSON);
    server.reply('/api/pull', failing('pull model manifest: file does not exist'));
    await expect(pulled(ollama())).rejects.toMatchObject({
      fault: {
        code: 'unknown-model',
        message: 'No such model in the registry: pull model manifest: file does not exist.',
      },
    });
    server.reply('/api/pull', failing('write /models/blobs/x: no space left on device'));
    await expect(pulled(ollama())).rejects.toMatchObject({
      fault: { code: 'server-error', hint: 'Make room on the disk of the server, then pull again.' },
    });
    server.reply('/api/pull', recorded('ollama/pull-failure'));
    await expect(pulled(ollama())).rejects.toMatchObject({
      fault: {
        message: expect.stringContaining('no such host') as unknown,
        hint: 'The server must reach the registry: check its network and proxy.',
      },
    });
    server.reply('/api/pull', json({ error: 'invalid model name' }, 400));
    await expect(pulled(ollama())).rejects.toMatchObject({
      fault: { code: 'unknown-model', message: 'No such model in the registry: m', status: 400 },
    });
  });

  it.each([
    ['ends without success', stream([layer('a', 10, 5)], NDJSON)],
    ['is reset', stream([layer('a', 10, 5)], { ...NDJSON, end: 'rst' })],
  ])('case 86: a pull that %s can be taken up again', async (_, reply) => {
    server.reply('/api/pull', reply);
    await expect(pulled(ollama())).rejects.toMatchObject({
      fault: { code: 'broken', hint: 'Pull it again: it goes on from where it stopped.' },
    });
  });

  it('case 86: a pull that is taken up again begins where it was', async () => {
    server.reply('/api/pull', stream([layer('a', 10, 7), layer('a', 10, 10), SUCCESS], NDJSON));
    expect((await pulled(ollama())).map(({ completedBytes }) => completedBytes)).toEqual([7, 10, 10]);
  });

  it('lines without progress for ten minutes are the end of a pull', async () => {
    const clock = new SteeredClock();
    let again: () => void = () => undefined;
    server.reply('/api/pull', async (socket) => {
      await write(socket, head(200, { Connection: 'close', 'Content-Type': 'application/x-ndjson' }));
      await write(socket, layer('a', 10, 5));
      again = () => void socket.write(layer('a', 10, 5));
    });
    let lines = 0;
    const pull = (async () => {
      for await (const progress of ollama(clock).pull?.('m', signal) ?? []) lines += progress.layers.length;
    })();
    const failure = expect(pull).rejects.toMatchObject({
      fault: { code: 'timeout', message: 'The download made no progress for 10 min.' },
    });
    while (lines < 1) await settle();
    for (let minute = 0; minute < 9; minute += 1) clock.advance(60_000);
    again();
    while (lines < 2) await settle();
    clock.advance(60_000);
    await failure;
  });

  it('a cancel closes the socket, and no limit of the settings is none', async () => {
    server.reply('/api/pull', hang);
    const stop = new AbortController();
    const ports = { now: Date.now, monotonic: () => performance.now() };
    const backend = backendAt('ollama', server.url, {
      ports: { ...ports, limits: { ...defaultLimits(server.url), pullMs: null } },
    });
    open.push(backend);
    const pull = pulled(backend, stop.signal);
    const request = await server.waitFor('/api/pull');
    expect(JSON.parse(request.body)).toEqual({ model: 'm', stream: true });
    stop.abort();
    await expect(pull).rejects.toThrow('The request was cancelled.');
    await request.closed;
  });

  it('a reader who leaves closes the socket', async () => {
    server.reply('/api/pull', stream([layer('a', 10, 5)], { ...NDJSON, end: 'open' }));
    for await (const progress of ollama().pull?.('m', signal) ?? []) if (progress.layers.length > 0) break;
    await (
      await server.waitFor('/api/pull')
    ).closed;
  });

  it('case 26: a delete that is answered by nothing is done, an unknown model is named', async () => {
    const backend = ollama();
    server.reply('DELETE /api/delete', recorded('ollama/delete'));
    await backend.delete?.(modelOf(backend, { name: 'smollm2-c' }), signal);
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', body: '{"model":"smollm2-c"}' });
    server.reply('DELETE /api/delete', recorded('ollama/delete-unknown'));
    await expect(backend.delete?.(modelOf(backend, { name: 'x' }), signal)).rejects.toMatchObject({
      fault: { code: 'unknown-model', status: 404 },
    });
  });
});
