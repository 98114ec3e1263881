import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeHome, type Home } from '../support/home.js';
import { closeChats, openChat, untilTrue } from './chat-window.js';
import { endRealServers, realServerMissing, startRealServer, type RealServer } from './real-server.js';

const KEY = 'sk-real-0123456789abcdef';
const missing = realServerMissing();
const describeReal = missing === null ? describe : describe.skip;

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => {
  closeChats();
  home.remove();
});
afterAll(endRealServers);

/** Answers that keep the slots of a server busy until they are let go. */
function occupy(server: RealServer, slots: number): AbortController {
  const stop = new AbortController();
  for (let i = 0; i < slots; i++)
    void fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: `Count from ${i} to a thousand, slowly.` }],
        ignore_eos: true,
        max_tokens: 900,
      }),
      signal: stop.signal,
    }).catch(() => undefined);
  return stop;
}

describeReal('a real llama.cpp server with a key', () => {
  test('says that it needs one, and answers with the right one; no key is ever on the screen', async () => {
    const server = await startRealServer({ contextTokens: 1024, key: KEY });
    const locked = await openChat(home, server.url, [], /key/i);
    await locked.waitFor(/needs a key|key is missing|key missing/i);
    locked.close();

    home.configure({ backends: [{ url: server.url, key: 'sk-wrong-0123456789' }] });
    const wrong = await openChat(home, '', [], /key/i);
    expect(wrong.screen()).not.toContain('sk-wrong');
    wrong.close();

    home.configure({ backends: [{ url: server.url, key: '${REAL_KEY}' }] });
    const chat = await openChat({ ...home, env: { ...home.env, REAL_KEY: KEY } }, '');
    await chat.ask('Name three colours.');
    await chat.answered();
    expect(chat.screen()).not.toContain(KEY);
    await server.crash();
  });
});

describeReal('a real llama.cpp server with two slots', () => {
  test('a third request is shown as waiting in the queue, and is answered when a slot is free', async () => {
    const server = await startRealServer({ contextTokens: 1024 });
    const chat = await openChat(home, server.url);
    const others = occupy(server, 2);
    await untilTrue('both slots are busy', async () => (await server.busySlots()) === 2);
    chat.type('Name one colour.\r');
    await chat.waitFor(() => /queue/.test(chat.phaseBar()));
    expect(await server.busySlots()).toBe(2);
    others.abort();
    await chat.answered();
    await server.crash();
  });
});

describeReal('a real llama.cpp server that sleeps', () => {
  test('is not woken by the dashboard that watches it, only by a message', async () => {
    const server = await startRealServer({ contextTokens: 1024, sleepSeconds: 2 });
    const chat = await openChat(home, server.url);
    await untilTrue('it sleeps', () => server.sleeping());
    // Several rounds of polls, of the list too; F5 asks for everything at once.
    chat.type('\x1b[15~');
    for (const end = performance.now() + 8000; performance.now() < end;) {
      expect(await server.sleeping()).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await chat.ask('Name three colours.');
    await chat.answered();
    await server.crash();
  });
});
