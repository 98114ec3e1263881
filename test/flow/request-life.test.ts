import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { makeHome } from '../support/home.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const F6 = '\x1b[17~';
const F7 = '\x1b[18~';
const NO_SERVER = 'http://127.0.0.1:9';

let ollama: ScriptedServer;
let llama: ScriptedServer;

beforeAll(async () => {
  ollama = await startScriptedServer({ kind: 'ollama' });
  llama = await startScriptedServer({
    kind: 'llama.cpp',
    models: [{ ...PLAIN_MODEL, name: 'other.gguf' }],
  });
});
afterAll(async () => {
  await ollama.close();
  await llama.close();
});
beforeEach(() => {
  ollama.play({});
  llama.play({});
});
afterEach(closeDashboards);

const REFUSAL = { status: 500, body: { error: 'no slot is free' } };
const answering = (at: TestDashboard): Promise<void> => at.sees(() => /Esc stop/.test(at.phaseBar()));
const idle = (at: TestDashboard): Promise<void> => at.sees(() => !/Esc stop/.test(at.phaseBar()));

/** Messages of the last request that was sent to a server. */
function lastMessages(server: ScriptedServer): readonly { role: string; content: string }[] {
  const index = server.requests.findLastIndex((request) => /chat/.test(request));
  const body = JSON.parse(server.bodies[index] ?? '{}') as { messages?: { role: string; content: string }[] };
  return body.messages ?? [];
}

describe('an answer that could not start', () => {
  const settings = { fallback: ['llama.cpp/other.gguf', 'mock'], model: 'scripted:1b' };

  async function open(more: object = {}): Promise<TestDashboard> {
    const at = await startDashboard({
      urls: [ollama.url, llama.url],
      settings: { ...settings, ...more },
    });
    await at.sees('scripted:1b · ollama');
    await at.sees('other');
    return at;
  }

  it('is offered to the next model under it, and F6 asks that one', async () => {
    ollama.play({ refusal: REFUSAL });
    llama.play({ answer: ['from the other'] });
    const at = await open();
    at.send('Why?');
    await at.sees('no slot is free');
    await at.sees(/F6 asks other(\.gguf)? on llama\.cpp/);
    expect(at.phaseBar()).toContain('F6 next model');
    at.type(F6);
    await at.sees('from the other');
    await at.sees(/answered by other.*scripted:1b on ollama could not start \(no slot is free/);
    await at.sees(/in place of scripted:1b/);
    expect(at.screen()).not.toContain('F6 asks');
    expect(at.line(0)).toContain('scripted:1b');
  });

  it('goes to the next by itself with auto, to the mock at last, and its file tells all of it', async () => {
    ollama.play({ refusal: REFUSAL });
    llama.play({ refusal: REFUSAL });
    const at = await open({ fallbackMode: 'auto' });
    at.send('Why?');
    await at.sees('This is the mock', 8000);
    await at.sees(/mock \(no model\) in place of scripted:1b/);
    await at.quit();
    const [file = ''] = fs.readdirSync(at.home.chats).filter((name) => name.endsWith('.ndjson'));
    const stored = fs.readFileSync(path.join(at.home.chats, file), 'utf8');
    expect(stored).toMatch(/"fellBackFrom":\[.*scripted:1b.*no slot is free.*other/);
  });

  it('never goes elsewhere after the first word', async () => {
    ollama.play({ answer: 20, failure: { kind: 'cut', after: 2 } });
    const at = await open({ fallbackMode: 'auto' });
    at.send('Why?');
    await at.sees(/broken|failed/);
    await at.sees('c goes on');
    at.type(F6);
    await at.sees('only an answer that could not start');
    expect(llama.answers.filter((a) => !a.done)).toEqual([]);
  });

  it('of a server that was never there goes to the mock, also for the model of the start', async () => {
    const at = await startDashboard({
      urls: [NO_SERVER],
      settings: { model: 'gpu/big', fallback: ['mock'], fallbackMode: 'auto' },
    });
    await at.sees('No server answers');
    at.send('Why?');
    await at.sees(/in place of gpu\/big/);
    await at.sees(/no server has the model gpu\/big/);
    await at.sees('This is the mock', 8000);
  });
});

describe('going on with an answer', () => {
  it('that broke: the server takes up the text, which grows in its place', async () => {
    const at = await startDashboard({ urls: [llama.url] });
    await at.sees(/other.* · llama\.cpp/);
    llama.play({ answer: ['The sky ', 'is blue'], failure: { kind: 'cut', after: 2 } });
    at.send('Why?');
    await at.sees('c goes on');
    llama.play({ answer: [' because', ' of the air. END'] });
    at.type('\tc');
    await at.sees('The sky is blue because of the air. END');
    await idle(at);
    expect(at.screen()).toContain('the server took up the text so far');
    expect(at.screen()).not.toContain('c goes on');
    expect(lastMessages(llama).at(-1)).toEqual({ role: 'assistant', content: 'The sky is blue' });
  });

  it('that was cut off at its limit: what was set is told, and the rest comes within the same limit', async () => {
    const settings = { maxTokens: 2, temperature: 0 };
    const at = await startDashboard({ urls: [llama.url], settings });
    await at.sees(/other.* · llama\.cpp/);
    llama.play({ answer: ['The sky ', 'is blue', ' never shown'] });
    at.send('Why?');
    await at.sees('cut off at 2 tokens, as maxTokens says · c goes on');
    expect(at.phaseBar()).toMatch(/^ cut off · 2 tok/);
    llama.play({ answer: [' because', ' of the air.', ' never shown'] });
    at.type('\tc');
    await at.sees('The sky is blue because of the air.');
    await at.sees('cut off after 2 more tokens, as maxTokens says');
    expect(at.screen()).not.toContain('never shown');
    const chats = llama.bodies.filter((_body, i) => llama.requests[i] === 'POST /v1/chat/completions');
    for (const body of chats.slice(-2))
      expect(JSON.parse(body)).toMatchObject({ max_tokens: 2, temperature: 0 });
    at.type('i');
    await at.sees(/asked with +temperature 0, maxTokens 2/);
  });

  it('after the program was ended in its middle: --continue, c', async () => {
    const home = makeHome();
    try {
      const first = await startDashboard({ urls: [llama.url], home });
      await first.sees(/other.* · llama\.cpp/);
      llama.play({ answer: ['half of it ', ...Array<string>(500).fill('')], tokensPerSecond: 50 });
      first.send('Why?');
      await first.sees('half of it');
      await first.sees(() => /half of it/.test(storedIn(home.chats)));
      // As kill -9 leaves it: without an end.
      const file = path.join(home.chats, fs.readdirSync(home.chats).find((f) => f.endsWith('.ndjson')) ?? '');
      const text = fs.readFileSync(file, 'utf8');
      await first.close();
      fs.writeFileSync(file, text);
      llama.play({ answer: ['and the rest. END'] });
      const second = await startDashboard({ urls: [llama.url], home, continueLast: true });
      await second.sees(/interrupted: lmapp ended while this was written · c goes on/);
      await second.sees(/other.* · llama\.cpp/);
      second.type('\tc');
      await second.sees('half of it and the rest. END');
      await idle(second);
      await second.quit();
      expect(storedIn(home.chats)).toContain('"t":"continue"');
    } finally {
      await closeDashboards();
      home.remove();
    }
  });
});

function storedIn(folder: string): string {
  if (!fs.existsSync(folder)) return '';
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
  return files.map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('');
}

describe('after a stop', () => {
  async function stopAt(worksOnMs: number): Promise<TestDashboard> {
    const at = await startDashboard({ urls: [llama.url] });
    await at.sees(/other.* · llama\.cpp/);
    llama.play({ answer: 500, tokensPerSecond: 100, worksOnMs });
    const asked = llama.answers.length;
    at.send('Why?');
    await answering(at);
    await at.sees(() => (llama.answers[asked]?.pieces ?? 0) > 5);
    at.type('\x03');
    await at.sees('stopped by you');
    return at;
  }

  it('it is said that the server is idle when it is seen to be', async () => {
    const at = await stopAt(0);
    await at.sees('stopped, server idle');
    await at.sees(/stopped by you, and the server is idle \(\/slots\)/);
    at.clock.skip(10_000);
    await at.misses('stopped, server idle');
  });

  it('it is said that the server goes on, until it is idle', async () => {
    const at = await stopAt(5000);
    await at.sees(/cancelled · looking whether the server stops, too/);
    expect(at.screen()).not.toContain('still working');
    await at.sees(/stopped, server still working \(\/slots\)/, 5000);
    // A single model server cannot unload: nothing is offered.
    expect(at.phaseBar()).not.toContain('F7');
    at.type(F7);
    await at.sees(/goes on with the stopped answer, and\s+cannot unload/);
    await at.sees('stopped, server idle', 6000);
  }, 15_000);

  it('case 68: what the stop meant for the server is said with the answer', async () => {
    const cold = await startScriptedServer({ kind: 'ollama', models: [{ ...PLAIN_MODEL, loaded: null }] });
    try {
      cold.play({ headAfterMs: 60_000 });
      const at = await startDashboard({ urls: [cold.url] });
      await at.sees('scripted:1b · ollama');
      at.send('Why?');
      await at.sees(() => /load/.test(at.phaseBar()));
      at.type('\x03');
      await at.sees('The model was still being loaded: that was stopped too.');
    } finally {
      await cold.close();
    }
  });

  it('a new question ends the looking', async () => {
    const at = await stopAt(60_000);
    await at.sees(/cancelled · looking/);
    llama.play({ answer: ['next answer'] });
    at.send('And now?');
    await at.sees('next answer');
    const seen = (): number => llama.requests.filter((r) => r === 'GET /slots').length;
    const before = seen();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(seen() - before).toBeLessThanOrEqual(1);
    expect(at.screen()).not.toContain('still working');
  });
});

describe('a long wait', () => {
  it('is said in the phase bar and ended by nobody', async () => {
    const at = await startDashboard({ urls: [llama.url] });
    await at.sees(/other.* · llama\.cpp/);
    llama.play({ headAfterMs: 1500, answer: ['at last'] });
    const asked = llama.answers.length;
    at.send('Why?');
    await answering(at);
    // Before it has come there, the time is that of a connection.
    await at.sees(() => llama.answers.length > asked);
    // Ticks of a second each; a single jump would be the sleep of the machine.
    for (let i = 0; i < 40; i++) at.clock.skip(1000);
    await at.sees(/waiting for the model (3[0-9]|4[0-9]) s/);
    await at.sees('at last');
  });
});
