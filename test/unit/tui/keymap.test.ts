import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import { COMMAND_IDS } from '../../../src/state/commands.js';
import { ALL_BINDINGS, type Binding, KEYMAP } from '../../../src/tui/bindings.js';
import { EDITS } from '../../../src/tui/edits.js';
import { clashesOf, createKeymap, keyLabel, wrongKeys } from '../../../src/tui/keymap.js';

/** Commands that need rows or panes of the screen: the dashboard scrolls, the input moves focus and cursor. */
const SCROLLING = ['up', 'down', 'page-up', 'page-down', 'top', 'end'].flatMap((verb) => [
  `transcript.${verb}`,
  `log.${verb}`,
  `list.${verb}`,
  `models.${verb}`,
  `machine.${verb}`,
]);
const OF_THE_SCREEN = [
  ...SCROLLING,
  ...['log.copy', 'log.copy-view'],
  ...['transcript.previous', 'transcript.next', 'transcript.match-older', 'transcript.match-newer'],
  ...['pane.next', 'pane.previous', 'message.quit-if-empty', 'message.up', 'message.down', 'list.choose'],
];

/** Readline's own keys belong to the message box; Ctrl+Z is job control and does what it says. */
const TAKEN_BY_TERMINALS = /^ctrl\+[abhimsqz]$/;
const ALLOWED: ReadonlySet<string> = new Set([
  'ctrl+a in message',
  'ctrl+b in message',
  'ctrl+z in everywhere',
]);

describe('the keymap', () => {
  it('has no two commands on one key in one place', () => {
    expect(clashesOf(ALL_BINDINGS)).toEqual([]);
  });

  it('lists no dead key: every command is answered by somebody', () => {
    const answered = new Set([...COMMAND_IDS, ...Object.keys(EDITS), ...OF_THE_SCREEN]);
    expect(ALL_BINDINGS.map((b) => b.id).filter((id) => !answered.has(id))).toEqual([]);
  });

  it('has every edit, and every command of the menu is one that the state answers', () => {
    const ids = new Set(ALL_BINDINGS.map((b) => b.id));
    expect(Object.keys(EDITS).filter((id) => !ids.has(id))).toEqual([]);
    expect(KEYMAP.filter((b) => b.menu && !COMMAND_IDS.includes(b.id)).map((b) => b.id)).toEqual([]);
  });

  it('takes none of the keys of tmux, screen, flow control and terminal aliases by default', () => {
    const taken = ALL_BINDINGS.flatMap((b) =>
      b.keys.filter((key) => TAKEN_BY_TERMINALS.test(key)).map((key) => `${key} in ${b.where}`),
    );
    expect(taken.filter((key) => !ALLOWED.has(key))).toEqual([]);
  });

  it('does with another key everything that a key of the message box does which tmux may take', () => {
    const alone = KEYMAP.filter(
      (b) =>
        b.where === 'message' && b.keys.length > 0 && b.keys.every((key) => TAKEN_BY_TERMINALS.test(key)),
    );
    expect(alone).toEqual([]);
  });

  it('never binds a letter in the message box or everywhere: letters are text there', () => {
    const letters = ALL_BINDINGS.filter((b) => ['message', 'everywhere', 'list'].includes(b.where)).flatMap(
      (b) => b.keys.filter((key) => [...key].length === 1 || key === 'space'),
    );
    expect(letters).toEqual([]);
  });

  it('says what every key does, in a few words', () => {
    for (const { id, does } of ALL_BINDINGS)
      expect([id, does.length > 2 && does.length < 70]).toEqual([id, true]);
  });

  it('is what docs/keys.md lists', () => {
    const docs = fs.readFileSync('docs/keys.md', 'utf8');
    const missing = ALL_BINDINGS.flatMap((b) => b.keys.map(keyLabel)).filter(
      (label) => !docs.includes(label.replace('|', '\\|')),
    );
    expect(missing).toEqual([]);
  });
});

