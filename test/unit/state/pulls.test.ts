import { describe, expect, it } from '@jest/globals';
import { NO_FEATURES, type PullProgress } from '../../../src/domain/model.js';
import { unfinishedPulls } from '../../../src/state/pull-events.js';
import { pullFormProps, pullItems } from '../../../src/tui/pull-overlay.js';
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
const B = 'llama.cpp@b';
const HALF: PullProgress = {
  phase: 'downloading',
  status: 'pulling 1',
  completedBytes: 50,
  totalBytes: 100,
  layers: [{ id: '1', completedBytes: 50, totalBytes: 100 }],
};

/** In the models pane, with a server that can pull and one that cannot. */
function pulling(...names: readonly string[]): Machine {
  const machine = createMachine().send(
    found(server(A, { features: { ...NO_FEATURES, pull: true, delete: true } })),
    found(server(B, { kind: 'llama.cpp', features: NO_FEATURES }), 1),
    checked(A),
    checked(B),
    listed(A, [modelOf(A, 'small')]),
    listed(B, []),
    searched,
    { type: 'pane.focused', pane: 'models' },
  );
  for (const name of names) machine.command('model.pull-name', `${A}/${name}`);
  return machine;
}
const states = (machine: Machine): unknown =>
  machine.state.models.pulls.map(({ name, state }) => [name, state]);
const idOf = (machine: Machine, name: string): string =>
  machine.state.models.pulls.find((pull) => pull.name === name)?.id ?? '';
const ended = (pullId: string, cancelled = false, code: 'broken' | 'unknown-model' | null = null) =>
  ({
    type: 'pull.ended',
    pullId,
    cancelled,
    fault: code === null ? null : { code, message: 'it broke', hint: null, status: null },
  }) as const;

describe('pulls', () => {
  it('run two at a time; the others wait for their turn', () => {
    const machine = pulling('one', 'two', 'three');
    expect(states(machine)).toEqual([
      ['one', 'running'],
      ['two', 'running'],
      ['three', 'waiting'],
    ]);
    expect(machine.wanted('pull.start').map(({ name }) => name)).toEqual(['one', 'two']);
    expect(machine.told.at(-1)).toBe('three waits: 2 pulls run at a time');
    machine.send(ended(idOf(machine, 'one')));
    expect(machine.wanted('pull.start').map(({ name }) => name)).toEqual(['one', 'two', 'three']);
    expect(machine.wanted('models.refresh')).toHaveLength(1);
  });

  it('case 76: of one name run once, by the rules of their server', () => {
    const machine = pulling('llama3', 'LLAMA3', 'llama3:latest', ' llama3 ');
    expect(states(machine)).toEqual([['llama3', 'running']]);
    expect(machine.told.at(-1)).toBe('llama3 is being pulled already');
  });

  it('of an empty name, and to a server that cannot, are not begun; the second says what to do instead', () => {
    const machine = pulling(' ').command('model.pull-name', `${B}/x`);
    expect(machine.wanted('pull.start')).toEqual([]);
    expect(machine.state.notices.at(-1)).toMatchObject({
      text: 'llama.cpp fetches no models by itself',
      hint: expect.stringContaining('llama-server -hf') as unknown,
    });
  });

  it('are stopped by x, say that they can go on, and go on with Enter', () => {
    const machine = pulling('big');
    const id = idOf(machine, 'big');
    machine.send(
      { type: 'pull.started', pullId: id, backendId: A, name: 'big' },
      { type: 'pull.progressed', pullId: id, progress: HALF },
    );
    // The cursor stands on it since it was begun.
    machine.command('row.delete');
    expect(machine.wanted('pull.cancel')).toEqual([{ type: 'pull.cancel', pullId: id }]);
    machine.send(ended(id, true));
    expect(states(machine)).toEqual([['big', 'stopped']]);
    expect(machine.state.notices.at(-1)).toMatchObject({
      text: 'the pull of big is stopped at 50 %',
      hint: expect.stringContaining('goes on from there') as unknown,
    });
    machine.command('model.use');
    expect(states(machine)).toEqual([['big', 'running']]);
    expect(machine.wanted('pull.start')).toHaveLength(2);
    expect(machine.state.models.selected).toBe(`${A}/small`);
  });

  it('that nobody can stop from outside are not called stopped, and hold up no quitting', () => {
    const features = { ...NO_FEATURES, pull: true };
    const machine = pulling().send(
      found(server('lmstudio@l', { kind: 'lmstudio', title: 'LM Studio', features })),
      checked('lmstudio@l'),
    );
    machine.command('model.pull-name', 'lmstudio@l/big');
    expect(machine.state.notices.at(-1)?.hint).toMatch(/^LM Studio goes on with it by itself/);
    expect(unfinishedPulls(machine.state)).toEqual([]);
    const id = idOf(machine, 'big');
    machine.send({ type: 'pull.progressed', pullId: id, progress: HALF }).command('row.delete', id);
    machine.send(ended(id, true));
    expect(states(machine)).toEqual([]);
    expect(machine.state.notices.at(-1)).toMatchObject({
      text: 'the pull of big is no longer followed at 50 %',
      hint: 'LM Studio goes on with it by itself; its window stops it.',
    });
  });

  it('that stopped or wait are taken out of the list by x', () => {
    const machine = pulling('one', 'two', 'three');
    machine.command('row.delete', idOf(machine, 'three'));
    machine.send(ended(idOf(machine, 'one'), true)).command('row.delete', idOf(machine, 'one'));
    expect(states(machine)).toEqual([['two', 'running']]);
    expect(machine.wanted('pull.cancel')).toEqual([]);
  });

  it('that fail say why; what does not exist leaves no row to go on with', () => {
    const machine = pulling('broken', 'nosuch');
    const id = idOf(machine, 'broken');
    machine.send({ type: 'pull.progressed', pullId: id, progress: HALF }, ended(id, false, 'broken'));
    expect(machine.state.notices.at(-1)).toMatchObject({
      level: 'bad',
      text: 'could not pull broken: it broke',
      hint: expect.stringContaining('goes on') as unknown,
    });
    machine.send(ended(idOf(machine, 'nosuch'), false, 'unknown-model'));
    expect(states(machine)).toEqual([['broken', 'stopped']]);
  });

  it('that are done stay until the server lists the model, which is told once', () => {
    const machine = pulling('New');
    machine.send(ended(idOf(machine, 'New')));
    expect(states(machine)).toEqual([['New', 'done']]);
    machine.send(listed(A, [modelOf(A, 'small'), modelOf(A, 'new:latest')]));
    expect(states(machine)).toEqual([]);
    expect(machine.told.filter((text) => /new/i.test(text))).toEqual([
      expect.stringMatching(/^pulling New to ollama/),
      expect.stringMatching(/^New is pulled/),
    ]);
    // One that was there before and has the same list leaves, too.
    machine.command('model.pull-name', `${A}/small`);
    machine.send(ended(idOf(machine, 'small')), listed(A, [modelOf(A, 'small'), modelOf(A, 'new:latest')]));
    expect(states(machine)).toEqual([]);
  });

  it('end with their server, and give their place to others', () => {
    const machine = pulling('one', 'two');
    const id = idOf(machine, 'one');
    machine.send({ type: 'backend.removed', backendId: A });
    expect(states(machine)).toEqual([]);
    expect(machine.wanted('pull.cancel')).toHaveLength(2);
    machine.send(ended(id, true), { type: 'pull.progressed', pullId: id, progress: HALF });
    expect(states(machine)).toEqual([]);
  });

  it('are asked about before the program is left; Ctrl+C says it instead', () => {
    const machine = pulling('big').command('app.quit');
    expect(machine.wanted('app.quit')).toEqual([]);
    expect(machine.state.view.overlays.at(-1)?.question?.lines.join(' ')).toMatch(/big.*not complete.*go on/);
    machine.command('app.quit', 'anyway');
    expect(machine.wanted('app.quit')).toHaveLength(1);
    const other = pulling('big').command('interrupt');
    expect(other.state.notices.at(-1)?.hint).toMatch(/Pulls stop with lmapp/);
    other.command('interrupt');
    expect(other.wanted('app.quit')).toHaveLength(1);
  });
});

