import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { SettingKey } from '../config/schema.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { createKeymap, wrongKeys } from '../tui/keymap.js';

/** What is wrong with the keys of the settings, as the dashboard tells it at its start; what is wrong is not used. */
export function keyProblems({ keys }: Settings): readonly string[] {
  return createKeymap(keys).problems.map((problem) => sanitizeLine(problem));
}

/** The commands that may have keys, each once. */
export function commandsWithKeys(): readonly string[] {
  return [...new Set(createKeymap({}).keymap.bindings.map(({ id }) => id))];
}

/** Errors: LmappError with code 2 for a command or a key that there is none of. A value of the wrong kind is told by others. */
export function refuseWrongKeys(setting: SettingKey, value: unknown): void {
  if (setting !== 'keys' || !isKeys(value)) return;
  const first = wrongKeys(value)[0];
  if (!first) return;
  const { message, instead } = first;
  throw new LmappError('config.value', sanitizeLine(message), {
    hint:
      instead === null
        ? 'docs/keys.md lists all commands and keys.'
        : `${instead[0]?.toUpperCase() ?? ''}${instead.slice(1)}`,
    exitCode: EXIT.usage,
  });
}

function isKeys(value: unknown): value is Readonly<Record<string, readonly string[]>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (keys) => Array.isArray(keys) && keys.every((key) => typeof key === 'string' && key.trim() !== ''),
    )
  );
}
