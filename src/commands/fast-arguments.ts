import type { Arguments, OptionSpec, OptionValue } from './options.js';

/**
 * Reads a usual command line of the dashboard: `--name value`, `--name=value` and switches, all known and well-formed. Null for anything
 * else, which yargs then reads, explains or refuses. (yargs takes some 25 ms to load; the dashboard's first frame has 50.)
 */
export function readFastArguments(words: readonly string[], specs: readonly OptionSpec[]): Arguments | null {
  const options: Record<string, OptionValue> = {};
  for (let i = 0; i < words.length; i++) {
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(words[i] ?? '');
    const spec = specs.find(({ name }) => name === match?.[1]);
    if (!match || !spec || spec.words === 2) return null;
    if (spec.type === 'boolean') {
      if (match[2] !== undefined) return null;
      options[spec.name] = true;
      continue;
    }
    const text = match[2] ?? words[++i];
    if (text === undefined || text === '' || (match[2] === undefined && text.startsWith('-'))) return null;
    const value = spec.type === 'number' ? Number(text) : text;
    if (typeof value === 'number' && !(value >= (spec.minimum ?? -Infinity))) return null;
    if (spec.many)
      options[spec.name] = [...((options[spec.name] as readonly string[] | undefined) ?? []), text];
    else options[spec.name] = value;
  }
  return { options, words: [] };
}
