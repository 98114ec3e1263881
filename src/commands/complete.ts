import { SETTING_KEYS, schemaOf, isSettingKey } from '../config/schema.js';
import { PLACE_SCHEMES } from '../domain/log-place.js';
import { EXIT } from '../errors.js';
import { openModelCache } from '../sessions/remembered.js';
import type { CommandContext } from './command.js';
import { commandsWithKeys } from './keys-of-settings.js';
import type { OptionSpec } from './options.js';
import { TUI_OPTIONS } from './options.js';
import { COMMANDS } from './registry.js';

/** What bash takes for the end of a word beside spaces, unless it says otherwise. */
const BASH_BREAKS = ':=';

/**
 * `lmapp __complete SHELL LINE`: prints what may stand at the end of LINE, one a line. Asks no server: names of models are those of
 * the last look. Nothing printed lets the shell offer file names.
 */
export function printCompletions(
  { files, stdout, ports }: CommandContext,
  [shell, line]: readonly string[],
): number {
  const models = () =>
    (openModelCache(files.models).read() ?? []).flatMap((server) => server.models.map(({ name }) => name));
  const sources = () => [
    'lmapp',
    ...(openModelCache(files.models).read() ?? []).map(({ backend }) => backend.kind),
    ...PLACE_SCHEMES,
  ];
  const words = splitLine(line ?? '');
  const current = words.at(-1) ?? '';
  const found = completionsOf(words.slice(1), models, sources).filter((each) => each.startsWith(current));
  // bash replaces only what stands behind the last break, and a model's name may hold one.
  const cut = shell === 'bash' ? keptByBash(current, ports.env['LMAPP_WORDBREAKS'] ?? BASH_BREAKS) : 0;
  stdout.write([...new Set(found)].map((each) => `${each.slice(cut)}\n`).join(''));
  return EXIT.ok;
}

/** All words that may stand last in `words` (those behind `lmapp`, the last one unfinished). */
export function completionsOf(
  words: readonly string[],
  models: () => readonly string[],
  sources: () => readonly string[] = () => [],
): readonly string[] {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const outer = COMMANDS.find(({ name }) => name === before[0]);
  const inner = outer?.commands?.find(({ name }) => name === before[1]);
  const command = inner ?? outer;
  const options = command?.options ?? TUI_OPTIONS;
  const equals = /^--([^=]+)=/.exec(current);
  if (equals) {
    const option = options.find(({ name }) => name === equals[1]);
    const value = current.slice(equals[0].length);
    return option
      ? valuesOf(option, [], value, models, sources).map((each) => `--${option.name}=${each}`)
      : [];
  }
  const asking = optionInWork(options, before);
  if (asking) return valuesOf(asking.option, asking.given, current, models, sources);
  const names = [...options.map(({ name }) => `--${name}`), '--help'];
  if (current.startsWith('-')) return command ? names : [...names, '--version'];
  if (before.length === 0) return COMMANDS.map(({ name }) => name);
  if (outer?.commands && before.length === 1) return outer.commands.map(({ name }) => name);
  if (command?.words?.choices) return command.words.choices;
  if (command?.words?.completes === 'model') return models();
  return command?.name === 'completion' && before.length === 1 ? ['bash', 'zsh', 'fish'] : [];
}

/** The option whose value is being typed, with the words it has already. */
function optionInWork(
  options: readonly OptionSpec[],
  before: readonly string[],
): { option: OptionSpec; given: readonly string[] } | null {
  for (let back = 1; back <= 2; back++) {
    const word = before.at(-back);
    if (word === undefined) break;
    const option = options.find(({ name, type }) => `--${name}` === word && type !== 'boolean');
    if (option && (option.words ?? 1) >= back)
      return { option, given: before.slice(before.length - back + 1) };
  }
  return null;
}

function valuesOf(
  { completes, choices, takes }: OptionSpec,
  given: readonly string[],
  current: string,
  models: () => readonly string[],
  sources: () => readonly string[],
): readonly string[] {
  if (choices) return choices;
  if (takes?.includes('|')) return takes.split('|');
  if (completes === 'log') return sources();
  if (completes === 'model') return models();
  if (completes === 'theme') return schemaOf('theme').enum ?? [];
  if (completes !== 'setting') return [];
  const key = given[0];
  if (key === undefined) return settingsFrom(current, models);
  if (key === 'model') return models();
  if (!isSettingKey(key)) return [];
  const { type, enum: allowed, nullable } = schemaOf(key);
  return allowed ?? (type === 'boolean' ? ['true', 'false'] : nullable ? ['null'] : []);
}

/** The settings, and of one that is an object its members once its dot is typed. */
function settingsFrom(current: string, models: () => readonly string[]): readonly string[] {
  const key = current.slice(0, Math.max(0, current.indexOf('.')));
  if (!isSettingKey(key)) return SETTING_KEYS;
  const members: Readonly<Record<string, () => readonly string[]>> = {
    keys: commandsWithKeys,
    contexts: models,
  };
  const names = members[key]?.() ?? Object.keys(schemaOf(key).properties ?? {});
  return names.map((name) => `${key}.${name}`);
}

/** Splits as a shell does, as far as it matters here: spaces, quotes, backslashes. The last word may be empty. */
export function splitLine(line: string): readonly string[] {
  const words: string[] = [''];
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    const last = words.length - 1;
    if (quote === '' && /\s/.test(char)) {
      if (words[last] !== '') words.push('');
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else if (char === '\\' && quote !== "'") words[last] += line[++i] ?? '';
    else words[last] += char;
  }
  return words;
}

function keptByBash(word: string, breaks: string): number {
  const ends = [...BASH_BREAKS].filter((each) => breaks.includes(each)).map((each) => word.lastIndexOf(each));
  return Math.max(-1, ...ends) + 1;
}
