import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { identify } from '../../src/backends/identify.js';
import { ask, backendAt, REAL_PORTS } from '../contract/answers.js';
import { makeHome, type Home } from '../support/home.js';
import { closeChats, LASTING, openChat, PATIENCE_MS, type ChatWindow } from './chat-window.js';
import {
  endRealServers,
  liteLlmMissing,
  realServerMissing,
  startLiteLlm,
  startRealServer,
  type RealServer,
} from './real-server.js';

const KEY = 'sk-litellm-0123456789abcdef';
const missing = realServerMissing() ?? liteLlmMissing();
const describeReal = missing === null ? describe : describe.skip;

describeReal("LiteLLM's real proxy in front of a real llama.cpp server", () => {
  let upstream: RealServer;
  let proxy: { readonly url: string };
  let home: Home;

  beforeAll(async () => {
    upstream = await startRealServer({ contextTokens: 512 });
    proxy = await startLiteLlm(upstream.url, KEY);
  }, 2 * PATIENCE_MS);
  afterAll(endRealServers);
  beforeEach(() => {
    home = makeHome();
    home.configure({ backends: [{ url: proxy.url, key: KEY }] });
  });
  afterEach(() => {
    closeChats();
    home.remove();
  });

  const open = (args: readonly string[] = []): Promise<ChatWindow> => openChat(home, '', args, /tiny/);

  test('is known by its answers, with and without its key', async () => {
    const signal = new AbortController().signal;
    expect(await identify({ url: proxy.url, key: KEY }, signal, REAL_PORTS)).toBe('litellm');
    expect(await identify({ url: proxy.url, key: null }, signal, REAL_PORTS)).toBe('litellm');
  });

  test('lists its model and streams an answer with the figures of the server; the key is never shown', async () => {
    const chat = await open();
    await chat.ask('Name three colours.');
    await chat.answered();
    expect(chat.phaseBar()).toMatch(/tok/);
    expect(chat.screen()).toContain('LiteLLM');
    expect(chat.screen()).not.toContain(KEY);
  });

  test('a missing and a wrong key are told as such', async () => {
    for (const key of [undefined, 'sk-wrong-0123456789abcdef']) {
      const backend = backendAt('litellm', proxy.url, key === undefined ? {} : { key });
      const { status } = await backend.check(new AbortController().signal);
      expect(status).toMatchObject({ state: 'away', fault: { code: 'unauthorized' } });
      expect(JSON.stringify(status)).not.toContain('sk-wrong');
      backend.close();
    }
  });

  test('an unknown model is told as such', async () => {
    const backend = backendAt('litellm', proxy.url, { key: KEY });
    const seen = await ask(backend, { model: { name: 'nope' } });
    expect(seen).toMatchObject({ outcome: 'failed', fault: { code: 'unknown-model' } });
    backend.close();
  });

  test('a prompt longer than the context of the server behind is told with its figures', async () => {
    const backend = backendAt('litellm', proxy.url, { key: KEY });
    const seen = await ask(backend, { model: { name: 'tiny' }, content: 'word '.repeat(1500) });
    expect(seen).toMatchObject({ outcome: 'failed', fault: { code: 'context-full', contextTokens: 512 } });
    expect(seen.fault?.promptTokens).toBeGreaterThan(1000);
    backend.close();
  });

  test('Esc stops the answer, and the text stays', async () => {
    const chat = await open(LASTING);
    await chat.ask('Write a very long story about a river, with many details.');
    const words = await chat.someWords();
    chat.type('\x1b');
    await chat.waitFor(/cancelled|stopped/i);
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
  });

  // The last one: the server behind does not come back.
  test('when the server behind is down the answer says why', async () => {
    const chat = await open();
    await upstream.crash();
    chat.type('Name one animal.\r');
    await chat.waitFor(/failed: .*(connect|upstream|reach)/i);
    chat.type('still here');
    await chat.waitFor('still here');
  });
});
