import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../src/domain/chat.js';
import type { Fault } from '../../../src/domain/fault.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import type { Settings } from '../../../src/domain/settings.js';
import { nextModel } from '../../../src/state/fallback.js';
import {
  ask,
  checked,
  createMachine,
  found,
  listed,
  lost,
  modelOf,
  SAMPLE,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const REFUSED: Fault = { code: 'server-error', message: 'out of slots.', hint: null, status: 500 };

const ended = (turnId: string, outcome: Outcome, fault: Fault | null = REFUSED): AppEvent => ({
  type: 'turn.ended',
  turnId,
  outcome,
  reason: null,
  fault,
});
const text = (turnId: string): AppEvent => ({ type: 'turn.text.delta', turnId, text: 'a', pieces: 1 });

/** Three servers with a model each; the first is selected. */
function machineWith(settings: Partial<Settings>): Machine {
  const machine = createMachine({ fallback: ['b@x/second', 'third'], ...settings });
  for (const [id, name] of [
    ['a@x', 'first'],
    ['b@x', 'second'],
    ['c@x', 'third'],
  ] as const)
    machine.send(found(server(id)), checked(id), listed(id, [modelOf(id, name, { loadState: 'loaded' })]));
  return machine.send(searched);
}

const liveId = (machine: Machine): string => machine.state.chat.live?.id ?? '';
const lastOf = (machine: Machine) => machine.state.chat.done.at(-1);
const asked = (machine: Machine): readonly string[] =>
  machine.wanted('chat.start').map(({ modelKey }) => modelKey);

describe('an answer that could not start', () => {
  it.each(['failed', 'broken', 'incomplete'] as const)(
    '(%s) is offered to the next, and one key asks it',
    (outcome) => {
      const machine = machineWith({});
      machine.send(ended(ask(machine, 'Why?'), outcome));
      expect(machine.state.chat.live).toBeNull();
      expect(asked(machine)).toEqual(['a@x/first']);
      machine.command('turn.fall-back');
      expect(machine.state.chat.live).toMatchObject({
        prompt: 'Why?',
        modelKey: 'b@x/second',
        modelLabel: 'second',
        backendTitle: 'b',
        fellBackFrom: [{ modelKey: 'a@x/first', modelLabel: 'first', backendTitle: 'a', fault: REFUSED }],
      });
      // The new answer stands in the place of the failed one.
      expect(machine.state.chat.done).toEqual([]);
      expect(machine.wanted('chat.start').at(-1)?.messages).toEqual([{ role: 'user', content: 'Why?' }]);
    },
  );

  it('goes to the next by itself with auto, each asked once, with the reasons of all', () => {
    const machine = machineWith({
      fallbackMode: 'auto',
      fallback: ['a@x/first', 'second', 'second', 'third'],
    });
    machine.send(ended(ask(machine, 'Why?'), 'failed'));
    machine.send(ended(liveId(machine), 'broken', null));
    expect(asked(machine)).toEqual(['a@x/first', 'b@x/second', 'c@x/third']);
    expect(
      machine.state.chat.live?.fellBackFrom.map((each) => [each.modelLabel, each.fault.message]),
    ).toEqual([
      ['first', 'out of slots.'],
      ['second', 'the stream ended before it began'],
    ]);
    machine.send(ended(liveId(machine), 'failed'));
    expect(machine.state.chat.live).toBeNull();
    expect(asked(machine)).toHaveLength(3);
    expect(lastOf(machine)?.modelLabel).toBe('third');
  });

  it('keeps the selected model: the next question goes there first', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    machine.send(ended(ask(machine, 'one'), 'failed'));
    machine.send(text(liveId(machine)), ended(liveId(machine), 'complete', null));
    expect(machine.state.models.selected).toBe('a@x/first');
    ask(machine, 'two');
    expect(machine.state.chat.live).toMatchObject({ modelLabel: 'first', fellBackFrom: [] });
  });

  it('has another id with each model, and late words of the failed one change nothing', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    const first = ask(machine, 'Why?');
    machine.send(ended(first, 'failed'));
    expect(liveId(machine)).not.toBe(first);
    const before = machine.state;
    machine.send(text(first), ended(first, 'complete', null));
    expect(machine.state.chat).toBe(before.chat);
  });

  it('lets waiting messages wait until it is answered', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    const first = ask(machine, 'one');
    ask(machine, 'two');
    machine.send(ended(first, 'failed'));
    expect(machine.state.chat).toMatchObject({
      queue: ['two'],
      live: { prompt: 'one', modelLabel: 'second' },
    });
    machine.send(text(liveId(machine)), ended(liveId(machine), 'complete', null));
    expect(machine.state.chat.live).toMatchObject({ prompt: 'two', modelLabel: 'first' });
  });
});

