import { describe, expect, it } from '@jest/globals';
import { NO_FEATURES, type ModelDetails } from '../../../src/domain/model.js';
import {
  checked,
  createMachine,
  found,
  listed,
  modelOf,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const A = 'ollama@a';
const FEATURES = { ...NO_FEATURES, load: true, unload: true, pin: true, pull: true, delete: true };
const DETAILS: ModelDetails = {
  license: 'MIT',
  system: null,
  template: null,
  parameters: [['stop', 'x']],
  modifiedAt: null,
  facts: [],
};
const digest = (letter: string): string => letter.repeat(64);

function withList(...models: readonly ReturnType<typeof modelOf>[]): Machine {
  return createMachine().send(
    found(server(A, { features: FEATURES })),
    checked(A),
    listed(A, models),
    searched,
    { type: 'pane.focused', pane: 'models' },
  );
}
const FAULT = { code: 'server-error', message: 'no', hint: 'Try.', status: 500 } as const;

describe('a list', () => {
  it('case 74: has a name once, marked with how often the server has it; the cursor and the choice stay', () => {
    const twice = [modelOf(A, 'same'), modelOf(A, 'same'), modelOf(A, 'other')];
    const machine = withList(...twice).command('model.use', `${A}/other`);
    machine.send(
      { type: 'pane.selected', pane: 'models', key: `${A}/same` },
      listed(A, [...twice].reverse()),
    );
    expect(machine.state.models.backends[0]?.models.map(({ label }) => label)).toEqual(['other', 'same ×2']);
    expect(machine.state.models).toMatchObject({ selected: `${A}/other`, cursor: `${A}/same` });
    expect(machine.told).toEqual([]);
  });

  it('says once what changed behind its name', () => {
    const before = modelOf(A, 'm', { digest: digest('a') });
    const after = modelOf(A, 'm', { digest: digest('b') });
    const machine = withList(before).send(listed(A, [after]), listed(A, [after]));
    expect(machine.told).toEqual(['ollama: m changed']);
    // A server that tells no digest says nothing about it.
    machine.send(listed(A, [modelOf(A, 'm')]), listed(A, [before]));
    expect(machine.told).toEqual(['ollama: m changed']);
  });

  it('case 88: that lost the chosen model chooses its neighbour, and the cursor goes there, too', () => {
    const machine = withList(modelOf(A, 'a'), modelOf(A, 'b'), modelOf(A, 'c'), modelOf(A, 'd'));
    machine.command('model.use', `${A}/c`).send({ type: 'pane.selected', pane: 'models', key: `${A}/c` });
    machine.send(listed(A, [modelOf(A, 'a'), modelOf(A, 'b'), modelOf(A, 'd')]));
    expect(machine.state.models).toMatchObject({ selected: `${A}/d`, cursor: `${A}/d` });
    machine.send(listed(A, [modelOf(A, 'a'), modelOf(A, 'embed', { chat: false })]));
    expect(machine.state.models).toMatchObject({ selected: `${A}/a`, cursor: `${A}/embed` });
    machine.send(listed(A, []));
    expect(machine.state.models.cursor).toBe(A);
    expect(machine.told).toContain('ollama: c gone');
  });
});

describe('an unload', () => {
  const loaded = modelOf(A, 'm', { loadState: 'loaded' });
  const unloading = (): Machine =>
    withList(loaded)
      .command('model.unload', `${A}/m`)
      .send({ type: 'model.unload.started', key: `${A}/m` });

  it('case 81: lasts until the list says that the model is gone', () => {
    const machine = unloading().send({ type: 'model.unload.ended', key: `${A}/m`, fault: null });
    machine.pass(3000).send(listed(A, [loaded]), { type: 'clock.ticked' });
    expect(machine.state.models.unloading.has(`${A}/m`)).toBe(true);
    machine.send(listed(A, [modelOf(A, 'm')]));
    expect(machine.state.models.unloading.size).toBe(0);
    expect(machine.told).toEqual([]);
  });

  it('case 81: that does not end within 30 s is told, and the model is shown as loaded', () => {
    const machine = unloading().send({ type: 'model.unload.ended', key: `${A}/m`, fault: null });
    machine.pass(29_000).send({ type: 'clock.ticked' });
    expect(machine.told).toEqual([]);
    machine.pass(2000).send({ type: 'clock.ticked' }, { type: 'clock.ticked' });
    expect(machine.told).toEqual(['m is still loaded (in use?)']);
    expect(machine.state.models.unloading.size).toBe(0);
  });

  it('that fails is over at once', () => {
    const machine = unloading().send({ type: 'model.unload.ended', key: `${A}/m`, fault: FAULT });
    expect(machine.state.models.unloading.size).toBe(0);
    expect(machine.state.notices.at(-1)).toMatchObject({ text: 'could not unload m: no', hint: 'Try.' });
  });
});

describe('a load', () => {
  it('tells how far it is, and what told it', () => {
    const key = `${A}/m`;
    const machine = withList(modelOf(A, 'm'));
    machine.send({ type: 'model.load.progressed', key, progress: 0.1, source: 'nobody asked' });
    expect(machine.state.models.loading.size).toBe(0);
    machine.send(
      { type: 'model.load.started', key },
      { type: 'model.load.progressed', key, progress: 0.4, source: '/models/sse' },
    );
    expect(machine.state.models.loading.get(key)).toMatchObject({ progress: 0.4, source: '/models/sse' });
    machine.send({ type: 'model.load.ended', key, fault: null });
    expect(machine.state.models.loading.size).toBe(0);
  });

  it('with a pin goes out for a loaded model, too, but not for one that stays already', () => {
    const machine = withList(
      modelOf(A, 'm', { loadState: 'loaded', expiry: { at: 5 } }),
      modelOf(A, 'kept', { loadState: 'loaded', expiry: 'never' }),
    );
    machine.command('model.pin', `${A}/kept`).command('model.pin', `${A}/m`);
    expect(machine.wanted('model.load')).toEqual([
      { type: 'model.load', key: `${A}/m`, pin: true, contextTokens: null },
    ]);
    expect(machine.told).toEqual(['kept stays loaded already']);
  });

  it('with a pin is refused by a server that knows none, with what can be done', () => {
    const machine = createMachine().send(
      found(server(A, { features: { ...FEATURES, pin: false } })),
      checked(A),
      listed(A, [modelOf(A, 'm')]),
    );
    machine.command('model.pin', `${A}/m`);
    expect(machine.wanted('model.load')).toEqual([]);
    expect(machine.state.notices.at(-1)).toMatchObject({
      hint: expect.stringContaining('l loads it') as unknown,
    });
  });
});

describe('a deletion', () => {
  it('asks with name, size and server; the first choice keeps it', () => {
    const machine = withList(modelOf(A, 'm', { sizeBytes: 5.2e9, loadState: 'loaded' })).command(
      'row.delete',
      `${A}/m`,
    );
    const question = machine.state.view.overlays.at(-1)?.question;
    expect(question?.lines.join(' ')).toBe(
      'Delete m (5.2 GB) from ollama http://127.0.0.1:11434? It is loaded. To have it again it must be pulled again.',
    );
    expect(question?.choices[0]?.event).toBeNull();
    expect(machine.wanted('model.delete')).toEqual([]);
  });

  it('is told once, and not as a model that is gone', () => {
    const machine = withList(modelOf(A, 'm'), modelOf(A, 'n')).command('model.delete-anyway', `${A}/m`);
    expect(machine.wanted('model.delete')).toEqual([{ type: 'model.delete', key: `${A}/m` }]);
    expect(machine.state.models.deleting.has(`${A}/m`)).toBe(true);
    machine.send({ type: 'model.delete.ended', key: `${A}/m`, fault: null }, listed(A, [modelOf(A, 'n')]));
    expect(machine.told).toEqual(['m is deleted, 1.0 GB on its disk are free']);
    expect(machine.state.models.deleting.size).toBe(0);
  });

  it('that fails leaves the model as it was', () => {
    const machine = withList(modelOf(A, 'm')).command('model.delete-anyway', `${A}/m`);
    machine.send({ type: 'model.delete.ended', key: `${A}/m`, fault: FAULT });
    expect(machine.state.models.deleting.size).toBe(0);
    expect(machine.told).toEqual(['could not delete m: no']);
  });
});

describe('details', () => {
  it('are asked for when they are looked at, once for each file, whatever its names', () => {
    const one = modelOf(A, 'one', { digest: digest('a') });
    const two = modelOf(A, 'two', { digest: digest('a') });
    const machine = withList(one, two);
    expect(machine.wanted('model.details')).toEqual([]);
    machine.command('model.details', one.key).command('model.details', one.key);
    expect(machine.wanted('model.details')).toEqual([{ type: 'model.details', key: one.key }]);
    machine.send({ type: 'model.detailed', key: one.key, details: DETAILS, fault: null });
    machine.command('model.details', two.key);
    expect(machine.wanted('model.details')).toHaveLength(1);
    expect(machine.state.models.details.get(digest('a'))).toMatchObject({ asking: false, details: DETAILS });
  });

  it('of a file that nobody can tell apart are shown and asked for anew; a failure keeps what is known', () => {
    const model = modelOf(A, 'm');
    const machine = withList(model).command('model.details', model.key);
    machine.send({ type: 'model.detailed', key: model.key, details: DETAILS, fault: null });
    machine.command('model.details', model.key);
    expect(machine.wanted('model.details')).toHaveLength(2);
    expect(machine.state.models.details.get(model.key)).toMatchObject({ asking: true, details: DETAILS });
    machine.send({ type: 'model.detailed', key: model.key, details: null, fault: FAULT });
    expect(machine.state.models.details.get(model.key)).toMatchObject({ details: DETAILS, fault: FAULT });
  });

  it('are kept for a bounded number of files', () => {
    const models = Array.from({ length: 300 }, (_, i) => modelOf(A, `m${i}`));
    const machine = withList(...models);
    for (const { key } of models)
      machine.send({ type: 'model.detailed', key, details: DETAILS, fault: null });
    expect(machine.state.models.details.size).toBe(200);
    expect(machine.state.models.details.has(`${A}/m299`)).toBe(true);
  });
});
