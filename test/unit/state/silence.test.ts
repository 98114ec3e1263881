import { describe, expect, it } from '@jest/globals';
import { createKeymap } from '../../../src/tui/keymap.js';
import { selectPhaseBar } from '../../../src/tui/select-chat.js';
import { ask, checked, createReadyMachine, type Machine } from '../../support/machine.js';

const { keymap } = createKeymap({});

/** Seconds pass, a tick each. */
function seconds(machine: Machine, count: number): Machine {
  for (let i = 0; i < count; i++) machine.pass(999).send({ type: 'clock.ticked' });
  return machine;
}

const current = (machine: Machine) => selectPhaseBar(machine.state, keymap).steps.at(-1);
const shown = (machine: Machine): string => {
  const step = current(machine);
  return [step?.label, ...(step?.figures ?? [])].join(' · ');
};

describe('a long wait', () => {
  it('is said after 5 s, and after 30 s with what is known', () => {
    const machine = createReadyMachine();
    ask(machine, 'Why?');
    expect(shown(seconds(machine, 4))).toMatch(/^wait · /);
    expect(shown(seconds(machine, 2))).toBe('waiting for the model · 6 s');
    machine.send({
      type: 'backend.checked',
      backendId: 'ollama@a',
      check: { status: { state: 'ready' }, version: null, processing: 2, queued: 1 },
    });
    expect(shown(seconds(machine, 25))).toBe(
      'waiting for the model · 31 s · model loaded · 2 in work · 1 waiting',
    );
    machine.send(checked('ollama@a', 'busy'));
    expect(shown(machine)).toContain('server busy');
  });

  it('of twenty minutes without headers is a notice, not a death', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    seconds(machine, 1200);
    expect(machine.state.chat.live?.outcome).toBeNull();
    expect(machine.wanted('chat.cancel')).toEqual([]);
    expect(shown(machine)).toMatch(/^waiting for the model · 20m 00s/);
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'At last', pieces: 1 });
    expect(shown(machine)).toMatch(/^answer/);
  });

  it('in the middle of an answer is said after 20 s, until a word comes', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'Be', pieces: 1 });
    expect(shown(seconds(machine, 19))).not.toContain('no text');
    expect(shown(seconds(machine, 4))).toContain('no text for 23 s');
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'cause', pieces: 1 });
    expect(shown(machine)).not.toContain('no text');
  });

  it('is also said of a prompt whose progress stands still', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send({ type: 'turn.prefill', turnId: id, progress: { processed: 10, total: 100, cached: 0 } });
    expect(shown(seconds(machine, 31))).toMatch(/10 % .*no news for 31 s/);
  });

  it('does not count the sleep of the machine', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'Be', pieces: 1 });
    seconds(machine, 3);
    machine.pass(8 * 3600_000).send({ type: 'clock.ticked' });
    expect(machine.state.chat.silence.ms).toBeLessThan(6000);
    expect(shown(machine)).not.toContain('no text');
    // Neither do many short ones.
    for (let i = 0; i < 5; i++) machine.pass(600_000).send({ type: 'clock.ticked' });
    expect(machine.state.chat.silence.ms).toBeLessThan(16_000);
  });

  it('is counted anew for the next question', () => {
    const machine = createReadyMachine();
    seconds(machine, 60);
    ask(machine, 'Why?');
    expect(machine.state.chat.silence.ms).toBe(0);
    expect(shown(seconds(machine, 3))).toMatch(/^wait · /);
  });
});
