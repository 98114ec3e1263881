import type { Edit } from '../events/catalogue.js';
import { nearestNames } from '../domain/names.js';

/** Where a key works. `list`: an open picker or menu; `line`: a one-line input (filter, search, picker). */
export type Where = 'everywhere' | 'message' | 'transcript' | 'models' | 'machine' | 'log' | 'list';

export interface Binding {
  /** Command id: answered by src/state/commands.ts, src/tui/scrolling.ts, or an edit of EDITS. */
  readonly id: string;
  readonly keys: readonly string[];
  readonly where: Where;
  /** Shown in the help, the README and the menu. */
  readonly does: string;
  /** Stands in the menu of commands (Ctrl+P). */
  readonly menu?: boolean;
  /** Hint in the phase bar when its pane has the focus: a short word. */
  readonly hint?: string;
}

/** Edits of the message box and of one-line inputs. */
export const EDITS: Readonly<Record<string, Edit>> = {
  'edit.left': { op: 'move', by: 'char', direction: -1 },
  'edit.right': { op: 'move', by: 'char', direction: 1 },
  'edit.word-left': { op: 'move', by: 'word', direction: -1 },
  'edit.word-right': { op: 'move', by: 'word', direction: 1 },
  'edit.line-start': { op: 'move', by: 'line', direction: -1 },
  'edit.line-end': { op: 'move', by: 'line', direction: 1 },
  'edit.text-start': { op: 'move', by: 'all', direction: -1 },
  'edit.text-end': { op: 'move', by: 'all', direction: 1 },
  'edit.delete-left': { op: 'delete', by: 'char', direction: -1 },
  'edit.delete-right': { op: 'delete', by: 'char', direction: 1 },
  'edit.delete-word-left': { op: 'delete', by: 'word', direction: -1 },
  'edit.delete-word-right': { op: 'delete', by: 'word', direction: 1 },
  'edit.delete-line-left': { op: 'delete', by: 'line', direction: -1 },
  'edit.delete-line-right': { op: 'delete', by: 'line', direction: 1 },
  'edit.yank': { op: 'yank' },
  'edit.undo': { op: 'undo' },
  'edit.redo': { op: 'redo' },
  'edit.newline': { op: 'insert', text: '\n' },
};

