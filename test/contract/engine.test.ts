import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { ChatEvent } from '../../src/backends/backend.js';
import { bundleProgram } from '../support/bundle.js';
import {
  asks,
  collected,
  fakeMachine,
  isRunning,
  textOf,
  until,
  type FakeMachine,
  type FakeMachineOptions,
} from '../support/fake-engine.js';
import { useFolder } from '../support/folder.js';
import { createLiveClock, type LiveClock } from '../support/live-clock.js';

const folder = useFolder();
const NEVER = new AbortController().signal;
const LONG = Array.from({ length: 700 }, (_, i) => `w${i}`).join(' ');

let childPath = '';
let clock: LiveClock;
const machines: FakeMachine[] = [];

beforeAll(async () => {
  childPath = await bundleProgram('src/engine/child.ts');
});

afterEach(async () => {
  const pids = machines.flatMap((machine) => machine.calls('tiny').map(({ pid }) => pid));
  for (const machine of machines.splice(0)) machine.backend.close();
  await until(() => !pids.some(isRunning));
  clock.stop();
});

function machine(
  models: FakeMachineOptions['models'] = { tiny: {} },
  env: Readonly<Record<string, string>> = {},
): FakeMachine {
  clock = createLiveClock();
  const made = fakeMachine({ folder: folder.path(), childPath, clock, models, env });
  machines.push(made);
  return made;
}

async function chat(
  at: FakeMachine,
  text: string,
  more: Parameters<typeof asks>[2] = {},
  onEvent?: (event: ChatEvent) => void,
): Promise<readonly ChatEvent[]> {
  return collected(at.backend.chat(asks(await at.model('tiny'), text, more), NEVER), onEvent);
}

/** A chat that is stopped by the first event of this kind. */
async function chatStoppedBy(
  at: FakeMachine,
  text: string,
  stops: (event: ChatEvent) => boolean,
): Promise<readonly ChatEvent[]> {
  const abort = new AbortController();
  const stream = at.backend.chat(asks(await at.model('tiny'), text), abort.signal);
  return collected(stream, (event) => {
    if (stops(event)) abort.abort();
  });
}

function endOf(events: readonly ChatEvent[]): Extract<ChatEvent, { type: 'ended' }> {
  expect(events.filter(({ type }) => type === 'ended')).toHaveLength(1);
  return events.at(-1) as Extract<ChatEvent, { type: 'ended' }>;
}

function pidsOf(at: FakeMachine): readonly number[] {
  return [...new Set(at.calls('tiny').map(({ pid }) => pid))];
}

