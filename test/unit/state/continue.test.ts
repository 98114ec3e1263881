import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../src/domain/chat.js';
import { wholeText } from '../../../src/domain/text.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { canContinue, GO_ON } from '../../../src/state/continue.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import {
  ask,
  checked,
  createMachine,
  createReadyMachine,
  found,
  listed,
  lost,
  modelOf,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';
import { answering, completed, turnWith } from '../../support/turns.js';

const text = (turnId: string, words: string): AppEvent => ({
  type: 'turn.text.delta',
  turnId,
  text: words,
  pieces: 1,
});
const ended = (turnId: string, outcome: Outcome = 'broken', reason: string | null = null): AppEvent => ({
  type: 'turn.ended',
  turnId,
  outcome,
  reason,
  fault: null,
});

/** An answer that broke after two words. */
function broken(machine: Machine = createReadyMachine()): Machine {
  const id = ask(machine, 'Why?');
  return machine.send(text(id, 'Be'), text(id, 'cause'), ended(id));
}

const withPrefill = (): Machine =>
  createMachine().send(
    found(server('llama@a', { features: { ...NO_FEATURES, prefill: true } })),
    checked('llama@a'),
    listed('llama@a', [modelOf('llama@a', 'small', { loadState: 'loaded' })]),
    searched,
  );

describe('an answer can be gone on with', () => {
  it.each(['broken', 'incomplete', 'interrupted', 'cancelled', 'failed'] as const)(
    'when it is %s and has text',
    (outcome) => {
      expect(canContinue({ ...answering(turnWith(), 'Be'), outcome })).toBe(true);
      expect(canContinue({ ...turnWith(), outcome })).toBe(false);
    },
  );

  it('when it ended at its length, and not when it is complete or runs', () => {
    const complete = completed(answering(turnWith(), 'Be'));
    expect(canContinue({ ...complete, endReason: 'length' })).toBe(true);
    expect(canContinue(complete)).toBe(false);
    expect(canContinue(answering(turnWith(), 'Be'))).toBe(false);
  });
});

describe('going on with an answer', () => {
  it('runs the same turn again, with its text, and the text grows', () => {
    const machine = broken();
    const [before] = machine.state.chat.done;
    machine.pass(60_000).command('turn.continue');
    const live = machine.state.chat.live;
    expect(live).toMatchObject({
      id: before?.id,
      prompt: 'Why?',
      outcome: null,
      fault: null,
      endedMono: null,
    });
    expect(machine.state.chat.done).toEqual([]);
    machine.send(text(live?.id ?? '', ' of air.'), ended(live?.id ?? '', 'complete', 'stop'));
    const [after] = machine.state.chat.done;
    expect(after && wholeText(after.answer)).toBe('Because of air.');
    expect(after).toMatchObject({ outcome: 'complete', pieces: 3, earlier: { runs: 1, pieces: 2 } });
    // The pause between is nobody's time.
    expect((after?.endedMono ?? 0) - (after?.startedMono ?? 0)).toBeLessThan(100);
    expect(after?.earlier?.ms).toBeLessThan(100);
  });

  it('gives the text so far to a server that takes it up', () => {
    const machine = broken(withPrefill()).command('turn.continue');
    const wanted = machine.wanted('chat.start').at(-1);
    expect(wanted).toMatchObject({ goesOn: 'prefill' });
    expect(wanted?.messages).toEqual([
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: 'Because' },
    ]);
    expect(machine.state.chat.live?.notes.join()).toContain('took up the text so far');
  });

  it('asks others in words, and says so', () => {
    const machine = broken().command('turn.continue');
    const wanted = machine.wanted('chat.start').at(-1);
    expect(wanted).toMatchObject({ goesOn: 'words' });
    expect(wanted?.messages).toEqual([
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: 'Because' },
      { role: 'user', content: GO_ON },
    ]);
    expect(machine.state.chat.live?.notes.join()).toContain('asked in words');
  });

  it('can be done again after it broke again, and adds up what was told', () => {
    const machine = broken().command('turn.continue');
    const id = machine.state.chat.live?.id ?? '';
    machine.send(text(id, ' of'), { type: 'turn.usage', turnId: id, usage: { answerTokens: 5 } }, ended(id));
    machine.command('turn.continue').send(text(id, ' air'));
    expect(machine.state.chat.live).toMatchObject({ earlier: { runs: 2, pieces: 3, answerTokens: null } });
    expect(machine.state.chat.live?.notes).toHaveLength(1);
    expect(wholeText(machine.state.chat.live?.answer ?? turnWith().answer)).toBe('Because of air');
  });

  it('asks with what is set, at first and again', () => {
    const machine = broken(createReadyMachine({ temperature: 0, maxTokens: 20 })).command('turn.continue');
    const sampling = { temperature: 0, topP: null, seed: null, maxTokens: 20 };
    expect(machine.wanted('chat.start').map((wanted) => wanted.sampling)).toEqual([sampling, sampling]);
    expect(machine.state.chat.live?.sampling).toEqual(sampling);
  });

  it('keeps the messages before it and those that wait', () => {
    const machine = createReadyMachine();
    const first = ask(machine, 'one');
    machine.send(text(first, 'first'), ended(first, 'complete', 'stop'));
    broken(machine);
    machine.command('turn.continue');
    ask(machine, 'later');
    expect(
      machine
        .wanted('chat.start')
        .at(-1)
        ?.messages.map((m) => m.content),
    ).toEqual(['one', 'first', 'Why?', 'Because', GO_ON]);
    const id = machine.state.chat.live?.id ?? '';
    machine.send(text(id, '.'), ended(id, 'complete', 'stop'));
    expect(machine.state.chat.live?.prompt).toBe('later');
  });

  it('is done by its own model, though another was chosen since', () => {
    const machine = createMachine().send(
      found(server('a@x')),
      checked('a@x'),
      listed('a@x', [modelOf('a@x', 'small'), modelOf('a@x', 'other')]),
      searched,
    );
    broken(machine).command('model.use', 'a@x/other').command('turn.continue');
    expect(machine.wanted('chat.start').at(-1)?.modelKey).toBe('a@x/small');
  });

  it('is done by the chosen model when its own server is away, and that is said', () => {
    const machine = createMachine().send(
      found(server('a@x')),
      checked('a@x'),
      listed('a@x', [modelOf('a@x', 'small')]),
      found(server('b@x'), 1),
      checked('b@x'),
      listed('b@x', [modelOf('b@x', 'other')]),
      searched,
    );
    broken(machine).send(lost('a@x')).command('model.use', 'b@x/other').command('turn.continue');
    expect(machine.wanted('chat.start').at(-1)?.modelKey).toBe('b@x/other');
    expect(machine.state.chat.live?.notes.join()).toContain('by other');
  });

  it('is not done with a complete answer, nor without text; the reason is said', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'So.'), ended(id, 'complete', 'stop')).command('turn.continue');
    expect(machine.told.at(-1)).toBe('this answer is complete');
    machine.send(ended(ask(machine, 'And?'), 'broken')).command('turn.continue');
    expect(machine.told.at(-1)).toBe('there is no text to go on with');
    expect(machine.state.chat.live).toBeNull();
  });

  it('never goes to another model by itself', () => {
    const machine = broken(createReadyMachine({ fallback: ['mock'], fallbackMode: 'auto' }));
    machine.command('turn.continue').send(ended(machine.state.chat.live?.id ?? '', 'failed'));
    expect(machine.state.chat.live).toBeNull();
    expect(machine.state.chat.done.at(-1)).toMatchObject({ outcome: 'failed', fellBackFrom: [] });
  });

  it('goes on with an answer of an earlier run, as soon as its server is known', () => {
    const stored = {
      ...answering(turnWith({ modelKey: 'ollama@a/small' }), 'Bec'),
      outcome: 'interrupted' as const,
    };
    const machine = createMachine().send({
      type: 'session.opened',
      chat: { id: 'old', title: 't', turns: [stored], skippedLines: 0 },
    });
    machine.command('turn.continue');
    expect(machine.told.at(-1)).toBe('no model to go on with');
    machine
      .send(
        found(server('ollama@a')),
        checked('ollama@a'),
        listed('ollama@a', [modelOf('ollama@a', 'small')]),
      )
      .command('turn.continue');
    expect(machine.state.chat.live).toMatchObject({ id: stored.id, earlier: { runs: 1 } });
    expect(machine.wanted('session.write').at(-1)).toMatchObject({ chatId: 'old' });
  });
});