describe('never goes to another model', () => {
  it.each([
    ['that was stopped', 'cancelled', false],
    ['that is complete', 'complete', false],
    ['that broke after its first word', 'broken', true],
    ['that failed after its first word', 'failed', true],
  ] as const)('an answer %s', (_what, outcome, spoke) => {
    for (const fallbackMode of ['auto', 'ask'] as const) {
      const machine = machineWith({ fallbackMode });
      const id = ask(machine, 'Why?');
      if (spoke) machine.send(text(id));
      machine.send(ended(id, outcome)).command('turn.fall-back');
      expect(machine.state.chat.live).toBeNull();
      expect(asked(machine)).toHaveLength(1);
    }
  });

  it('an answer that broke while the model was thinking', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    const id = ask(machine, 'Why?');
    machine.send({ type: 'turn.reasoning.delta', turnId: id, text: 'hm', pieces: 1 }, ended(id, 'broken'));
    expect(machine.state.chat.live).toBeNull();
  });

  it('one that a stop of the user reached', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    ask(machine, 'Why?');
    machine.command('interrupt');
    expect(machine.state.chat.live).toBeNull();
  });
});

describe('a context that is too small', () => {
  const FULL: Fault = { code: 'context-full', message: 'too long', hint: null, status: 400 };

  it('goes elsewhere only when nothing else can be done', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    machine.send(ended(ask(machine, 'long'), 'failed', FULL));
    expect(machine.state.chat.live?.modelLabel).toBe('second');
  });

  it('is made room in first', () => {
    const machine = machineWith({ fallbackMode: 'auto' });
    const first = ask(machine, 'one');
    machine.send(text(first), ended(first, 'complete', null));
    machine.send(ended(ask(machine, 'long'), 'failed', FULL));
    expect(machine.state.chat.live).toBeNull();
  });
});

describe('a server that is away when the message is sent', () => {
  it('could not start at once, with its reason, and is not asked', () => {
    const machine = machineWith({}).send(lost('a@x'));
    ask(machine, 'Why?');
    expect(machine.state.chat.live).toBeNull();
    expect(lastOf(machine)).toMatchObject({ outcome: 'failed', fault: { message: 'a@x is not running' } });
    expect(asked(machine)).toEqual([]);
    machine.command('turn.fall-back');
    expect(asked(machine)).toEqual(['b@x/second']);
  });

  it('gives way with auto; those of the list that are away are passed by with their reasons', () => {
    const machine = machineWith({ fallbackMode: 'auto' }).send(lost('a@x'), lost('b@x'));
    ask(machine, 'Why?');
    expect(machine.state.chat.live).toMatchObject({ modelLabel: 'third' });
    expect(machine.state.chat.live?.fellBackFrom.map((each) => each.fault.message)).toEqual([
      'a@x is not running',
      'b@x is not running',
    ]);
  });

  it('is asked all the same when there is nowhere to go', () => {
    const machine = machineWith({ fallback: [] }).send(lost('a@x'));
    ask(machine, 'Why?');
    expect(asked(machine)).toEqual(['a@x/first']);
  });
});

