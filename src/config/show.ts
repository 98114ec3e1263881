import type { Environment } from '../ports.js';
import type { LoadedSettings } from './load.js';
import { describeSource } from './load.js';
import { SETTING_KEYS } from './schema.js';
import { withoutKeys } from './secrets.js';

/** `config --show --json`: `{ file, settings: { KEY: { value, source } } }`. Keys of servers are hidden. */
export function settingsAsJson(loaded: LoadedSettings, env: Environment): string {
  const shown = withoutKeys(loaded.settings);
  const settings = Object.fromEntries(
    SETTING_KEYS.map((key) => [key, { value: shown[key], source: describeSource(loaded.sources[key]) }]),
  );
  const ollamaHost = env['OLLAMA_HOST']?.trim() || null;
  return `${JSON.stringify({ file: loaded.file, ollamaHost, settings }, null, 2)}\n`;
}

/** `config --show`: one line per setting, with its source. */
export function settingsAsText(loaded: LoadedSettings, env: Environment): string {
  const shown = withoutKeys(loaded.settings);
  const rows = SETTING_KEYS.map(
    (key) => [key, JSON.stringify(shown[key]), describeSource(loaded.sources[key])] as const,
  );
  const keyWidth = Math.max(...rows.map(([key]) => key.length));
  const valueWidth = Math.min(40, Math.max(...rows.map(([, value]) => value.length)));
  const lines = rows.map(
    ([key, value, source]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${source}\n`,
  );
  const ollamaHost = env['OLLAMA_HOST']?.trim();
  if (ollamaHost) lines.push(`one more server: ${ollamaHost}  environment OLLAMA_HOST\n`);
  return `file: ${loaded.file}\n\n${lines.join('')}`;
}