describe('a key of the user', () => {
  it('replaces those of the command, written in any usual way', () => {
    const { keymap, problems } = createKeymap({
      'chat.new': ['Ctrl-T', 'F2', 'Alt-PgUp'],
      'turn.copy': ['C'],
    });
    expect(problems).toEqual([]);
    expect(keymap.find('message', 'ctrl+t')).toBe('chat.new');
    expect(keymap.find('log', 'f2')).toBe('chat.new');
    expect(keymap.find('log', 'alt+pageup')).toBe('chat.new');
    expect(keymap.find('message', 'ctrl+n')).toBeNull();
    expect(keymap.find('transcript', 'C')).toBe('turn.copy');
    expect(keymap.keyOf('chat.new')).toBe('Ctrl+T');
  });

  it('keeps the case of a letter alone or with Alt', () => {
    const { keymap } = createKeymap({ 'chat.new': ['Alt-N'], 'log.wrap': ['W'] });
    expect(keymap.find('message', 'alt+N')).toBe('chat.new');
    expect(keymap.find('log', 'W')).toBe('log.wrap');
    expect(keymap.find('log', 'w')).toBeNull();
  });

  it('may take a key away', () => {
    const { keymap, problems } = createKeymap({ 'servers.refresh': [] });
    expect(problems).toEqual([]);
    expect(keymap.find('message', 'f5')).toBeNull();
    expect(keymap.keyOf('servers.refresh')).toBe('');
  });

  it('that no terminal has is told, with the nearest one; any character with modifiers is a key', () => {
    const { problems } = createKeymap({
      'turn.copy': ['ctrl+pagup', 'contrl+y', 'ctrl++', 'alt+é', 'F12'],
    });
    expect(problems).toEqual([
      'keys.turn.copy: no such key as ctrl+pagup; did you mean ctrl+pageup?',
      'keys.turn.copy: no such key as contrl+y; did you mean ctrl+y?',
    ]);
    const used = ALL_BINDINGS.map((b): [string, readonly string[]] => [b.id, b.keys]);
    for (const [id, keys] of used) expect(wrongKeys({ [id]: keys })).toEqual([]);
  });

  it('that clashes is told, and keeps its default; the others are changed', () => {
    const { keymap, problems } = createKeymap({ 'turn.copy': ['r'], 'menu.open': ['f12'] });
    expect(problems).toEqual([
      'keys: r in transcript is both turn.copy and turn.retry; turn.copy keeps its default',
    ]);
    expect(keymap.find('transcript', 'y')).toBe('turn.copy');
    expect(keymap.find('transcript', 'r')).toBe('turn.retry');
    expect(keymap.find('message', 'f12')).toBe('menu.open');
  });

  it('two that change places do not clash', () => {
    const { keymap, problems } = createKeymap({ 'turn.copy': ['r'], 'turn.retry': ['y'] });
    expect(problems).toEqual([]);
    expect(keymap.find('transcript', 'r')).toBe('turn.copy');
  });

  it('a clash that comes of a default that was taken back is told as well', () => {
    // turn.edit moves to where turn.copy was, and turn.copy to a key that is taken.
    const { keymap, problems } = createKeymap({ 'turn.copy': ['r'], 'turn.edit': ['y'] });
    expect(problems).toHaveLength(2);
    expect(keymap.find('transcript', 'y')).toBe('turn.copy');
    expect(keymap.find('transcript', 'e')).toBe('turn.edit');
  });

  it('of a command that is none is told with the nearest names', () => {
    expect(createKeymap({ 'model.pikk': ['f2'] }).problems).toEqual([
      expect.stringMatching(/^keys\.model\.pikk: no such command; did you mean model\.pick/),
    ]);
  });

  it('of the pane wins over the one that works everywhere', () => {
    const bindings: readonly Binding[] = createKeymap({ 'log.wrap': ['f5'] }).keymap.bindings;
    expect(bindings.some((b) => b.id === 'log.wrap' && b.keys[0] === 'f5')).toBe(true);
    const { keymap } = createKeymap({ 'log.wrap': ['f5'] });
    expect(keymap.find('log', 'f5')).toBe('log.wrap');
    expect(keymap.find('models', 'f5')).toBe('servers.refresh');
  });
});

describe('the name of a key', () => {
  it.each([
    ['ctrl+o', 'Ctrl+O'],
    ['shift+tab', 'Shift+Tab'],
    ['f5', 'F5'],
    ['G', 'G'],
    ['pageup', 'PgUp'],
    ['alt+<', 'Alt+<'],
    ['ctrl+left', 'Ctrl+Left'],
  ])('%s is written %s', (key, label) => {
    expect(keyLabel(key)).toBe(label);
  });
});