describe('an answer of this machine', () => {
  it('comes after the per cent of the load and the exact counts of the prompt, and ends with its figures', async () => {
    const at = machine();
    const events = await chat(at, LONG);
    expect(events[0]).toEqual({ type: 'sent' });
    const loads = events.flatMap((event) => (event.type === 'loading' ? [event.progress] : []));
    expect(loads).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    const read = events.flatMap((event) => (event.type === 'prefill' ? [event.progress] : []));
    // 700 words and two marks of the template; the last is read with the answer.
    expect(read[0]).toEqual({ processed: 0, total: 702, cached: 0 });
    expect(read[1]).toEqual({ processed: 64, total: 702, cached: 0 });
    expect(read.at(-1)).toEqual({ processed: 701, total: 702, cached: 0 });
    expect(textOf(events)).toBe(`you said ${LONG}`);
    // Told before the prompt is read, and while the answer comes.
    const counts = events.findIndex(({ type }) => type === 'usage');
    expect(events[counts]).toMatchObject({ usage: { promptTokens: 702, cachedTokens: 0 }, source: 'engine' });
    expect(counts).toBeLessThan(events.findIndex(({ type }) => type === 'prefill'));
    expect(events.at(-2)).toMatchObject({
      type: 'usage',
      usage: { promptTokens: 702, cachedTokens: 0, answerTokens: 703 },
    });
    expect(endOf(events)).toMatchObject({ outcome: 'complete', reason: 'stop', fault: null });
  });

  it('reads of the next message only what is new', async () => {
    const at = machine({ tiny: { answer: 'yes' } });
    await chat(at, 'one two three');
    const before = [
      { role: 'user', content: 'one two three' },
      { role: 'assistant', content: 'yes' },
    ] as const;
    const events = await chat(at, 'four', { before });
    // What was there: a mark, three words, a mark, the answer.
    expect(events).toContainEqual({
      type: 'prefill',
      progress: { processed: 6, total: 9, cached: 6 },
      source: 'engine',
    });
    expect(at.calls('tiny').filter(({ call }) => call === 'load')).toHaveLength(1);
  });

  it('is asked with what is set, as llama.cpp has it where nothing is, and says that it was cut off', async () => {
    const at = machine();
    await chat(at, 'one two three');
    const sampling = { temperature: 0, topP: 0.5, seed: 7, maxTokens: 2 };
    const events = await chat(at, 'one two three', { sampling });
    const [plain, chosen] = at.calls('tiny').filter(({ call }) => call === 'generate');
    expect(plain).toMatchObject({ temperature: 0.8, topP: 0.95 });
    expect(plain).not.toHaveProperty('seed');
    expect(chosen).toMatchObject(sampling);
    expect(textOf(events)).toBe('you said ');
    expect(events.at(-2)).toMatchObject({ usage: { answerTokens: 2 } });
    expect(endOf(events)).toMatchObject({ outcome: 'complete', reason: 'length' });
  });

  it('keeps its thinking apart', async () => {
    const events = await chat(machine({ tiny: { answer: 'first I think' } }), 'THINK');
    const thoughts = events.map((event) => (event.type === 'reasoning' ? event.text : '')).join('');
    expect([thoughts, textOf(events)]).toEqual(['first I ', 'think']);
  });

  it('waits for the one before, and says so', async () => {
    const at = machine();
    const abort = new AbortController();
    const model = await at.model('tiny');
    let second: Promise<readonly ChatEvent[]> | null = null;
    const first = collected(at.backend.chat(asks(model, 'ENDLESS'), abort.signal), (event) => {
      if (event.type !== 'text' || second) return;
      second = collected(at.backend.chat(asks(model, 'hello'), NEVER), (told) => {
        if (told.type === 'queued') abort.abort();
      });
    });
    expect(endOf(await first).outcome).toBe('cancelled');
    const events = (await second) ?? [];
    expect(events).toContainEqual({ type: 'queued', position: 1, source: 'engine' });
    expect(textOf(events)).toBe('you said hello');
  });

  it('that does not fit is refused with its figures before anything is computed', async () => {
    const at = machine();
    const { outcome, fault } = endOf(await chat(at, LONG, { contextTokens: 512 }));
    expect(outcome).toBe('failed');
    expect(fault).toMatchObject({ code: 'context-full', promptTokens: 702, contextTokens: 512 });
    expect(fault?.message).toContain('702');
    expect(at.calls('tiny').map(({ call }) => call)).not.toContain('evaluate');
    expect(at.calls('tiny').map(({ call }) => call)).not.toContain('generate');
  });

  it('that leaves the answer no room is refused before anything is computed, when that is asked for', async () => {
    const at = machine();
    // 702 tokens; an eighth of the context is kept.
    const tight = { contextTokens: 800, keepsRoom: true };
    const { outcome, fault } = endOf(await chat(at, LONG, tight));
    expect({ outcome, fault }).toMatchObject({
      outcome: 'failed',
      fault: { code: 'context-full', promptTokens: 702, contextTokens: 800 },
    });
    expect(at.calls('tiny').map(({ call }) => call)).not.toContain('evaluate');
    expect(endOf(await chat(at, LONG, { ...tight, contextTokens: 803 })).outcome).toBe('complete');
  });
});

describe('a cancel', () => {
  it('in the prompt is heeded within a slice, and what was read is used', async () => {
    const gate = folder.path('open');
    const at = machine({ tiny: { gate, answer: 'ok' } });
    const events = await chatStoppedBy(
      at,
      LONG,
      (event) => event.type === 'prefill' && event.progress.processed === 128,
    );
    expect(endOf(events)).toMatchObject({ outcome: 'cancelled', fault: null });
    fs.writeFileSync(gate, '');
    const next = await chat(at, LONG);
    expect(next).toContainEqual({
      type: 'prefill',
      progress: { processed: 192, total: 702, cached: 192 },
      source: 'engine',
    });
    expect(pidsOf(at)).toHaveLength(1);
  });

  it('in the answer keeps the text, and the next message is answered by the same child', async () => {
    const at = machine();
    const events = await chatStoppedBy(
      at,
      'ENDLESS',
      (event) => event.type === 'text' && event.text === 'on ',
    );
    expect(endOf(events).outcome).toBe('cancelled');
    expect(textOf(events)).toMatch(/^you (on )+$/);
    expect(events.findLast(({ type }) => type === 'usage')).toMatchObject({
      usage: { answerTokens: textOf(events).trim().split(' ').length },
    });
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
    expect(pidsOf(at)).toHaveLength(1);
  });

  it('in the load ends it, and the next message loads', async () => {
    const loadGate = folder.path('open');
    const at = machine({ tiny: { loadGate } });
    const events = await chatStoppedBy(
      at,
      'hello',
      (event) => event.type === 'loading' && event.progress === 0.4,
    );
    expect(endOf(events).outcome).toBe('cancelled');
    fs.writeFileSync(loadGate, '');
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });
});

