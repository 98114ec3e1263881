import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { backendTypes } from '../../src/backends/registry.js';
import type { OptionSpec } from '../../src/commands/options.js';
import { COMMANDS } from '../../src/commands/registry.js';
import { SETTING_KEYS, schemaOf } from '../../src/config/schema.js';
import { KEYMAP } from '../../src/tui/bindings.js';
import { THEMES } from '../../widgets/themes/registry.js';

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, i) => names.indexOf(name) !== i);
}

describe('the registry of commands', () => {
  it('holds each name once, in a file of that name', () => {
    expect(repeated(COMMANDS.map(({ name }) => name))).toEqual([]);
    for (const { name } of COMMANDS)
      expect(fs.existsSync(path.join('src/commands', `${name}.ts`))).toBe(true);
  });

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s is explained, with an example',
    (name, command) => {
      expect(command.does).toMatch(/\.$/);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const [line] of command.examples) expect(line).toContain('lmapp');
      expect(repeated(command.options.map((option) => option.name))).toEqual([]);
      for (const option of command.options) expect(described(option)).toBe(true);
      expect(name).toMatch(/^[a-z]+$/);
    },
  );
});

function described({ name, type, does, takes }: OptionSpec): boolean {
  return /^[a-z-]+$/.test(name) && does !== '' && (type === 'boolean') === (takes === undefined);
}

describe('the schema of the configuration', () => {
  it('knows exactly the themes that there are, the first one as default', () => {
    expect(schemaOf('theme').enum).toEqual(THEMES.map(({ name }) => name));
    expect(schemaOf('theme').default).toBe(THEMES[0]?.name);
  });

  it('explains every setting', () => {
    for (const key of SETTING_KEYS) expect(schemaOf(key).description).toMatch(/\.$/);
  });
});

describe('other registries', () => {
  it('hold each name once', () => {
    expect(repeated(backendTypes.map(({ kind }) => kind))).toEqual([]);
    expect(repeated(KEYMAP.map(({ id, where }) => `${where} ${id}`))).toEqual([]);
  });
});
