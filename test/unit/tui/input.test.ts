import { describe, expect, it } from '@jest/globals';
import type { AppEvent, PaneId } from '../../../src/events/catalogue.js';
import { createInput } from '../../../src/tui/input.js';
import { createKeymap } from '../../../src/tui/keymap.js';
import { ask, createReadyMachine, listed, modelOf, SAMPLE, type Machine } from '../../support/machine.js';

interface Keys {
  readonly machine: Machine;
  readonly published: AppEvent[];
  readonly scrolled: string[];
  press(...keys: readonly string[]): Keys;
}

/** The input in front of the pure update. A key of one character types it. */
function keysOn(
  machine: Machine,
  change: { ways?: readonly AppEvent[]; hit?: { pane: PaneId; key: string | null } } = {},
): Keys {
  const published: AppEvent[] = [];
  const scrolled: string[] = [];
  const receive = createInput({
    state: () => machine.state,
    keymap: createKeymap({}).keymap,
    publish(event) {
      published.push(event);
      machine.send(event);
    },
    messageWidth: () => 20,
    listHeight: () => 10,
    lastTop: () => 30,
    scroll(command) {
      if (!/^(transcript|log|models)\.(up|down|page-up|page-down|top|end)$/.test(command)) return false;
      scrolled.push(command);
      return true;
    },
    ways: () => change.ways ?? [],
    hit: () => change.hit ?? null,
  });
  const keys: Keys = {
    machine,
    published,
    scrolled,
    press(...pressed) {
      for (const key of pressed)
        receive({ type: 'key', key, text: [...key].length === 1 ? key : key === 'space' ? ' ' : '' });
      return keys;
    },
  };
  return keys;
}

const text = (keys: Keys): string => keys.machine.state.prompt.text;

describe('the message box', () => {
  it('takes letters as text, also those that are keys elsewhere', () => {
    expect(text(keysOn(createReadyMachine()).press('z', '?', 'space', 'r', '/'))).toBe('z? r/');
  });

  it('makes a new line of backslash and Enter, and sends with Enter', () => {
    const keys = keysOn(createReadyMachine()).press('a', '\\', 'enter', 'b');
    expect(text(keys)).toBe('a\nb');
    keys.press('enter');
    expect(keys.machine.state.chat.live?.prompt).toBe('a\nb');
  });

  it('goes through the history from its first and last row, and keeps the draft', () => {
    const machine = createReadyMachine().send({ type: 'prompt.history.loaded', entries: ['old', 'newer'] });
    const keys = keysOn(machine).press('d', 'up');
    expect(text(keys)).toBe('newer');
    expect(text(keys.press('up'))).toBe('old');
    expect(text(keys.press('down', 'down'))).toBe('d');
  });

  it('moves by rows inside of a long message before it goes to the history', () => {
    const machine = createReadyMachine().send({ type: 'prompt.history.loaded', entries: ['old'] });
    const keys = keysOn(machine).press('o', 'n', 'e', 'ctrl+j', 't', 'w', 'o', 'up');
    expect(text(keys)).toBe('one\ntwo');
    expect(keys.machine.state.prompt.cursor).toBe(3);
    expect(text(keys.press('up', 'up'))).toBe('old');
  });

  it('quits with Ctrl+D only when it is empty', () => {
    const keys = keysOn(createReadyMachine()).press('a', 'home', 'ctrl+d');
    expect(text(keys)).toBe('');
    expect(keys.machine.wanted('app.quit')).toEqual([]);
    keys.press('ctrl+d');
    expect(keys.machine.wanted('app.quit')).toHaveLength(1);
  });

  it('scrolls the transcript without being left', () => {
    const keys = keysOn(createReadyMachine()).press('pageup');
    expect(keys.scrolled).toEqual(['transcript.page-up']);
    expect(keys.machine.state.view.pane).toBe('message');
  });
});

describe('panes', () => {
  it('are gone through with Tab and Shift+Tab', () => {
    const keys = keysOn(createReadyMachine());
    const seen = [1, 2, 3, 4, 5].map(() => keys.press('tab').machine.state.view.pane);
    expect(seen).toEqual(['transcript', 'models', 'machine', 'log', 'message']);
    expect(keys.press('shift+tab').machine.state.view.pane).toBe('log');
  });

  it('take their keys, and letters that are none of theirs are not typed anywhere', () => {
    const keys = keysOn(createReadyMachine()).press('tab', 'tab', 'tab', 'tab', '1', 'x');
    expect(keys.machine.state.logs.level).toBe('error');
    expect(text(keys)).toBe('');
  });

  it('give a paste to the message box', () => {
    const machine = createReadyMachine().send({ type: 'pane.focused', pane: 'log' });
    const keys = keysOn(machine);
    createInput({
      state: () => machine.state,
      keymap: createKeymap({}).keymap,
      publish: (event) => void machine.send(event),
      messageWidth: () => 20,
      listHeight: () => 10,
      lastTop: () => 30,
      scroll: () => false,
      ways: () => [],
      hit: () => null,
    })({ type: 'paste', text: 'two\nlines' });
    expect(text(keys)).toBe('two\nlines');
    expect(machine.state.view.pane).toBe('message');
  });
});

