import { describe, expect, it } from '@jest/globals';
import type { Fault } from '../../../src/domain/fault.js';
import type { Model } from '../../../src/domain/model.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import type { Settings } from '../../../src/domain/settings.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { contextUsed, nextTokens } from '../../../src/state/context.js';
import {
  ask,
  checked,
  createMachine,
  found,
  listed,
  modelOf,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const KEY = 'ollama@a/small';
const CHOICE = { ...NO_FEATURES, load: true, contextSize: true, contextChoice: true };

interface Given {
  readonly settings?: Partial<Settings>;
  readonly model?: Partial<Model>;
  /** The server lets its context be chosen. */
  readonly choice?: boolean;
}

/** A model with a context of 1,024 tokens of 8,192. */
function machineWith({ settings = {}, model = {}, choice = true }: Given = {}): Machine {
  const loaded: Partial<Model> = { loadState: 'loaded', contextAllocated: 1024, contextMax: 8192 };
  return createMachine(settings).send(
    found(server('ollama@a', choice ? { features: CHOICE } : {})),
    checked('ollama@a'),
    listed('ollama@a', [modelOf('ollama@a', 'small', { ...loaded, ...model })]),
    searched,
  );
}

/** Asks and lets the server answer; about 3.6 bytes are a token. */
function answered(machine: Machine, promptTokens: number | null, answerTokens = 200): string {
  const id = ask(machine, 'q'.repeat(360));
  machine.send({
    type: 'turn.text.delta',
    turnId: id,
    text: 'a'.repeat(answerTokens * 3.6),
    pieces: answerTokens,
  });
  if (promptTokens !== null)
    machine.send({ type: 'turn.usage', turnId: id, usage: { promptTokens, answerTokens } });
  machine.send(ended(id));
  return id;
}

const ended = (turnId: string, fault: Fault | null = null): AppEvent => ({
  type: 'turn.ended',
  turnId,
  outcome: fault ? 'failed' : 'complete',
  reason: fault ? null : 'stop',
  fault,
});

const full = (promptTokens?: number, contextTokens?: number): Fault => ({
  code: 'context-full',
  message: 'exceeds the available context size',
  hint: null,
  status: 400,
  ...(promptTokens === undefined ? {} : { promptTokens }),
  ...(contextTokens === undefined ? {} : { contextTokens }),
});

const overlay = (machine: Machine) => machine.state.view.overlays.at(-1)?.question ?? null;
const keys = (machine: Machine): string => (overlay(machine)?.choices ?? []).map(({ key }) => key).join('');
/** Chooses, and does what the program does with it: the chosen event is published. */
function choose(machine: Machine, key: string): void {
  const choice = overlay(machine)?.choices.findIndex((each) => each.key === key) ?? -1;
  machine.send({ type: 'question.answered', choice });
  const chosen = machine.wanted('event.publish').at(-1)?.event;
  if (chosen) machine.send(chosen);
}
const lastSent = (machine: Machine) => machine.wanted('chat.start').at(-1);
/** Too long by itself, and too long only with an answered turn before it. */
const LONG = 'x'.repeat(3600);
const MEDIUM = 'x'.repeat(2700);

describe('the number of the next message', () => {
  it('is estimated from the last real count while it is typed, and unknown while nothing is', () => {
    const machine = machineWith();
    expect(nextTokens(machine.state)).toBeNull();
    answered(machine, 120, 200);
    const { chat, models } = machine.state;
    expect(contextUsed(chat, models.selected)).toEqual({ tokens: 320, estimated: false });
    expect(contextUsed(chat, 'a model that counts otherwise')).toEqual({ tokens: 320, estimated: true });
    expect(nextTokens(machine.state)).toBeNull();
    machine.type('y'.repeat(360));
    expect(nextTokens(machine.state)).toBeGreaterThan(320 + 95);
    expect(nextTokens(machine.state)).toBeLessThan(320 + 115);
  });

  it('counts what runs and what waits before it', () => {
    const machine = machineWith();
    answered(machine, 120, 200);
    ask(machine, 'q'.repeat(360));
    ask(machine, 'w'.repeat(360));
    machine.type('y'.repeat(360));
    expect(nextTokens(machine.state)).toBeGreaterThan(320 + 3 * 95);
    expect(nextTokens(machine.state)).toBeLessThan(320 + 3 * 115);
  });

  it('costs nothing of the chat with each key: its turns are not looked at again', () => {
    const machine = machineWith();
    answered(machine, 120, 200);
    machine.type('a');
    nextTokens(machine.state);
    let looks = 0;
    const { done } = machine.state.chat;
    const watched = new Proxy(done, {
      get(target, name) {
        looks++;
        return Reflect.get(target, name) as unknown;
      },
    });
    const state = { ...machine.state, chat: { ...machine.state.chat, done: watched } };
    nextTokens(state);
    const first = looks;
    expect(first).toBeGreaterThan(0);
    nextTokens({ ...state, prompt: { ...state.prompt, text: 'another' } });
    expect(looks).toBe(first);
  });
});

describe('a message that would not fit', () => {
  it('is held back, with what can be done about it', () => {
    const machine = machineWith();
    answered(machine, 120, 200);
    ask(machine, MEDIUM);
    expect(machine.state.chat.live).toBeNull();
    expect(machine.wanted('chat.start')).toHaveLength(1);
    expect(keys(machine)).toBe('erados');
    expect(overlay(machine)?.lines[0]).toMatch(/≈ 1,0\d\d tokens, and 128 are kept .* a context of 1,024\.$/);
    expect(overlay(machine)?.choices[1]?.label).toBe('raise the context to 2k');
    expect(overlay(machine)?.choices[3]?.label).toBe('leave out the oldest question and its answer');
  });

  it('goes out without a question where it fits or where nobody can tell', () => {
    for (const model of [{ contextAllocated: 8192 }, { contextAllocated: null }]) {
      const machine = machineWith({ model });
      ask(machine, LONG);
      expect(machine.state.chat.live).not.toBeNull();
    }
  });

  it('comes back into the box to be shortened, also with Escape, which is the first choice', () => {
    const machine = machineWith();
    ask(machine, LONG);
    choose(machine, 'e');
    expect(machine.state.prompt.text).toBe(LONG);
    expect(machine.state.chat.unsent).toBeNull();
    expect(machine.wanted('chat.start')).toHaveLength(0);
  });

  it('is sent with a larger context, which is kept and asked for from then on, also by a load', () => {
    const machine = machineWith();
    answered(machine, 120, 200);
    ask(machine, LONG);
    choose(machine, 'r');
    expect(lastSent(machine)).toMatchObject({ contextTokens: 2048 });
    expect(machine.wanted('settings.save')).toEqual([
      { type: 'settings.save', key: `contexts.${KEY}`, value: 2048 },
    ]);
    const id = machine.state.chat.live?.id ?? '';
    expect(machine.state.chat.live?.notes).toEqual([
      'context raised from 1k to 2k tokens: this would not have fit',
    ]);
    machine.send(ended(id));
    ask(machine, 'short');
    expect(lastSent(machine)).toMatchObject({ contextTokens: 2048 });
    machine.send(listed('ollama@a', [modelOf('ollama@a', 'small', { contextMax: 8192 })]));
    machine.command('model.load', KEY);
    expect(machine.wanted('model.load')).toMatchObject([{ contextTokens: 2048 }]);
  });

  it('is sent without the oldest turns, and so are later ones; the system message stays', () => {
    const machine = machineWith({ settings: { system: 'Be brief.' } });
    const first = answered(machine, 130, 200);
    answered(machine, 440, 200);
    ask(machine, 'z'.repeat(1500));
    expect(overlay(machine)?.choices.map(({ label }) => label)).toContain(
      'leave out the oldest question and its answer',
    );
    choose(machine, 'd');
    expect(lastSent(machine)?.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
    expect(machine.state.chat.live).toMatchObject({
      droppedTurns: [first],
      notes: ['left out to make room in the context: the oldest question and its answer'],
    });
    machine.send(ended(machine.state.chat.live?.id ?? ''));
    ask(machine, 'more');
    expect(machine.state.chat.live?.droppedTurns).toEqual([first]);
    expect(lastSent(machine)?.messages).toHaveLength(4);
  });

  it('is sent as it is when the user says so', () => {
    const machine = machineWith();
    ask(machine, LONG);
    choose(machine, 's');
    expect(lastSent(machine)?.messages).toHaveLength(1);
  });

  it.each([
    ['a', 'raise', 2048],
    ['o', 'drop', null],
  ] as const)(
    'the choice can be kept: with %s it is "%s" from then on, without a question',
    (key, kept, tokens) => {
      const machine = machineWith();
      answered(machine, 120, 200);
      answered(machine, 430, 200);
      ask(machine, 'x'.repeat(1800));
      choose(machine, key);
      expect(machine.wanted('settings.save')).toContainEqual({
        type: 'settings.save',
        key: 'whenFull',
        value: kept,
      });
      expect(lastSent(machine)?.contextTokens).toBe(tokens);
      machine.send(ended(machine.state.chat.live?.id ?? ''));
      ask(machine, key === 'a' ? 'x'.repeat(5400) : 'x'.repeat(2160));
      expect(overlay(machine)).toBeNull();
      expect(machine.state.chat.live?.notes[0]).toMatch(
        kept === 'raise' ? /raised from 2k to 4k/ : /left out/,
      );
    },
  );

  it('offers only what the server and the model can', () => {
    const fixed = machineWith({ choice: false });
    answered(fixed, 120, 200);
    ask(fixed, MEDIUM);
    expect(keys(fixed)).toBe('edos');
    expect(overlay(fixed)?.lines.join(' ')).toContain(
      'ollama chooses the size of its context when it starts',
    );
    const largest = machineWith({ model: { contextMax: 1024 } });
    ask(largest, LONG);
    expect(keys(largest)).toBe('es');
    expect(overlay(largest)?.lines.join(' ')).toContain('cannot have more than 1,024');
  });

  it('tells the memory of a larger context as soon as the shape of the model is known', () => {
    const machine = machineWith();
    ask(machine, LONG);
    const memory = (): string | undefined => overlay(machine)?.lines[1];
    expect(memory()).toBe('A context of 2,048 takes — more memory, and the model is loaded anew.');
    expect(machine.wanted('model.details')).toEqual([{ type: 'model.details', key: KEY }]);
    const facts = [
      ['layers', '32'],
      ['heads', '32'],
      ['heads of keys and values', '8'],
      ['embedding', '4096'],
    ] as const;
    const details = { license: null, system: null, template: null, parameters: [], modifiedAt: null, facts };
    machine.send({ type: 'overlay.moved', index: 1 });
    machine.send({ type: 'model.detailed', key: KEY, details, fault: null });
    // 2 (keys and values) x 32 layers x 8 heads x 128 x 2 bytes = 128 kB a token, 1,024 tokens more.
    expect(memory()).toContain('takes ≈ 0.1 GB more memory');
    expect(machine.state.view.overlays.at(-1)?.index).toBe(1);
    choose(machine, 'r');
    expect(lastSent(machine)?.contextTokens).toBe(2048);
  });

  it('never raises beyond the maximum of the model', () => {
    const machine = machineWith({ model: { contextAllocated: 3000, contextMax: 4096 } });
    ask(machine, 'x'.repeat(10_500));
    choose(machine, 'r');
    expect(lastSent(machine)?.contextTokens).toBe(4096);
  });

  it('is asked about before it replaces an answer: that stays until something is chosen', () => {
    const machine = machineWith();
    const id = ask(machine, 'x'.repeat(3000));
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'kept', pieces: 1 }, ended(id));
    machine.send(
      listed('ollama@a', [modelOf('ollama@a', 'small', { loadState: 'loaded', contextAllocated: 512 })]),
    );
    machine.command('turn.retry');
    expect(overlay(machine)).not.toBeNull();
    expect(machine.state.chat.done.map((turn) => turn.id)).toEqual([id]);
    choose(machine, 's');
    expect(machine.state.chat.done).toEqual([]);
    expect(machine.state.chat.live?.prompt).toBe('x'.repeat(3000));
  });

  it('that waited in the queue is not asked about under the fingers: it stays there, and Enter asks', () => {
    const machine = machineWith();
    const id = ask(machine, 'first');
    ask(machine, LONG);
    machine.send(ended(id));
    expect(overlay(machine)).toBeNull();
    expect(machine.state.chat.queue).toEqual([LONG]);
    expect(machine.told.at(-1)).toMatch(/would not fit/);
    machine.send({ type: 'prompt.submitted' });
    expect(overlay(machine)).not.toBeNull();
    expect(machine.state.chat.queue).toEqual([]);
  });
});