describe('the overlay for a name', () => {
  const shownFor = (
    key: string,
  ): { readonly lines: string; readonly servers: readonly string[]; readonly pulls: unknown } => {
    const machine = pulling().send({ type: 'pane.selected', pane: 'models', key }).command('model.pull');
    machine.send({ type: 'overlay.edited', edit: { op: 'insert', text: 'x:1b' } });
    const top = machine.state.view.overlays.at(-1);
    if (top?.id !== 'pull') throw new Error('the overlay is not open');
    const { lines, choices } = pullFormProps(machine.state, top);
    return {
      lines: lines.map(({ text }) => text).join(' '),
      servers: choices,
      pulls: pullItems(machine.state, top).eventOf(0),
    };
  };
  const PULLS = { type: 'command.invoked', command: 'model.pull-name', argument: `${A}/x:1b` };

  it('is about the server under the cursor, with its names; one that cannot pull says what to do instead, and others are offered', () => {
    expect(shownFor(`${A}/small`)).toMatchObject({
      servers: [expect.stringContaining('ollama')],
      pulls: PULLS,
    });
    expect(shownFor(A).lines).toContain('hf.co/USER/REPOSITORY');
    expect(shownFor(A).lines).not.toContain('fetches no models');
    expect(shownFor(B)).toMatchObject({ servers: [expect.stringContaining('ollama')], pulls: PULLS });
    expect(shownFor(B).lines).toContain(
      'llama.cpp fetches no models by itself. Start it with the model: llama-server -hf',
    );
  });

  it('does not open where no server can pull', () => {
    const machine = createMachine().send(
      found(server(B, { kind: 'llama.cpp', features: NO_FEATURES })),
      checked(B),
    );
    machine.command('model.pull');
    expect(machine.state.view.overlays).toEqual([]);
    expect(machine.told).toEqual(['llama.cpp fetches no models by itself']);
  });

  it('keeps the chosen server while the name is typed', () => {
    const machine = pulling().command('model.pull').send({ type: 'overlay.moved', index: 1 });
    machine.send({ type: 'overlay.edited', edit: { op: 'insert', text: 'x' } });
    expect(machine.state.view.overlays.at(-1)).toMatchObject({ index: 1, query: { text: 'x' } });
  });
});
