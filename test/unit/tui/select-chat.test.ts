import { describe, expect, it } from '@jest/globals';
import { NO_FEATURES } from '../../../src/domain/model.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { createKeymap } from '../../../src/tui/keymap.js';
import { selectHeader, selectPhaseBar } from '../../../src/tui/select-chat.js';
import type { PhaseStep } from '../../../widgets/phase-bar.js';
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

const { keymap } = createKeymap({});

function machineWith(more: Parameters<typeof modelOf>[2] = {}): Machine {
  const features = { ...NO_FEATURES, contextSize: true };
  return createMachine().send(
    found(server('ollama@a', { features })),
    checked('ollama@a'),
    listed('ollama@a', [
      modelOf('ollama@a', 'small', { loadState: 'loaded', contextAllocated: 1024, ...more }),
    ]),
    searched,
  );
}

/** The step that runs. */
function current(machine: Machine): PhaseStep | undefined {
  return selectPhaseBar(machine.state, keymap).steps.at(-1);
}

describe('the phase bar', () => {
  it('tells the place in the queue, the load and the prompt as the server tells them', () => {
    const machine = machineWith();
    const turnId = ask(machine, 'hello');
    machine.send({ type: 'turn.queued', turnId, position: 3, source: '/slots' });
    expect(current(machine)).toMatchObject({ label: 'queue', figures: ['place 3'], estimated: false });
    machine.pass(4200).send({ type: 'clock.ticked' });
    expect(current(machine)?.figures).toEqual(['place 3', '4.0 s']);
    machine.send({ type: 'turn.loading', turnId, progress: 0.42 });
    expect(current(machine)).toMatchObject({ label: 'load', figures: ['42 %'] });
    machine.send({ type: 'turn.prefill', turnId, progress: { processed: 630, total: 1000, cached: 0 } });
    expect(current(machine)).toMatchObject({ label: 'prompt', figures: ['63 %', '630 of 1,000 tok'] });
  });

  it('takes the progress of a load from the list of the server when its answer has none', () => {
    const machine = machineWith({ loadState: 'loading', loadProgress: 0.7 });
    const turnId = ask(machine, 'hello');
    machine.send({ type: 'turn.loading', turnId, progress: null });
    expect(current(machine)?.figures).toEqual(['70 %']);
  });

  it('marks our own count, and not that of the server', () => {
    const machine = machineWith();
    const turnId = ask(machine, 'hello');
    const piece: AppEvent = { type: 'turn.text.delta', turnId, text: 'a', pieces: 7 };
    machine.send(piece).pass(300).send(piece);
    expect(current(machine)).toMatchObject({ label: 'answer', estimated: true });
    machine.send({ type: 'turn.usage', turnId, usage: { answerTokens: 14, answerPerSecond: 40 } });
    expect(current(machine)).toMatchObject({ figures: ['40.0 tok/s', '14 tok'], estimated: false });
  });

  it('takes a count and the time of the same moment for the speed', () => {
    const machine = machineWith();
    const turnId = ask(machine, 'hello');
    const speeds: number[] = [];
    for (let answerTokens = 1; answerTokens <= 61; answerTokens++) {
      machine.send({ type: 'turn.text.delta', turnId, text: 'a', pieces: 1 });
      machine.send({ type: 'turn.usage', turnId, usage: { answerTokens } });
      speeds.push(Number.parseFloat(current(machine)?.figures.find((f) => /tok\/s/.test(f)) ?? 'NaN'));
      machine.pass(25);
    }
    const told = speeds.filter((speed) => !Number.isNaN(speed));
    expect(told.length).toBeGreaterThan(40);
    // One token in 25 ms.
    expect(Math.max(...told)).toBeLessThanOrEqual(40);
  });
});

describe('case 33: a server that refuses for now', () => {
  it('is counted down for, and asked by no key before that', () => {
    const machine = machineWith();
    const fault = {
      code: 'busy',
      message: 'Slow down.',
      hint: 'Ask again later.',
      status: 429,
      retryAfterMs: 7000,
    } as const;
    const turnId = ask(machine, 'hello');
    machine.send({ type: 'turn.ended', turnId, outcome: 'failed', reason: null, fault });
    const idle = (): string => selectPhaseBar(machine.state, keymap).idle.join(' ');
    expect(idle()).toMatch(/^failed again in 7 s/);
    machine.pass(2500).send({ type: 'clock.ticked' });
    expect(idle()).toMatch(/^failed again in 5 s/);
    machine.command('turn.retry').type('and this').command('message.send');
    expect(machine.wanted('chat.start')).toHaveLength(1);
    expect(machine.state.prompt.text).toBe('and this');
    expect(machine.told.at(-1)).toMatch(
      /^not sent: this server has refused for now, and may be asked again in 5 s$/,
    );
    machine.pass(5000).send({ type: 'clock.ticked' });
    expect(idle()).not.toContain('again in');
    machine.command('turn.retry');
    expect(machine.wanted('chat.start')).toHaveLength(2);
  });

  it('holds up no other server', () => {
    const machine = machineWith();
    machine.send(
      found(server('vllm@b', {})),
      checked('vllm@b'),
      listed('vllm@b', [modelOf('vllm@b', 'other')]),
    );
    const fault = {
      code: 'busy',
      message: 'Slow down.',
      hint: null,
      status: 429,
      retryAfterMs: 7000,
    } as const;
    machine.send({
      type: 'turn.ended',
      turnId: ask(machine, 'hello'),
      outcome: 'failed',
      reason: null,
      fault,
    });
    machine.command('model.use', 'vllm@b/other').command('turn.retry');
    expect(machine.wanted('chat.start')).toHaveLength(2);
  });
});

describe('the header', () => {
  const ended = (turnId: string): AppEvent => ({
    type: 'turn.ended',
    turnId,
    outcome: 'complete',
    reason: 'stop',
    fault: null,
  });

  it('warns of what was not read until the next message is typed or sent', () => {
    const machine = machineWith();
    const turnId = ask(machine, 'hello');
    machine.send(
      { type: 'turn.text.delta', turnId, text: 'yes', pieces: 1 },
      { type: 'turn.truncated', turnId, truncation: { messages: 4, tokens: null, source: 'told' } },
      ended(turnId),
    );
    expect(selectHeader(machine.state).warning).toBe('not all was read: the 4 oldest messages');
    machine.type('more');
    expect(selectHeader(machine.state).warning).toBeNull();
    machine.send({ type: 'prompt.submitted' });
    expect(selectHeader(machine.state).warning).toBeNull();
  });

  it('warns while what is typed would not fit, and shows the estimate while it would', () => {
    const machine = machineWith();
    machine.type('x'.repeat(3400));
    expect(selectHeader(machine.state).warning).toMatch(/^would not fit: ≈ \d+ of 1k tokens$/);
    machine.send({ type: 'prompt.edited', edit: { op: 'set', text: 'x'.repeat(360) } });
    expect(selectHeader(machine.state)).toMatchObject({
      warning: null,
      context: { usedTokens: null, nextTokens: 105 },
    });
  });
});