/** Every key of the program. The help, docs/keys.md, the README's table and the menu are made from this list. */
export const KEYMAP: readonly Binding[] = [
  { id: 'menu.open', keys: ['ctrl+p'], where: 'everywhere', does: 'menu of every command' },
  {
    id: 'model.pick',
    keys: ['ctrl+o'],
    where: 'everywhere',
    does: 'switch the model (also in mid-answer)',
    menu: true,
  },
  { id: 'pane.next', keys: ['tab'], where: 'everywhere', does: 'next pane' },
  { id: 'pane.previous', keys: ['shift+tab'], where: 'everywhere', does: 'previous pane' },
  {
    id: 'keys.open',
    keys: ['f1'],
    where: 'everywhere',
    does: 'keys of this pane and everywhere',
    menu: true,
  },
  {
    id: 'escape',
    keys: ['escape'],
    where: 'everywhere',
    does: 'close what is open; else stop the answer; else back to the message',
  },
  {
    id: 'interrupt',
    keys: ['ctrl+c'],
    where: 'everywhere',
    does: 'stop the answer; empty the message; twice on an empty one: quit',
  },
  { id: 'app.suspend', keys: ['ctrl+z'], where: 'everywhere', does: 'suspend (fg comes back)' },
  { id: 'screen.redraw', keys: ['ctrl+l'], where: 'everywhere', does: 'draw everything anew', menu: true },
  { id: 'servers.refresh', keys: ['f5'], where: 'everywhere', does: 'ask all servers anew', menu: true },
  { id: 'chat.new', keys: ['ctrl+n'], where: 'everywhere', does: 'new chat', menu: true },
  { id: 'chats.open', keys: ['ctrl+r'], where: 'everywhere', does: 'open an earlier chat', menu: true },
  {
    id: 'turn.fall-back',
    keys: ['f6'],
    where: 'everywhere',
    does: 'put a question that got no answer to the next model of `fallback`',
    menu: true,
  },
  {
    id: 'turn.hard-stop',
    keys: ['f7'],
    where: 'everywhere',
    does: 'unload the model of a stopped answer that its server goes on with',
    menu: true,
  },
  { id: 'notices.open', keys: ['f8'], where: 'everywhere', does: 'what was told so far', menu: true },
  {
    id: 'turn.log',
    keys: ['f4'],
    where: 'everywhere',
    does: 'what was logged while the running or last answer was made, and back',
    menu: true,
  },
  {
    id: 'layout.cycle',
    keys: ['f9'],
    where: 'everywhere',
    does: 'layout: all, chat and machine, chat',
    menu: true,
  },
  {
    id: 'context.choose',
    keys: [],
    where: 'everywhere',
    does: 'make room in the context for the message that did not fit',
    menu: true,
  },
  { id: 'app.quit', keys: [], where: 'everywhere', does: 'quit', menu: true },

  {
    id: 'message.send',
    keys: ['enter'],
    where: 'message',
    does: 'send (while an answer runs: wait behind it)',
    hint: 'send',
  },
  {
    id: 'edit.newline',
    keys: ['ctrl+j', 'alt+enter', 'shift+enter'],
    where: 'message',
    does: 'new line (also \\ before Enter)',
    hint: 'new line',
  },
  {
    id: 'message.quit-if-empty',
    keys: ['ctrl+d'],
    where: 'message',
    does: 'quit when the message is empty; else delete to the right',
  },
  {
    id: 'message.edit-externally',
    keys: ['ctrl+g'],
    where: 'message',
    does: 'edit the message in $EDITOR',
    menu: true,
  },
  { id: 'message.up', keys: ['up'], where: 'message', does: 'row up; on the first row: earlier messages' },
  { id: 'message.down', keys: ['down'], where: 'message', does: 'row down; on the last row: later messages' },
  { id: 'edit.left', keys: ['left', 'ctrl+b'], where: 'message', does: 'character left' },
  { id: 'edit.right', keys: ['right', 'ctrl+f'], where: 'message', does: 'character right' },
  { id: 'edit.word-left', keys: ['alt+b', 'ctrl+left', 'alt+left'], where: 'message', does: 'word left' },
  { id: 'edit.word-right', keys: ['alt+f', 'ctrl+right', 'alt+right'], where: 'message', does: 'word right' },
  { id: 'edit.line-start', keys: ['home', 'ctrl+a'], where: 'message', does: 'start of the line' },
  { id: 'edit.line-end', keys: ['end', 'ctrl+e'], where: 'message', does: 'end of the line' },
  { id: 'edit.text-start', keys: ['ctrl+home', 'alt+<'], where: 'message', does: 'start of the message' },
  { id: 'edit.text-end', keys: ['ctrl+end', 'alt+>'], where: 'message', does: 'end of the message' },
  {
    id: 'edit.delete-left',
    keys: ['backspace', 'shift+backspace'],
    where: 'message',
    does: 'delete to the left',
  },
  { id: 'edit.delete-right', keys: ['delete'], where: 'message', does: 'delete to the right' },
  {
    id: 'edit.delete-word-left',
    keys: ['ctrl+w', 'alt+backspace', 'ctrl+backspace'],
    where: 'message',
    does: 'cut the word to the left',
  },
  {
    id: 'edit.delete-word-right',
    keys: ['alt+d', 'ctrl+delete'],
    where: 'message',
    does: 'cut the word to the right',
  },
  { id: 'edit.delete-line-left', keys: ['ctrl+u'], where: 'message', does: 'cut to the start of the line' },
  { id: 'edit.delete-line-right', keys: ['ctrl+k'], where: 'message', does: 'cut to the end of the line' },
  { id: 'edit.yank', keys: ['ctrl+y'], where: 'message', does: 'put back what was cut' },
  { id: 'edit.undo', keys: ['ctrl+_', 'alt+u'], where: 'message', does: 'undo' },
  { id: 'edit.redo', keys: ['alt+r'], where: 'message', does: 'redo' },
  { id: 'transcript.page-up', keys: ['pageup'], where: 'message', does: 'scroll the transcript up' },
  { id: 'transcript.page-down', keys: ['pagedown'], where: 'message', does: 'scroll the transcript down' },

  { id: 'transcript.up', keys: ['up', 'k'], where: 'transcript', does: 'row up' },
  { id: 'transcript.down', keys: ['down', 'j'], where: 'transcript', does: 'row down' },
  { id: 'transcript.page-up', keys: ['pageup', 'ctrl+u'], where: 'transcript', does: 'page up' },
  {
    id: 'transcript.page-down',
    keys: ['pagedown', 'ctrl+d', 'space'],
    where: 'transcript',
    does: 'page down',
  },
  { id: 'transcript.previous', keys: ['K'], where: 'transcript', does: 'message before' },
  { id: 'transcript.next', keys: ['J'], where: 'transcript', does: 'message after' },
  { id: 'transcript.top', keys: ['g', 'home'], where: 'transcript', does: 'first row' },
  { id: 'transcript.end', keys: ['G', 'end'], where: 'transcript', does: 'follow the end', hint: 'end' },
  { id: 'turn.copy', keys: ['y'], where: 'transcript', does: 'copy the answer', menu: true, hint: 'copy' },
  { id: 'turn.copy-code', keys: ['Y'], where: 'transcript', does: 'copy its last code block', menu: true },
  { id: 'turn.retry', keys: ['r'], where: 'transcript', does: 'ask again', menu: true, hint: 'again' },
  {
    id: 'turn.continue',
    keys: ['c'],
    where: 'transcript',
    does: 'go on with an answer that stopped',
    menu: true,
    hint: 'go on',
  },
  {
    id: 'turn.edit',
    keys: ['e'],
    where: 'transcript',
    does: 'edit the question and ask again',
    menu: true,
    hint: 'edit',
  },
  {
    id: 'turn.thinking',
    keys: ['t'],
    where: 'transcript',
    does: 'thinking open or folded',
    menu: true,
    hint: 'thinking',
  },
  {
    id: 'turn.details',
    keys: ['i'],
    where: 'transcript',
    does: 'where the times and figures of the answer come from',
    menu: true,
    hint: 'details',
  },
  {
    id: 'turn.log',
    keys: ['l'],
    where: 'transcript',
    does: 'what was logged while the answer was made, and back',
    hint: 'log',
  },
  { id: 'transcript.search', keys: ['/'], where: 'transcript', does: 'search', hint: 'search' },
  { id: 'transcript.match-older', keys: ['n'], where: 'transcript', does: 'match before' },
  { id: 'transcript.match-newer', keys: ['N'], where: 'transcript', does: 'match after' },

  { id: 'models.up', keys: ['up', 'k'], where: 'models', does: 'row up' },
  { id: 'models.down', keys: ['down', 'j'], where: 'models', does: 'row down' },
  { id: 'models.top', keys: ['home', 'g'], where: 'models', does: 'first row' },
  { id: 'models.end', keys: ['end', 'G'], where: 'models', does: 'last row' },
  {
    id: 'model.use',
    keys: ['enter'],
    where: 'models',
    does: 'use it (it is loaded with the first message); fold a server',
    hint: 'use',
  },
  { id: 'model.load', keys: ['l'], where: 'models', does: 'load now', menu: true, hint: 'load' },
  { id: 'model.unload', keys: ['u'], where: 'models', does: 'unload now', menu: true, hint: 'unload' },
  {
    id: 'model.pin',
    keys: ['P'],
    where: 'models',
    does: 'pin: load it and keep it until it is unloaded by hand',
    menu: true,
  },
  {
    id: 'model.pull',
    keys: ['p'],
    where: 'models',
    does: 'pull a model by its name; Enter on a stopped pull goes on',
    menu: true,
    hint: 'pull',
  },
  {
    id: 'catalogue.open',
    keys: ['c'],
    where: 'models',
    does: 'small models to fetch and run on this machine, without a server',
    menu: true,
  },
  { id: 'model.details', keys: ['i'], where: 'models', does: 'details', menu: true, hint: 'details' },
  {
    id: 'server.start',
    keys: ['s'],
    where: 'models',
    does: 'start the server here, or end one that was started from here',
    menu: true,
    hint: 'start',
  },
  { id: 'server.add', keys: ['a'], where: 'models', does: 'add a server', menu: true, hint: 'add' },
  {
    id: 'row.delete',
    keys: ['x', 'delete'],
    where: 'models',
    does: 'delete the model, stop the pull, take the server out',
    menu: true,
  },
  { id: 'server.fold', keys: ['space', 'left', 'right'], where: 'models', does: 'fold or open the server' },

  { id: 'machine.faster', keys: ['+', '='], where: 'machine', does: 'sample faster', hint: 'faster' },
  { id: 'machine.slower', keys: ['-'], where: 'machine', does: 'sample slower', hint: 'slower' },
  {
    id: 'machine.history',
    keys: ['g'],
    where: 'machine',
    does: 'history over the whole screen',
    hint: 'history',
    menu: true,
  },

  { id: 'log.up', keys: ['up', 'k'], where: 'log', does: 'row up (holds)' },
  { id: 'log.down', keys: ['down', 'j'], where: 'log', does: 'row down' },
  { id: 'log.page-up', keys: ['pageup'], where: 'log', does: 'page up' },
  { id: 'log.page-down', keys: ['pagedown'], where: 'log', does: 'page down' },
  { id: 'log.top', keys: ['g', 'home'], where: 'log', does: 'first line' },
  { id: 'log.end', keys: ['G', 'end'], where: 'log', does: 'follow the end' },
  { id: 'log.follow', keys: ['f'], where: 'log', does: 'follow or hold', hint: 'follow', menu: true },
  { id: 'log.wrap', keys: ['w'], where: 'log', does: 'wrap long lines or cut them', hint: 'wrap' },
  {
    id: 'log.filter',
    keys: ['/'],
    where: 'log',
    does: 'filter by regular expression',
    hint: 'filter',
    menu: true,
  },
  {
    id: 'log.filter-inverse',
    keys: ['!'],
    where: 'log',
    does: 'filter out by regular expression',
    menu: true,
  },
  { id: 'log.level-error', keys: ['1'], where: 'log', does: 'errors only' },
  { id: 'log.level-warn', keys: ['2'], where: 'log', does: 'warnings and above' },
  { id: 'log.level-info', keys: ['3'], where: 'log', does: 'information and above' },
  { id: 'log.level-debug', keys: ['4'], where: 'log', does: 'all levels' },
  { id: 'log.source', keys: ['s'], where: 'log', does: 'next source, or all by time', hint: 'source' },
  {
    id: 'log.sources',
    keys: ['i'],
    where: 'log',
    does: 'sources of the log: where each is, what it does, the next step',
    hint: 'sources',
    menu: true,
  },
  {
    id: 'log.jump',
    keys: ['t'],
    where: 'log',
    does: 'go to a time: 12:03, -5m, 11-23 20:48',
    hint: 'time',
    menu: true,
  },
  { id: 'turn.log', keys: ['l'], where: 'log', does: 'the log of the last answer alone, and back' },
  { id: 'log.copy', keys: ['y'], where: 'log', does: 'copy the last line in view' },
  { id: 'log.copy-view', keys: ['Y'], where: 'log', does: 'copy the lines in view' },
  {
    id: 'log.save',
    keys: ['S'],
    where: 'log',
    does: 'write what is shown (level, source, filter) to a new file',
    menu: true,
  },

  { id: 'list.up', keys: ['up', 'ctrl+p', 'shift+tab'], where: 'list', does: 'row up' },
  { id: 'list.down', keys: ['down', 'ctrl+n', 'tab'], where: 'list', does: 'row down' },
  { id: 'list.page-up', keys: ['pageup'], where: 'list', does: 'page up' },
  { id: 'list.page-down', keys: ['pagedown'], where: 'list', does: 'page down' },
  { id: 'list.choose', keys: ['enter'], where: 'list', does: 'take it' },
];