describe('a message to a server that counts it exactly', () => {
  const counting = (given: Given = {}): Machine =>
    machineWith(given).send(found(server('ollama@a', { features: { ...CHOICE, promptCount: true } })));
  const held = (turnId: string, promptTokens: number | null, contextTokens: number | null): AppEvent => ({
    type: 'turn.held',
    turnId,
    promptTokens,
    contextTokens,
  });

  it('is not asked about by an estimate: it goes out with what the count is held against', () => {
    const machine = counting();
    const id = ask(machine, LONG);
    expect(overlay(machine)).toBeNull();
    expect(machine.state.chat.live?.id).toBe(id);
    expect(lastSent(machine)?.room).toEqual({ contextTokens: 1024, estimatedTokens: 1005 });
  });

  it('that is held back is asked about with exact figures, and is not in the chat meanwhile', () => {
    const machine = counting();
    answered(machine, 120, 200);
    const id = ask(machine, LONG);
    machine.send(held(id, 1321, 1024));
    expect(machine.state.chat.live).toBeNull();
    expect(machine.state.chat.done).toHaveLength(1);
    expect(overlay(machine)?.title).toBe('The context is full');
    expect(overlay(machine)?.lines[0]).toContain('takes 1,321 tokens, and 128 are kept');
    expect(overlay(machine)?.lines.join(' ')).not.toContain('≈ 1,321');
    // The first question and its answer hold less than what is missing.
    expect(keys(machine)).toBe('era');
    choose(machine, 'r');
    expect(lastSent(machine)).toMatchObject({ contextTokens: 2048, room: null });
  });

  it('that would leave a short answer its room can be sent all the same', () => {
    const machine = counting();
    machine.send(held(ask(machine, LONG), 1000, 1024));
    expect(overlay(machine)?.title).toBe('This would not fit into the context');
    choose(machine, 's');
    expect(lastSent(machine)).toMatchObject({ messages: [{ content: LONG }], room: null });
  });

  it('comes back into the box, or is told when another one is being written', () => {
    const machine = counting();
    machine.send(held(ask(machine, LONG), 1300, 1024));
    choose(machine, 'e');
    expect(machine.state.prompt.text).toBe(LONG);
    machine.send({ type: 'prompt.submitted' });
    machine.type('d').send(held(machine.state.chat.live?.id ?? '', 1300, 1024));
    expect(overlay(machine)).toBeNull();
    expect(machine.told.at(-1)).toBe('the context of small is full');
    machine.command('context.choose');
    expect(overlay(machine)?.lines[0]).toContain('takes 1,300 tokens');
  });

  it('that nobody could count is asked about by the estimate', () => {
    const machine = counting();
    machine.send(held(ask(machine, LONG), null, null));
    expect(overlay(machine)?.lines[0]).toContain('takes ≈ 1,005 tokens');
  });

  it('that is asked again is counted as well; held back, the old answer is there again until something is chosen', () => {
    const machine = counting();
    const id = ask(machine, LONG);
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'kept', pieces: 1 }, ended(id));
    const ids = (): readonly string[] => machine.state.chat.done.map((turn) => turn.id);
    machine.command('turn.retry');
    expect(overlay(machine)).toBeNull();
    expect(lastSent(machine)).toMatchObject({ messages: [{ content: LONG }], room: { contextTokens: 1024 } });
    expect(ids()).toEqual([]);
    machine.send(held(machine.state.chat.live?.id ?? '', 1000, 1024));
    expect(overlay(machine)?.lines[0]).toContain('takes 1,000 tokens');
    expect(ids()).toEqual([id]);
    // It is not part of what was counted, so leaving it out is no choice.
    expect(keys(machine)).toBe('eras');
    choose(machine, 's');
    expect(ids()).toEqual([]);
    expect(lastSent(machine)).toMatchObject({ messages: [{ content: LONG }], room: null });
  });

  it('that waited in the queue goes out and is counted', () => {
    const machine = counting();
    const id = ask(machine, 'first');
    ask(machine, LONG);
    machine.send(ended(id));
    expect(machine.state.chat.live?.prompt).toBe(LONG);
  });

  it('has room made for it without a question where the settings say so', () => {
    const machine = counting({ settings: { whenFull: 'raise' } });
    machine.send(held(ask(machine, LONG), 1300, 1024));
    expect(overlay(machine)).toBeNull();
    expect(lastSent(machine)).toMatchObject({ contextTokens: 2048, room: null });
    expect(machine.state.chat.live?.notes[0]).toMatch(/raised from 1k to 2k/);
  });
});

