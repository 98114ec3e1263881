import { describe, expect, it } from '@jest/globals';
import type { SourceState } from '../../../src/domain/hardware.js';
import { selectMachine } from '../../../src/tui/select-machine.js';
import {
  checked,
  createMachine,
  found,
  listed,
  modelOf,
  server,
  type Machine,
} from '../../support/machine.js';

const A = 'ollama@a';

describe('what is said of a machine elsewhere that does not answer', () => {
  it('is that it is waited for, then why not, also while it is asked again, and nothing once it answers', () => {
    const machine = elsewhere();
    told(machine, { state: 'probing' });
    expect(notes(machine)).toEqual(['ssh: waiting for an answer']);
    told(machine, { state: 'failed', reason: 'box does not answer', hint: 'is it on?' });
    expect(notes(machine)).toEqual(['ssh: box does not answer', '  is it on?']);
    told(machine, { state: 'probing' });
    told(machine, { state: 'probing' });
    expect(notes(machine)).toEqual(['ssh: box does not answer', '  asked again now']);
    told(machine, { state: 'live' });
    expect(notes(machine)).toEqual([]);
    told(machine, { state: 'probing' });
    expect(notes(machine)).toEqual(['ssh: waiting for an answer']);
  });
});

function elsewhere(): Machine {
  const { url } = server(A);
  return createMachine({ backends: [{ url, kind: 'ollama', machine: 'ssh:box' }] }).send(
    found(server(A)),
    checked(A),
    listed(A, [modelOf(A, 'm')]),
  );
}

function told(machine: Machine, state: SourceState): void {
  machine.send({ type: 'hardware.source', machine: 'ssh:box', source: 'ssh', state });
}

function notes(machine: Machine): readonly string[] {
  return selectMachine(machine.state).notes;
}
