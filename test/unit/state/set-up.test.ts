import { describe, expect, it } from '@jest/globals';
import type { SetUpOffer } from '../../../src/domain/set-up.js';
import { createMachine, searched, type Machine } from '../../support/machine.js';

const OFFER: SetUpOffer = {
  engine: { version: '1.0.0', downloadBytes: 1, diskBytes: 2 },
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