describe('a request that the server refused since its context is full', () => {
  it('opens the question with the figures of the server; sending it again as it is is not offered', () => {
    const machine = machineWith({ model: { contextAllocated: null } });
    answered(machine, null, 200);
    const id = ask(machine, LONG);
    machine.send(ended(id, full(1200, 1024)));
    expect(overlay(machine)?.title).toBe('The context is full');
    expect(overlay(machine)?.lines[0]).toContain('takes 1,200 tokens');
    expect(keys(machine)).toBe('erado');
    choose(machine, 'd');
    expect(machine.state.chat.done).toHaveLength(1);
    expect(machine.state.chat.live?.prompt).toBe(LONG);
    expect(lastSent(machine)?.messages).toHaveLength(1);
  });

  it('is told, and asked about later, when something is being typed', () => {
    const machine = machineWith({ model: { contextAllocated: null } });
    const id = ask(machine, LONG);
    machine.type('d').send(ended(id, full(1300, 1024)));
    expect(overlay(machine)).toBeNull();
    expect(machine.told.at(-1)).toBe('the context of small is full');
    machine.command('context.choose');
    expect(keys(machine)).toBe('era');
    choose(machine, 'e');
    // What is being written is not written over; the refused message stands in the chat.
    expect(machine.state.prompt.text).toBe('d');
  });

  it('raises by itself when that is the setting, once for each size, and asks when the server does not follow', () => {
    const machine = machineWith({ settings: { whenFull: 'raise' }, model: { contextAllocated: null } });
    const id = ask(machine, LONG);
    machine.send(ended(id, full(1300, 1024)));
    expect(lastSent(machine)?.contextTokens).toBe(2048);
    expect(machine.state.chat.done).toEqual([]);
    // It was asked for 2,048 and still has 1,024.
    machine.send(ended(machine.state.chat.live?.id ?? '', full(1300, 1024)));
    expect(machine.wanted('chat.start')).toHaveLength(2);
    expect(keys(machine)).toBe('e');
  });

  it('drops by itself until nothing is left to drop, then asks', () => {
    const machine = machineWith({ settings: { whenFull: 'drop' }, model: { contextAllocated: null } });
    answered(machine, null, 200);
    answered(machine, null, 200);
    ask(machine, 'x'.repeat(360));
    for (const [prompt, messages] of [
      [1000, 3],
      [950, 1],
    ] as const) {
      machine.send(ended(machine.state.chat.live?.id ?? '', full(prompt, 1024)));
      expect(lastSent(machine)?.messages).toHaveLength(messages);
    }
    machine.send(ended(machine.state.chat.live?.id ?? '', full(1100, 1024)));
    expect(machine.state.chat.live).toBeNull();
    expect(overlay(machine)).not.toBeNull();
  });

  it('goes without figures by half of the turns, and says that they are not known', () => {
    const machine = machineWith({ model: { contextAllocated: null } });
    for (let i = 0; i < 4; i++) answered(machine, null, 20);
    const id = ask(machine, 'more');
    machine.send(ended(id, full()));
    expect(overlay(machine)?.lines[0]).toContain('a context of unknown size');
    expect(keys(machine)).toBe('edos');
    choose(machine, 'd');
    expect(machine.state.chat.live?.droppedTurns).toHaveLength(2);
  });
});

