import { describe, expect, it } from '@jest/globals';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { stringWidth } from '../../../widgets/text/width.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import { emptyChatRows } from '../../../src/tui/empty-chat.js';
import { createKeymap } from '../../../src/tui/keymap.js';
import {
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

const { keymap } = createKeymap({});
const A = 'ollama@a';
const PULLS = { features: { ...NO_FEATURES, pull: true } };

function shown(machine: Machine, width = 78): readonly string[] {
  return emptyChatRows(machine.state, width, UNICODE_GLYPHS, keymap).map(({ spans }) =>
    spans.map(({ text }) => text).join(''),
  );
}

describe('a chat without messages', () => {
  it('says who answers', () => {
    expect(shown(createReadyMachine())[0]).toBe(' small on ollama answers.');
  });

  it('says why the only server does not list its models, and waits for one that is still to answer', () => {
    const fault = { code: 'server-error', message: 'It broke.', hint: 'Look.', status: 500 } as const;
    const failed = { type: 'models.failed', backendId: A, fault } as const;
    const machine = createMachine().send(found(server(A, PULLS)), checked(A), failed, searched);
    expect(shown(machine)).toEqual([' ollama does not list its models: It broke.', '', ' Look.']);
    machine.send(found(server('vllm@b', { title: 'vLLM' })));
    expect(shown(machine)).toEqual([' asking vLLM for its models']);
  });

  it('says of a server that is still loading that it is', () => {
    const check = { status: { state: 'loading' }, version: null, processing: null, queued: null } as const;
    const machine = createMachine().send(
      found(server(A)),
      { type: 'backend.checked', backendId: A, check },
      searched,
    );
    expect(shown(machine)).toEqual([' ollama is still loading its model. A message waits for it.']);
  });

  it('says the steps of the models pane when the only server has no model', () => {
    const machine = createMachine().send(found(server(A, PULLS)), checked(A), listed(A, []), searched);
    expect(shown(machine).join('\n')).not.toContain('small models');
    machine.send({
      type: 'setup.looked',
      offer: { engine: null, folder: '~', freeBytes: null, files: null },
    });
    expect(shown(machine)).toEqual([
      ' ollama has no models.',
      '',
      ' p  pulls one by its name: a name of ollama.com as qwen3:8b, or',
      '    hf.co/USER/REPOSITORY:Q4_K_M',
      ' a  adds a server',
      ' c  small models to fetch and run on this machine',
      '',
      ' These are keys of the models pane (Tab goes there); Ctrl+P has them',
      ' everywhere.',
    ]);
  });

  it('says what is done on the other side where the server fetches nothing', () => {
    const id = 'llama.cpp@b';
    const machine = createMachine().send(
      found(server(id, { kind: 'llama.cpp', features: NO_FEATURES })),
      checked(id),
      listed(id, []),
      searched,
    );
    const text = shown(machine).join('\n');
    expect(text).toContain('llama-server -hf USER/REPOSITORY:Q4_K_M');
    expect(text).not.toContain('pulls one');
  });

  it('tells models that cannot chat from none, and passes over servers that are away', () => {
    const embedding = modelOf(A, 'embed', { chat: false });
    const machine = createMachine().send(
      found(server(A, PULLS)),
      checked(A),
      listed(A, [embedding]),
      found(server('vllm@b', { kind: 'vllm' }), 1),
      lost('vllm@b'),
      searched,
    );
    expect(shown(machine)[0]).toBe(' No server has a model to chat with.');
    expect(shown(machine)[2]).toContain('p  pulls one by its name');
  });

  it('does not say that there is none before the server has told its list', () => {
    const machine = createMachine().send(found(server(A, PULLS)), checked(A), searched);
    expect(shown(machine)).toEqual([' asking ollama for its models']);
  });

  it.each([20, 36, 50, 118])('is never wider than the pane: %i', (width) => {
    const machine = createMachine().send(found(server(A, PULLS)), checked(A), listed(A, []), searched);
    for (const line of shown(machine, width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
  });
});
