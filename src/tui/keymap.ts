import { nearestNames } from '../domain/names.js';
import { ALL_BINDINGS, type Binding, type Where } from './bindings.js';

export type { Binding, Where } from './bindings.js';

export interface Keymap {
  readonly bindings: readonly Binding[];
  /** The command of a key: that of the pane first, then those that work everywhere. */
  find(where: Where, key: string): string | null;
  /** The first key of a command, as it is written on the screen; empty without one. */
  keyOf(id: string): string;
}

/** A change of the keys that can mean nothing. */
export interface WrongKey {
  /** A sentence without a stop. */
  readonly message: string;
  /** `did you mean x?`; null: nothing is near. */
  readonly instead: string | null;
}

/** Commands and keys that there are none of. */
export function wrongKeys(changes: Readonly<Record<string, readonly string[]>>): readonly WrongKey[] {
  const ids = [...new Set(ALL_BINDINGS.map((b) => b.id))];
  return Object.entries(changes).flatMap(([id, keys]) => {
    if (!ids.includes(id)) return [wrong(`keys.${id}: no such command`, nearestNames(id, ids))];
    return keys
      .map(normalKey)
      .filter((key) => !isKey(key))
      .map((key) => wrong(`keys.${id}: no such key as ${key}`, nearestKeys(key)));
  });
}

function wrong(message: string, near: readonly string[]): WrongKey {
  return { message, instead: near.length > 0 ? `did you mean ${near.join(', ')}?` : null };
}

/**
 * Builds the keymap with the user's changes. `problems` names unknown commands, keys that cannot be, and clashes; commands that clash keep their
 * own keys, the others have the user's.
 */
export function createKeymap(changes: Readonly<Record<string, readonly string[]>>): {
  keymap: Keymap;
  problems: readonly string[];
} {
  const problems = wrongKeys(changes).map(({ message, instead }) =>
    instead === null ? message : `${message}; ${instead}`,
  );
  const left = new Map(Object.entries(changes));
  let bindings = changedBindings(left);
  // A command that takes its own key back may meet another one there.
  for (let clashes = clashesOf(bindings); clashes.length > 0; clashes = clashesOf(bindings)) {
    for (const { key, where, first, second } of clashes) {
      const back = [first, second].filter((id) => left.delete(id));
      if (back.length > 0)
        problems.push(
          `keys: ${key} in ${where} is both ${first} and ${second}; ${back.join(' and ')} ${back.length > 1 ? 'keep their defaults' : 'keeps its default'}`,
        );
    }
    bindings = changedBindings(left);
  }
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

function changedBindings(changes: ReadonlyMap<string, readonly string[]>): readonly Binding[] {
  return ALL_BINDINGS.map((b) => {
    const keys = changes.get(b.id);
    return keys ? { ...b, keys: keys.map(normalKey) } : b;
  });
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
  // As the screen writes it: Esc, PgUp.
  const written = Object.keys(NAMES).find((name) => NAMES[name]?.toLowerCase() === lower.at(-1));
  if (written !== undefined) return [...lower.slice(0, -1), written].join('+');
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

const MODIFIERS: ReadonlySet<string> = new Set(['ctrl', 'alt', 'shift']);
/** Those that terminals tell, in the names of the decoder. */
const KEY_NAMES: readonly string[] = [
  ...Object.keys(NAMES),
  'insert',
  ...Array.from({ length: 12 }, (_, i) => `f${i + 1}`),
];

/** `key`: as normalKey writes it. */
function isKey(key: string): boolean {
  if ([...key].length === 1) return true;
  // The key may be a plus itself: ctrl++.
  const [modifiers, name] = partsOf(key);
  return (
    modifiers.every((each) => MODIFIERS.has(each)) && ([...name].length === 1 || KEY_NAMES.includes(name))
  );
}

function nearestKeys(key: string): readonly string[] {
  const [modifiers, name] = partsOf(key);
  const before = modifiers.map((each) => nearestNames(each, [...MODIFIERS], 1)[0] ?? null);
  if (before.includes(null)) return [];
  const near = [...name].length === 1 ? [name] : nearestNames(name, KEY_NAMES, 1);
  return near.map((each) => [...before, each].join('+'));
}

function partsOf(key: string): readonly [modifiers: readonly string[], name: string] {
  const plus = key.endsWith('++');
  const parts = (plus ? key.slice(0, -2) : key).split('+');
  return plus ? [parts, '+'] : [parts.slice(0, -1), parts.at(-1) ?? ''];
}

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
