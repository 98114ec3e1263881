import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PacedSocket } from '../../../src/wire/paced-socket.js';
import { HandClock } from '../../support/fake-streams.js';

let server: Server;
let accepted: Promise<Socket>;
let clock: HandClock;
const opened: { destroy(): unknown }[] = [];

beforeEach(async () => {
  clock = new HandClock();
  server = createServer({ noDelay: true });
  accepted = new Promise((resolve) => server.once('connection', resolve));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await new Promise((closed) => server.close(closed));
});

async function open(host = '127.0.0.1') {
  const { port } = server.address() as AddressInfo;
  const client = new PacedSocket({ host, port }, clock);
  const peer = await accepted;
  opened.push(client, peer);
  const reads: string[] = [];
  client.on('data', (bytes: Buffer) => reads.push(bytes.toString()));
  const send = (text: string): Promise<void> => new Promise((sent) => void peer.write(text, () => sent()));
  return { client, peer, reads, send };
}

/** Lets the loop run until it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Rounds of the loop in which everything that is to come on loopback has come. */
async function rounds(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a socket that is read in step with the eye', () => {
  it('gives the first packets at once, and quick ones that follow in one go', async () => {
    const { reads, send } = await open();
    await send('head ');
    await until(() => reads.length === 1);
    await send('first ');
    await until(() => reads.length === 2);
    await send('second ');
    await send('third ');
    await rounds();
    expect(reads).toEqual(['head ', 'first ']);
    clock.pass(100);
    await until(() => reads.length === 3);
    expect(reads[2]).toBe('second third ');
  });

  it('finds a name that has several addresses', async () => {
    const { reads, send } = await open('localhost');
    await send('here');
    await until(() => reads.length === 1);
  });

  it('reads what comes slowly as it comes', async () => {
    const { reads, send } = await open();
    for (const word of ['one', 'two', 'three', 'four']) {
      await send(word);
      await until(() => reads.at(-1) === word);
      clock.pass(100);
    }
    expect(reads).toHaveLength(4);
  });

  it('drains a backlog without waiting', async () => {
    const { reads, send, client } = await open();
    const size = 1_000_000;
    let read = 0;
    client.on('data', (bytes: Buffer) => (read += bytes.length));
    await send('a');
    await until(() => reads.length === 1);
    await send('b');
    await until(() => reads.length === 2);
    await send('x'.repeat(size));
    await rounds();
    expect(read).toBe(2);
    let pauses = 0;
    for (; read < size + 2; pauses++) {
      clock.pass(100);
      await rounds();
    }
    // A million bytes in small pieces would have been thousands of pauses.
    expect(pauses).toBeLessThan(10);
  });

  it('sees the end behind a pause, with everything before it', async () => {
    const { reads, send, peer, client } = await open();
    let ended = false;
    client.on('end', () => (ended = true));
    await send('a');
    await until(() => reads.length === 1);
    await send('b');
    await until(() => reads.length === 2);
    peer.end('last');
    await rounds();
    expect([reads.length, ended]).toEqual([2, false]);
    clock.pass(100);
    await until(() => ended);
    expect(reads.join('')).toBe('ablast');
  });

  it('closes at once, also in a pause', async () => {
    const { reads, send, peer, client } = await open();
    await send('a');
    await until(() => reads.length === 1);
    await send('b');
    await until(() => reads.length === 2);
    const closed = new Promise((resolve) => peer.once('close', resolve));
    peer.resume();
    client.destroy();
    await closed;
  });

  it('tells of a reset as an error', async () => {
    const { peer, client } = await open();
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.once('error', resolve));
    peer.resetAndDestroy();
    expect((await failed).code).toBe('ECONNRESET');
  });

  it('sends what is written, also before it is connected', async () => {
    const { peer, client } = await open();
    const heard = new Promise<string>((resolve) => peer.once('data', (bytes) => resolve(bytes.toString())));
    client.write('question');
    expect(await heard).toBe('question');
  });
});