describe('the list', () => {
  it('passes by what is no chat model and what needs more memory than is free', () => {
    const machine = machineWith({ fallbackMode: 'auto', fallback: ['embed', 'huge', 'third'] }).send(
      { type: 'hardware.sampled', sample: SAMPLE },
      listed('b@x', [modelOf('b@x', 'embed', { chat: false }), modelOf('b@x', 'huge', { sizeBytes: 99e9 })]),
    );
    machine.send(ended(ask(machine, 'Why?'), 'failed'));
    expect(machine.state.chat.live?.modelLabel).toBe('third');
    expect(machine.state.chat.live?.fellBackFrom.slice(1).map((each) => each.fault.message)).toEqual([
      'is not a chat model',
      'needs more memory than is free',
    ]);
  });

  it('has the mock at its end, which need not be in the list of servers', () => {
    const machine = machineWith({ fallbackMode: 'auto', fallback: ['mock'] });
    machine.send(ended(ask(machine, 'Why?'), 'failed'));
    expect(machine.state.chat.live).toMatchObject({ modelKey: 'mock/mock', modelLabel: 'mock (no model)' });
    machine.send(ended(liveId(machine), 'failed'));
    expect(machine.state.chat.live).toBeNull();
  });

  it('tells names that no server has once, with the nearest ones', () => {
    const machine = machineWith({ fallback: ['b/secnod', 'mock', 'third'] });
    machine.send(listed('c@x', [modelOf('c@x', 'third')]), searched);
    expect(machine.told.filter((each) => each.startsWith('fallback'))).toEqual([
      'fallback: no server has the model b/secnod',
    ]);
    expect(machine.state.notices.find((n) => n.text.startsWith('fallback'))?.hint).toContain('second');
  });

  it('does not call a name unknown while its server was never heard', () => {
    const machine = createMachine({ fallback: ['b/later'] }).send(
      found(server('a@x')),
      checked('a@x'),
      listed('a@x', [modelOf('a@x', 'first')]),
      found(server('b@x', { kind: 'b' })),
      lost('b@x'),
      searched,
    );
    expect(machine.told.filter((each) => each.startsWith('fallback'))).toEqual([]);
    machine.send(checked('b@x'), listed('b@x', [modelOf('b@x', 'other')]));
    expect(machine.told.filter((each) => each.startsWith('fallback'))).toHaveLength(1);
  });

  it('says why when there is nothing to fall back to', () => {
    const machine = machineWith({ fallback: [] });
    machine.send(ended(ask(machine, 'Why?'), 'failed')).command('turn.fall-back');
    expect(machine.told.at(-1)).toBe('there is no list of models to fall back to');
    const last = lastOf(machine);
    expect(last && nextModel(machine.state, last)).toBeNull();
  });
});

describe('the model of the start', () => {
  it('that no server has gives way, and its reason is told', () => {
    const machine = machineWith({ model: 'gpu/big', fallbackMode: 'auto' });
    expect(machine.state.models.selected).toBeNull();
    ask(machine, 'Why?');
    expect(machine.state.chat.live).toMatchObject({
      modelLabel: 'second',
      fellBackFrom: [{ modelLabel: 'gpu/big', fault: { message: 'no server has the model gpu/big' } }],
    });
  });

  it('is offered, not taken, when the user is to be asked', () => {
    const machine = machineWith({ model: 'gpu/big' });
    ask(machine, 'Why?');
    expect(machine.state.chat.live).toBeNull();
    expect(lastOf(machine)).toMatchObject({ modelLabel: 'gpu/big', outcome: 'failed' });
    machine.command('turn.fall-back');
    expect(machine.state.chat.live?.modelLabel).toBe('second');
  });

  it('is used as soon as its server has it', () => {
    const machine = machineWith({ model: 'd@x/big' });
    machine.send(found(server('d@x')), checked('d@x'), listed('d@x', [modelOf('d@x', 'big')]));
    expect(machine.state.models.selected).toBe('d@x/big');
  });
});