describe('a child that ends', () => {
  it('by a crash in the answer leaves the text, the reason and the next step; the next message starts it anew', async () => {
    const at = machine();
    const events = await chat(at, 'ABORT');
    expect(textOf(events)).toBe('you said ');
    const { outcome, fault } = endOf(events);
    expect(outcome).toBe('broken');
    expect(fault?.message).toContain('GGML_ASSERT(cells) failed');
    expect(fault?.hint).toContain('Ask again');
    expect((await at.model('tiny')).loadState).toBe('unloaded');
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
    expect(pidsOf(at)).toHaveLength(2);
  });

  it('by a kill says that memory may be short, keeps the text, and comes back', async () => {
    const at = machine();
    const events = await chat(at, 'ENDLESS', {}, (event) => {
      if (event.type === 'text' && event.text === 'on ') process.kill(pidsOf(at)[0] ?? 0, 'SIGKILL');
    });
    expect(textOf(events)).toMatch(/^you (on )+$/);
    const { outcome, fault } = endOf(events);
    expect(outcome).toBe('broken');
    expect(fault?.message).toMatch(/killed .*SIGKILL.* memory/);
    expect(fault?.hint).toContain('smaller model');
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });

  it('while nothing is asked of it is not missed until the next message', async () => {
    const at = machine();
    await chat(at, 'hello');
    const [pid = 0] = pidsOf(at);
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
    expect(textOf(await chat(at, 'again'))).toBe('you said again');
  });

  it('is itself ended when it is silent in an answer for too long', async () => {
    const at = machine();
    const events = await chat(at, 'HANG', { idleTimeoutMs: 60_000 }, (event) => {
      if (event.type === 'text') setImmediate(() => clock.skip(60_001));
    });
    expect(endOf(events)).toMatchObject({ outcome: 'broken', fault: { code: 'timeout' } });
    await until(() => !pidsOf(at).some(isRunning));
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });

  it('ends with its dashboard, however that ends', async () => {
    const program = await bundleProgram('test/fixtures/engine-parent.ts');
    clock = createLiveClock();
    const parent = spawn(process.execPath, [program, folder.path(), childPath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const calls = fs.readFileSync(folder.path('tiny.gguf.calls.ndjson'), 'utf8');
    const pid = Number(/"pid":(\d+)/.exec(calls)?.[1]);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isRunning(pid));
  });
});

describe('what cannot be run', () => {
  it('for want of memory is told as that', async () => {
    const { outcome, fault } = endOf(await chat(machine({ tiny: { tooLarge: true } }), 'hello'));
    expect([outcome, fault?.code]).toEqual(['failed', 'out-of-memory']);
    expect(fault?.message).toContain('99 GB');
  });

  it('because its file is damaged is named, and the next model is loaded', async () => {
    const at = machine({ tiny: {}, broken: 'nothing' });
    const broken = collected(at.backend.chat(asks(await at.model('broken'), 'hello'), NEVER));
    expect(endOf(await broken).fault?.message).toMatch(/^The file of broken cannot be loaded: /);
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });

  it('because the engine does not start tells to install it anew', async () => {
    const { outcome, fault } = endOf(await chat(machine({ tiny: {} }, { FAKE_ENGINE_BROKEN: '1' }), 'hello'));
    expect(outcome).toBe('failed');
    expect(fault?.message).toContain('GLIBC_2.99 not found');
    expect(fault?.hint).toContain('lmapp engine install');
  });

  it('tells of an error of the engine without its control characters', async () => {
    const { fault } = endOf(await chat(machine(), 'THROW'));
    expect(fault?.message).toContain('the sampler broke');
    expect(JSON.stringify(fault)).not.toContain('\\u001b');
  });

  it('warns in the log', async () => {
    const at = machine();
    await chat(at, 'hello');
    expect(at.logged).toEqual(['a warning of the engine']);
  });
});

describe('a model in the memory', () => {
  it('leaves it five minutes after its last use, with the child', async () => {
    const at = machine();
    await chat(at, 'hello');
    const { loadState, expiry, contextAllocated } = await at.model('tiny');
    expect(loadState).toBe('loaded');
    expect(contextAllocated).toBe(4096);
    expect(expiry).toMatchObject({ at: expect.any(Number) });
    clock.skip(4 * 60_000);
    expect((await at.model('tiny')).loadState).toBe('loaded');
    clock.skip(60_001);
    expect((await at.model('tiny')).loadState).toBe('unloaded');
    await until(() => !pidsOf(at).some(isRunning));
  });

  it('stays as long as the setting says, from its last use on', async () => {
    const at = machine();
    await chat(at, 'hello', { keepAlive: '1h' });
    clock.skip(50 * 60_000);
    await chat(at, 'hello', { keepAlive: '1h' });
    clock.skip(50 * 60_000);
    expect((await at.model('tiny')).loadState).toBe('loaded');
  });

  it('that is pinned stays until it is unloaded by hand', async () => {
    const at = machine();
    const told: (number | null)[] = [];
    await at.backend.load?.(
      await at.model('tiny'),
      { keepAlive: '-1', contextTokens: null, onProgress: (progress) => told.push(progress) },
      NEVER,
    );
    expect(told).toEqual([null, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    await chat(at, 'hello', { keepAlive: '5m' });
    clock.skip(24 * 3_600_000);
    expect((await at.model('tiny')).expiry).toBe('never');
    await at.backend.unload?.(await at.model('tiny'), NEVER);
    expect((await at.model('tiny')).loadState).toBe('unloaded');
    await until(() => !pidsOf(at).some(isRunning));
  });

  it('makes room for another one', async () => {
    const at = machine({ tiny: {}, other: {} });
    await chat(at, 'hello');
    await collected(at.backend.chat(asks(await at.model('other'), 'hello'), NEVER));
    expect((await at.model('tiny')).loadState).toBe('unloaded');
    expect(at.calls('tiny').map(({ call }) => call)).toContain('dispose-model');
  });
});

describe('the start', () => {
  it('of the child is done before the first message where that is wanted, and of no use for long it ends', async () => {
    const at = machine();
    const engine = await at.source.engine();
    engine?.warm();
    await until(() => at.logged.length > 0);
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
    // One start, one warning.
    expect(at.logged).toHaveLength(1);
    await at.backend.unload?.(await at.model('tiny'), NEVER);
    engine?.warm();
    await until(() => at.logged.length > 1);
    // A third one is only started when the second has ended, which it does once its own start is over.
    await until(() => {
      clock.skip(5 * 60_000 + 1);
      engine?.warm();
      return at.logged.length > 2;
    });
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });

  it('finds out the template of a model file once, and anew when the file is another one', async () => {
    const at = machine();
    const types = (): readonly (string | undefined)[] =>
      at.calls('tiny').flatMap(({ call, type }) => (call === 'template' ? [type] : []));
    await chat(at, 'hello');
    at.backend.close();
    await chat(at, 'hello');
    expect(types()).toEqual(['auto', 'words']);
    at.backend.close();
    fs.writeFileSync(folder.path('tiny.gguf'), '{ "answer": "another" }');
    expect(textOf(await chat(at, 'hello'))).toBe('another');
    expect(types()).toEqual(['auto', 'words', 'auto']);
  });

  it('does without what is damaged of it', async () => {
    const at = machine();
    fs.writeFileSync(folder.path('engine', 'lmapp-templates.json'), '[["');
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
    at.backend.close();
    const kept = fs.readFileSync(folder.path('engine', 'lmapp-templates.json'), 'utf8');
    fs.writeFileSync(folder.path('engine', 'lmapp-templates.json'), kept.replace('words', 'constructor'));
    expect(textOf(await chat(at, 'hello'))).toBe('you said hello');
  });
});

describe('two dashboards at once', () => {
  it('have a child each, and one that ends leaves the other', async () => {
    const [one, two] = [machine(), machine()];
    await Promise.all([chat(one, 'hello'), chat(two, 'hello')]);
    expect(pidsOf(one)).toHaveLength(2);
    one.backend.close();
    await until(() => pidsOf(two).filter(isRunning).length === 1);
    expect(textOf(await chat(two, 'still here'))).toBe('you said still here');
    expect(pidsOf(two)).toHaveLength(2);
  });
});