/** Keys outside the message box, and the zoom, which is a letter and therefore not for the box. */
export const OUTSIDE_MESSAGE: readonly Binding[] = (
  ['transcript', 'models', 'machine', 'log'] as const
).flatMap((where) => [
  { id: 'pane.zoom', keys: ['z'], where, does: 'this pane over the whole screen and back', hint: 'zoom' },
  { id: 'keys.open', keys: ['?'], where, does: 'keys of this pane and everywhere', hint: 'keys' },
]);

export const ALL_BINDINGS: readonly Binding[] = [...KEYMAP, ...OUTSIDE_MESSAGE];

export interface Keymap {
  readonly bindings: readonly Binding[];
  /** The command of a key: that of the pane first, then those that work everywhere. */
  find(where: Where, key: string): string | null;
  /** The first key of a command, as it is written on the screen; empty without one. */
  keyOf(id: string): string;
}

/** Builds the keymap with the user's changes. `problems` names unknown commands, keys that cannot be, and clashes; a clash keeps the default. */
export function createKeymap(changes: Readonly<Record<string, readonly string[]>>): {
  keymap: Keymap;
  problems: readonly string[];
} {
  const problems: string[] = [];
  const ids = new Set(ALL_BINDINGS.map((b) => b.id));
  for (const id of Object.keys(changes)) {
    if (ids.has(id)) continue;
    const near = nearestNames(id, [...ids]);
    problems.push(
      `keys.${id}: no such command${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
    );
  }
  const changed = ALL_BINDINGS.map((b) =>
    changes[b.id] ? { ...b, keys: (changes[b.id] ?? []).map(normalKey) } : b,
  );
  const clashes = clashesOf(changed);
  problems.push(
    ...clashes.map(
      (c) => `keys: ${c.key} in ${c.where} is both ${c.first} and ${c.second}; the defaults stay`,
    ),
  );
  const bindings = clashes.length > 0 ? ALL_BINDINGS : changed;
  const table = new Map<string, string>();
  for (const b of bindings) for (const key of b.keys) table.set(`${b.where} ${key}`, b.id);
  return {
    problems,
    keymap: {
      bindings,
      find: (where, key) => table.get(`${where} ${key}`) ?? table.get(`everywhere ${key}`) ?? null,
      keyOf: (id) => keyLabel(bindings.find((b) => b.id === id && b.keys.length > 0)?.keys[0] ?? ''),
    },
  };
}

/** Two commands on one key in one place. */
export function clashesOf(
  bindings: readonly Binding[],
): readonly { key: string; where: Where; first: string; second: string }[] {
  const seen = new Map<string, string>();
  const clashes: { key: string; where: Where; first: string; second: string }[] = [];
  for (const b of bindings)
    for (const key of b.keys) {
      const first = seen.get(`${b.where} ${key}`);
      if (first !== undefined && first !== b.id) clashes.push({ key, where: b.where, first, second: b.id });
      seen.set(`${b.where} ${key}`, b.id);
    }
  return clashes;
}

/** `Ctrl-O`, `CTRL+o` and `ctrl+o` are one key; a letter alone or with Alt keeps its case, as terminals tell it. */
function normalKey(key: string): string {
  if ([...key].length === 1) return key;
  const parts = key.replace(/-(?=.)/g, '+').split('+');
  const lower = parts.map((p) => p.toLowerCase());
  const last = parts.at(-1) ?? '';
  return last.length === 1 && !lower.includes('ctrl')
    ? [...lower.slice(0, -1), last].join('+')
    : lower.join('+');
}

const NAMES: Readonly<Record<string, string>> = {
  escape: 'Esc',
  enter: 'Enter',
  tab: 'Tab',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  backspace: 'Backspace',
  delete: 'Delete',
  space: 'Space',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  home: 'Home',
  end: 'End',
};

/** A key as people write it: `Ctrl+O`, `Shift+Tab`, `y`. */
export function keyLabel(key: string): string {
  if (key.length <= 1) return key;
  return key
    .split('+')
    .map((p, i, all) => {
      if (p === 'ctrl' || p === 'alt' || p === 'shift') return p[0]?.toUpperCase() + p.slice(1);
      const named = NAMES[p];
      if (named) return named;
      if (/^f\d+$/.test(p)) return p.toUpperCase();
      return all.length > 1 && i === all.length - 1 ? p.toUpperCase() : p;
    })
    .join('+');
}