describe('a picker', () => {
  it('filters as one types, goes round with the arrows, and takes with Enter', () => {
    const keys = keysOn(createReadyMachine()).press('ctrl+p', 'l', 'a', 'y', 'o', 'u', 't', 'enter');
    expect(keys.machine.state.view.overlays).toEqual([]);
    expect(keys.machine.state.view.layout).toBe('chat-machine');
    keys.press('ctrl+p', 'up');
    expect(keys.machine.state.view.overlays.at(-1)?.index).toBeGreaterThan(5);
    keys.press('down');
    expect(keys.machine.state.view.overlays.at(-1)?.index).toBe(0);
  });

  it('does not scroll below the last or above the first row of the help', () => {
    const keys = keysOn(createReadyMachine()).press('f1', 'up');
    expect(keys.machine.state.view.overlays.at(-1)?.index).toBe(0);
    expect(keys.press('q').machine.state.view.overlays).toEqual([]);
  });

  it('is one line: a paste of several becomes one', () => {
    const machine = createReadyMachine().command('menu.open');
    keysOn(machine).press('a');
    machine.send({ type: 'overlay.edited', edit: { op: 'insert', text: 'b' } });
    expect(machine.state.view.overlays.at(-1)?.query.text).toBe('ab');
  });
});

describe('a question', () => {
  /** Sending a message to a model that is larger than the free memory asks first. */
  const asked = (): Keys => {
    const machine = createReadyMachine();
    const huge = modelOf('ollama@a', 'huge', { sizeBytes: 1e15 });
    machine.send({ type: 'hardware.sampled', sample: SAMPLE }, listed('ollama@a', [huge]));
    ask(machine, 'too much');
    expect(machine.state.view.overlays.at(-1)?.question?.choices.map((c) => c.key)).toEqual(['n', 'y', 'm']);
    return keysOn(machine);
  };

  it.each(['escape', 'ctrl+c', 'enter', 'n'])(
    'is left with %s by its first choice, which does nothing',
    (key) => {
      const keys = asked().press(key);
      expect(keys.machine.state.view.overlays).toEqual([]);
      expect(keys.published).toEqual([{ type: 'question.answered', choice: 0 }]);
      expect(keys.machine.wanted('chat.start')).toEqual([]);
    },
  );

  it('takes no text, and no key of the panes behind it', () => {
    const keys = asked().press('x', '?', 'ctrl+n');
    expect(text(keys)).toBe('');
    expect(keys.published).toEqual([]);
  });
});

describe('ways on', () => {
  it('are chosen with Up and Down and taken with Enter while the box is empty', () => {
    const ways: AppEvent[] = [
      { type: 'command.invoked', command: 'servers.refresh' },
      { type: 'command.invoked', command: 'mock.use' },
    ];
    const keys = keysOn(createReadyMachine(), { ways }).press('down', 'enter');
    expect(keys.machine.wanted('mock.add')).toHaveLength(1);
    keys.press('x', 'enter');
    expect(keys.machine.state.chat.live?.prompt).toBe('x');
  });
});

describe('the mouse', () => {
  it('focuses a pane, selects its row, and scrolls what is under it', () => {
    const machine = createReadyMachine();
    const scrolled: string[] = [];
    const receive = createInput({
      state: () => machine.state,
      keymap: createKeymap({}).keymap,
      publish: (event) => void machine.send(event),
      messageWidth: () => 20,
      listHeight: () => 10,
      lastTop: () => 30,
      scroll: (command) => scrolled.push(command) > 0,
      ways: () => [],
      hit: () => ({ pane: 'models', key: 'ollama@a/small' }),
    });
    receive({ type: 'mouse', action: 'down', button: 0, x: 1, y: 1 });
    expect(machine.state.view.pane).toBe('models');
    expect(machine.state.models.cursor).toBe('ollama@a/small');
    receive({ type: 'mouse', action: 'wheel-down', button: 0, x: 1, y: 1 });
    expect(scrolled).toEqual(['models.down', 'models.down', 'models.down']);
  });
});
