import { describe, expect, it } from '@jest/globals';
import { backendTypes } from '../../../src/backends/registry.js';
import { insteadOf, KINDS_WITH_LIFE_WORDS } from '../../../src/domain/model-life-words.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import { createMachine, found, checked, listed, modelOf, server } from '../../support/machine.js';

describe('the next steps where a server loads, unloads or deletes nothing', () => {
  it('are there for every kind that has not all three, and for none that does not exist', () => {
    const kinds = backendTypes.map(({ kind }) => kind);
    expect(KINDS_WITH_LIFE_WORDS.filter((kind) => !kinds.includes(kind))).toEqual([]);
    const lacking = backendTypes.filter(
      ({ features }) => !features.load || !features.unload || !features.delete,
    );
    // Of a server that only speaks the dialect nothing more is known.
    const wordless = lacking.map(({ kind }) => kind).filter((kind) => !KINDS_WITH_LIFE_WORDS.includes(kind));
    expect(wordless.filter((kind) => !['openai', 'embedded', 'mock'].includes(kind))).toEqual([]);
  });

  it('say of a proxy that it passes messages on, not that it loads a model when it starts', () => {
    expect(insteadOf('load', 'litellm')).toContain('on the server behind it');
    expect(insteadOf('load', 'vllm')).toContain('when it starts');
    expect(insteadOf('unload', 'some-other')).toBe('Its models are unloaded where it runs.');
  });

  it('are told by l, u and x of the models pane', () => {
    const machine = createMachine().send(
      found(server('litellm@a', { kind: 'litellm', title: 'LiteLLM', features: NO_FEATURES })),
      checked('litellm@a'),
      listed('litellm@a', [modelOf('litellm@a', 'tiny')]),
      { type: 'pane.selected', pane: 'models', key: 'litellm@a/tiny' },
    );
    const told = (command: 'model.load' | 'model.unload' | 'row.delete'): unknown => {
      machine.command(command, 'litellm@a/tiny');
      const { text, hint } = machine.state.notices.at(-1) ?? {};
      return [text, hint];
    };
    expect(told('model.load')).toEqual([
      'LiteLLM cannot be told to load a model',
      insteadOf('load', 'litellm'),
    ]);
    expect(told('model.unload')).toEqual([
      'LiteLLM cannot be told to unload a model',
      insteadOf('unload', 'litellm'),
    ]);
    expect(told('row.delete')).toEqual(['LiteLLM deletes no models', insteadOf('delete', 'litellm')]);
  });
});
