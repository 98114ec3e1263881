import { describe, expect, it } from '@jest/globals';
import { createKeymap } from '../../../src/tui/keymap.js';
import { overlayItems, type OverlayItems } from '../../../src/tui/overlay-items.js';
import {
  checked,
  createMachine,
  found,
  listed,
  lost,
  modelOf,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const { keymap } = createKeymap({});

function itemsOf(machine: Machine, query = ''): OverlayItems {
  if (query !== '') machine.send({ type: 'overlay.edited', edit: { op: 'set', text: query } });
  const top = machine.state.view.overlays.at(-1);
  if (!top) throw new Error('no overlay is open');
  return overlayItems(machine.state, top, keymap);
}
const labels = (items: OverlayItems): string[] => items.picked.map(({ item }) => item.label);

const twoServers = (): Machine =>
  createMachine().send(
    found(server('ollama@a')),
    found(server('llama.cpp@b'), 1),
    checked('ollama@a'),
    checked('llama.cpp@b'),
    listed('ollama@a', [
      modelOf('ollama@a', 'alpha'),
      modelOf('ollama@a', 'embed', { chat: false }),
      modelOf('ollama@a', 'beta'),
    ]),
    listed('llama.cpp@b', [modelOf('llama.cpp@b', 'gamma', { loadState: 'loaded' })]),
    searched,
  );

describe('the picker of models', () => {
  it('goes over all servers, without those that cannot chat, the chosen one first', () => {
    expect(labels(itemsOf(twoServers().command('model.pick')))).toEqual(['alpha', 'beta', 'gamma']);
  });

  it('has the one used before first, so that Enter goes back to it', () => {
    const machine = twoServers()
      .command('model.use', 'ollama@a/alpha')
      .command('model.use', 'llama.cpp@b/gamma')
      .command('model.pick');
    const items = itemsOf(machine);
    expect(labels(items)).toEqual(['alpha', 'gamma', 'beta']);
    expect(items.eventOf(0)).toEqual({
      type: 'command.invoked',
      command: 'model.use',
      argument: 'ollama@a/alpha',
    });
  });

  it('says which is chosen, loaded and away', () => {
    const machine = twoServers();
    expect(itemsOf(machine.command('model.pick')).picked.map(({ item }) => item.columns[0])).toEqual([
      'chosen',
      '',
      'loaded',
    ]);
    machine.send(lost('llama.cpp@b'));
    expect(itemsOf(machine).picked.map(({ item }) => item.columns[0])).toEqual(['chosen', '', 'away']);
  });

  it('finds by letters in their order, and Enter takes what is in focus', () => {
    const items = itemsOf(twoServers().command('model.pick'), 'gma');
    expect(labels(items)[0]).toBe('gamma');
    expect(items.eventOf(99)).not.toBeNull();
    expect(itemsOf(twoServers().command('model.pick'), 'zzzz').eventOf(0)).toBeNull();
  });
});

describe('the menu', () => {
  it('has every command once, with its key', () => {
    const items = itemsOf(createMachine().command('menu.open'));
    expect(new Set(labels(items)).size).toBe(items.picked.length);
    expect(items.picked.find(({ item }) => item.id === 'model.load')?.item.columns).toEqual(['l in models']);
    expect(items.picked.find(({ item }) => item.id === 'chat.new')?.item.columns).toEqual(['Ctrl+N']);
    expect(items.picked.find(({ item }) => item.id === 'app.quit')?.item.columns).toEqual(['']);
  });

  it('finds a command by its id, too', () => {
    expect(itemsOf(createMachine().command('menu.open'), 'layout.cycle').picked[0]?.item.id).toBe(
      'layout.cycle',
    );
  });
});

describe('the picker of chats', () => {
  it('has their titles, questions and times, and opens one', () => {
    const machine = createMachine().command('chats.open');
    machine.send({
      type: 'session.listed',
      chats: [
        { id: 'one', title: 'About parsers', updatedAt: Date.UTC(2026, 0, 31, 12, 3), turns: 1 },
        { id: 'two', title: '', updatedAt: 0, turns: 2 },
      ],
    });
    const items = itemsOf(machine);
    expect(items.picked.map(({ item }) => [item.label, ...item.columns])).toEqual([
      ['About parsers', '', '1 question', '2026-01-31 12:03'],
      ['(without title)', '', '2 questions', '1970-01-01 00:00'],
    ]);
    expect(items.eventOf(0)).toEqual({ type: 'command.invoked', command: 'chat.open', argument: 'one' });
  });
});