describe('a chat that was cut by its server', () => {
  it('says so in its turn when the prompt count fell, with how that is known', () => {
    const machine = machineWith({ choice: false });
    answered(machine, 130, 350);
    answered(machine, 600, 350);
    ask(machine, 'go on');
    choose(machine, 's');
    const id = machine.state.chat.live?.id ?? '';
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'yes', pieces: 1 });
    machine.send({ type: 'turn.usage', turnId: id, usage: { promptTokens: 514 } }, ended(id));
    expect(machine.state.chat.done.at(-1)?.truncation?.source).toBe(
      'prompt tokens fell from 600 to 514 though the chat grew',
    );
  });

  it('keeps what the server itself told', () => {
    const machine = machineWith();
    const id = ask(machine, 'hello');
    const truncation = { messages: null, tokens: 3000, source: 'prompt_eval_count is num_ctx/2 + 2' };
    machine.send({ type: 'turn.truncated', turnId: id, truncation }, ended(id));
    expect(machine.state.chat.done[0]?.truncation).toBe(truncation);
  });
});

describe('the context that is asked for', () => {
  it.each([[KEY], ['ollama/small'], ['small']])('stands in the settings under %s', (name) => {
    const machine = machineWith({ settings: { contexts: { [name]: 4096 } } });
    ask(machine, 'hi');
    expect(lastSent(machine)?.contextTokens).toBe(4096);
  });

  it('is none where the server does not let it be chosen, and at most the maximum of the model', () => {
    const fixed = machineWith({ settings: { contexts: { small: 4096 } }, choice: false });
    ask(fixed, 'hi');
    expect(lastSent(fixed)?.contextTokens).toBeNull();
    const large = machineWith({ settings: { contexts: { small: 100_000 } } });
    ask(large, 'hi');
    expect(lastSent(large)?.contextTokens).toBe(8192);
  });
});

it('a chat that is opened again leaves out the same turns', () => {
  const machine = machineWith();
  const first = answered(machine, 130, 200);
  answered(machine, 440, 200);
  ask(machine, 'z'.repeat(1500));
  choose(machine, 'd');
  machine.send(ended(machine.state.chat.live?.id ?? ''));
  const { id, title, done } = machine.state.chat;
  machine.command('chat.new');
  expect(machine.state.chat.dropped).toEqual([]);
  machine.send({ type: 'session.opened', chat: { id, title, turns: done, skippedLines: 0 } });
  expect(machine.state.chat.dropped).toEqual([first]);
});
