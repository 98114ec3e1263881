import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeHome, type Home } from '../support/home.js';
import {
  closeChats,
  LASTING,
  openChat,
  PATIENCE_MS,
  storedText,
  untilTrue,
  type ChatWindow,
} from './chat-window.js';
import { endRealServers, realServerMissing, startRealServer, type RealServer } from './real-server.js';

const LONG_TASK = 'Write a very long story about a river, with many details.';
/** Long before the answer would have come to its end by itself. */
const FREED_MS = 10_000;
const AWAY = /not running|away|unreachable|refused/i;

const missing = realServerMissing();
const describeReal = missing === null ? describe : describe.skip;

describeReal('a chat with a real llama.cpp server', () => {
  let server: RealServer;
  let home: Home;
  let chat: ChatWindow;

  beforeAll(async () => {
    server = await startRealServer({ contextTokens: 1024 });
  }, PATIENCE_MS);
  afterAll(endRealServers);
  beforeEach(() => {
    home = makeHome();
  });
  afterEach(() => {
    closeChats();
    home.remove();
  });

  test('lists the model, streams an answer and tells the speed that the server measured', async () => {
    chat = await openChat(home, server.url);
    await chat.ask('Name three colours.');
    await chat.answered();
    expect(chat.phaseBar()).toMatch(/\d tok\/s/);
    expect(chat.phaseBar()).not.toContain('≈');
    await untilTrue('the chat is stored', () => storedText(home).includes('Name three colours.'));
  });

  test('Esc stops the answer: the slot is free again, the text stays, the message box works', async () => {
    chat = await openChat(home, server.url, LASTING);
    await chat.ask(LONG_TASK);
    const words = await chat.someWords();
    expect(await server.busySlots()).toBe(1);
    chat.type('\x1b');
    await untilTrue('the slot is free', async () => (await server.busySlots()) === 0, FREED_MS);
    await chat.waitFor(/cancelled|stopped/i);
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
    chat.type('and then');
    await chat.waitFor('and then');
  });

  test('a prompt longer than the context is asked about before it is sent, with both figures as the server counts them', async () => {
    const small = await startRealServer({ contextTokens: 256 });
    chat = await openChat(home, small.url);
    chat.type(`\x1b[200~${'word '.repeat(600)}\x1b[201~`);
    await chat.waitFor(/word|paste/i);
    chat.type('\r');
    // The server's count of the prompt, not an estimate: sending it all the same would be of no use. A frame comes in several
    // reads: its last row is waited for.
    await chat.waitFor(/The context is full[^]*takes 6\d\d tokens[^]*has a context of 256\b[^]*\n ready /);
    expect(chat.screen()).toMatch(/context full: 6\d\d of 256 tokens/);
    expect(chat.screen()).not.toContain('send all as it is');
    await small.crash();
  });

  test('a server that dies in mid-answer leaves text and message, and is used again when it is back', async () => {
    const doomed = await startRealServer({ contextTokens: 1024 });
    chat = await openChat(home, doomed.url, LASTING);
    await chat.ask(LONG_TASK);
    const words = await chat.someWords();
    await doomed.crash();
    await chat.waitFor(/broken|broke off|lost|closed/i);
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
    await chat.waitFor(AWAY);

    const back = await startRealServer({ contextTokens: 1024, port: doomed.port });
    await chat.waitFor(() => chat.line(2).includes('llama') && !AWAY.test(chat.line(2)));
    await chat.ask('Name one animal.');
    await chat.answered();
    await back.crash();
  });

  test('after kill -9 of the dashboard in mid-answer --continue shows the text, marked interrupted', async () => {
    chat = await openChat(home, server.url, LASTING);
    await chat.ask(LONG_TASK);
    const words = await chat.someWords();
    // Whatever came is on the disk at most a second later.
    await untilTrue('the text is stored', () => words.every((word) => storedText(home).includes(word)));
    chat.signal('SIGKILL');
    await chat.exited;
    await untilTrue('the slot is free', async () => (await server.busySlots()) === 0, FREED_MS);

    chat = await openChat(home, server.url, ['--continue']);
    await chat.waitFor(/interrupted/i);
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
  });
});
