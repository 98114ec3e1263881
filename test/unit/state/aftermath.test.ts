import { describe, expect, it } from '@jest/globals';
import type { Aftermath } from '../../../src/domain/chat.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { hardStop, isIdleNews } from '../../../src/state/aftermath.js';
import { ask, createReadyMachine, lost, type Machine } from '../../support/machine.js';

const told = (turnId: string, state: Aftermath['state'], source: string | null = '/slots'): AppEvent => ({
  type: 'turn.aftermath',
  turnId,
  aftermath: { state, source },
});

function stopped(): { machine: Machine; id: string } {
  const machine = createReadyMachine();
  const id = ask(machine, 'Why?');
  machine.command('interrupt');
  return { machine, id };
}

describe('after a stop', () => {
  it('the server is watched, and what it does is kept with the answer', () => {
    const { machine, id } = stopped();
    expect(machine.wanted('turn.watch')).toEqual([
      { type: 'turn.watch', turnId: id, modelKey: 'ollama@a/small' },
    ]);
    machine.send(told(id, 'watching'), told(id, 'working'));
    expect(machine.state.chat.done.at(-1)?.aftermath).toEqual({ state: 'working', source: '/slots' });
    machine.send(told(id, 'idle'));
    expect(machine.state.chat.done.at(-1)?.aftermath?.state).toBe('idle');
  });

  it('nothing is watched after an answer that ended by itself', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send({ type: 'turn.ended', turnId: id, outcome: 'complete', reason: 'stop', fault: null });
    expect(machine.wanted('turn.watch')).toEqual([]);
    machine.send(told(id, 'working'));
    expect(machine.state.chat.done.at(-1)?.aftermath).toBeNull();
  });

  it('a note of its server still counts, and none about an answer that ended by itself', () => {
    const { machine, id } = stopped();
    machine.send({ type: 'turn.noted', turnId: id, text: 'The load was stopped, too.' });
    expect(machine.state.chat.done.at(-1)?.notes).toEqual(['The load was stopped, too.']);
    const next = ask(machine, 'And now?');
    machine.send(
      { type: 'turn.ended', turnId: next, outcome: 'complete', reason: 'stop', fault: null },
      { type: 'turn.noted', turnId: next, text: 'late' },
    );
    expect(machine.state.chat.done.at(-1)?.notes).toEqual([]);
  });

  it('an unload is offered only while the server goes on and can do that', () => {
    const { machine, id } = stopped();
    expect(hardStop(machine.state)).toBeNull();
    machine.send(told(id, 'working'));
    expect(hardStop(machine.state)).toBe('ollama@a/small');
    machine.command('turn.hard-stop');
    expect(machine.wanted('model.unload')).toEqual([{ type: 'model.unload', key: 'ollama@a/small' }]);
    machine.send(told(id, 'idle'));
    expect(hardStop(machine.state)).toBeNull();
    machine.command('turn.hard-stop');
    expect(machine.wanted('model.unload')).toHaveLength(1);
    machine.send(told(id, 'working'), lost('ollama@a'));
    expect(hardStop(machine.state)).toBeNull();
    machine.command('turn.hard-stop');
    expect(machine.wanted('model.unload')).toHaveLength(1);
    expect(machine.state.notices.at(-1)?.text).toMatch(
      /goes on with the stopped answer, and cannot unload its model/,
    );
  });

  it('that the server is idle is news for some seconds', () => {
    const { machine, id } = stopped();
    machine.send(told(id, 'idle'));
    expect(isIdleNews(machine.state)).toBe(true);
    machine.pass(10_000).send({ type: 'clock.ticked' });
    expect(isIdleNews(machine.state)).toBe(false);
  });

  it('a stop before a new question is not mixed up with it', () => {
    const { machine, id } = stopped();
    ask(machine, 'And now?');
    machine.send(told(id, 'working'));
    expect(machine.state.chat.live?.aftermath).toBeNull();
    expect(machine.state.chat.done.at(-1)?.aftermath?.state).toBe('working');
    expect(hardStop(machine.state)).toBeNull();
  });
});
