import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Who may import whom. A rule names a folder (or file) of the project and what its files may import beside themselves; the longest
 * rule that fits a file counts. Imports of types count as well: they are knowledge, too.
 */
interface Rule {
  readonly may: readonly string[];
  /** Packages of npm. */
  readonly packages?: readonly string[];
  /** May use node: modules. */
  readonly node?: boolean;
}

/** What everybody but the pure folders may lean on. */
const BASE = ['src/domain', 'src/errors.ts', 'src/ports.ts', 'src/files.ts', 'src/built-program.ts'];
/** Pure functions of texts: a leaf. */
const TEXT = 'widgets/text';

const RULES: Readonly<Record<string, Rule>> = {
  'src/domain': { may: [] },
  'src/errors.ts': { may: [] },
  'src/ports.ts': { may: [] },
  'src/version.ts': { may: [] },
  'src/files.ts': { may: [], node: true },
  'src/process-lock.ts': { may: ['src/files.ts'], node: true },
  'src/built-program.ts': { may: [], node: true },
  'src/preload.ts': { may: [], node: true },
  'src/config': { may: [...BASE], packages: ['ajv'], node: true },
  'src/wire': { may: [...BASE, TEXT], packages: ['eventsource-parser'], node: true },
  'src/backends': { may: [...BASE, TEXT, 'src/wire', 'src/engine'], node: true },
  'src/hardware': { may: [...BASE, TEXT, 'src/wire'], packages: ['execa', 'systeminformation'], node: true },
  'src/logs': { may: [...BASE, TEXT], packages: ['execa', 'winston', 'winston-transport'], node: true },
  'src/sessions': { may: [...BASE, 'src/process-lock.ts', TEXT, 'src/events/catalogue.ts'], node: true },
  'src/engine': { may: [...BASE, 'src/process-lock.ts', TEXT, 'src/wire'], packages: ['execa'], node: true },
  'src/events': { may: ['src/domain', 'src/errors.ts', 'src/ports.ts'] },
  'src/events/record.ts': { may: [...BASE, 'src/events'], node: true },
  'src/state': { may: ['src/domain', 'src/events/catalogue.ts', TEXT] },
  'src/effects': {
    may: [
      ...BASE,
      TEXT,
      'src/events',
      'src/state',
      'src/backends',
      'src/wire',
      'src/hardware',
      'src/engine',
      'src/logs',
      'src/sessions',
      'src/config',
    ],
    packages: ['execa'],
    node: true,
  },
  'src/terminal': { may: [...BASE, TEXT, 'widgets'], packages: ['blessed'], node: true },
  'src/tui': {
    may: [
      ...BASE,
      TEXT,
      'src/state',
      'src/events',
      'src/effects',
      'src/terminal',
      'widgets',
      'src/sessions/id-seed.ts',
      // The options that the command line gives, a contract of types.
      'src/commands/tui-options.ts',
    ],
    node: true,
  },
  'src/commands': {
    may: [
      ...BASE,
      TEXT,
      'src/backends',
      'src/config',
      'src/engine',
      'src/hardware',
      'src/logs',
      'src/sessions',
      'src/terminal',
      'src/wire',
      'src/events',
      'src/version.ts',
    ],
    node: true,
  },
  // What keys and commands there are, which the dashboard knows.
  'src/commands/keys-of-settings.ts': { may: [...BASE, TEXT, 'src/config', 'src/tui/keymap.ts'] },
  // The one bridge to the dashboard.
  'src/commands/tui.ts': {
    may: [...BASE, 'src/commands', 'src/config', 'src/terminal', 'src/wire', 'src/tui/start.ts'],
    node: true,
  },
  'src/cli.ts': { may: [...BASE, 'src/commands'], packages: ['yargs'] },
  'src/main.ts': {
    may: [...BASE, 'src/commands', 'src/config', 'src/cli.ts', 'src/preload.ts', 'src/version.ts'],
    node: true,
  },
  widgets: { may: [], packages: ['blessed', 'blessed-contrib'] },
  // Stands in for parts of blessed, with the emitter that blessed builds on.
  'widgets/blessed-shim.ts': { may: ['widgets'], packages: ['blessed'], node: true },
  [TEXT]: { may: [] },
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = ['src', 'widgets'].flatMap(sourcesIn);
const imports = files.flatMap(importsOf);

function sourcesIn(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')));
}

function importsOf(file: string): readonly Import[] {
  const text = fs.readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g);
  return [...found].map(([, , name = '']) => {
    if (!name.startsWith('.')) return { file, target: name };
    return { file, target: path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts') };
  });
}

function ruleOf(file: string): readonly [string, Rule] | null {
  const names = Object.keys(RULES).filter((name) => file === name || file.startsWith(`${name}/`));
  const name = names.sort((a, b) => b.length - a.length)[0];
  return name === undefined ? null : [name, RULES[name] ?? { may: [] }];
}

function isAllowed({ file, target }: Import): boolean {
  const found = ruleOf(file);
  if (!found) return false;
  const [name, { may, packages, node }] = found;
  if (target.startsWith('node:')) return node === true;
  if (!/^(src|widgets|test|scripts)\//.test(target))
    return (packages ?? []).some((each) => target === each || target.startsWith(`${each}/`));
  return [name, ...may].some((each) => target === each || target.startsWith(`${each}/`));
}

describe('imports', () => {
  it('every source file stands under a rule', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((file) => ruleOf(file) === null)).toEqual([]);
  });

  it('nobody imports what the house does not allow', () => {
    const broken = imports
      .filter((each) => !isAllowed(each))
      .map(({ file, target }) => `${file} → ${target}`);
    expect(broken).toEqual([]);
  });

  it('blessed and its charts stay in widgets and src/terminal', () => {
    const users = imports.filter(({ target }) => /^blessed/.test(target)).map(({ file }) => file);
    expect(users.filter((file) => !/^(widgets|src\/terminal)\//.test(file))).toEqual([]);
  });

  it('the dashboard is only loaded lazily, and only by its command', () => {
    const users = imports.filter(({ target }) => target === 'src/tui/start.ts').map(({ file }) => file);
    expect(users).toEqual(['src/commands/tui.ts']);
    expect(fs.readFileSync('src/commands/tui.ts', 'utf8')).toContain("import('../tui/start.js')");
  });

  it('only the places that may end the process do', () => {
    const callers = files.filter((file) => /\bprocess\.exit\(/.test(fs.readFileSync(file, 'utf8')));
    expect(callers.sort()).toEqual([
      // A program of its own.
      'src/hardware/facts-child.ts',
      'src/main.ts',
      // Signals, whose exit code the terminal's life-cycle decides.
      'src/terminal/session.ts',
    ]);
  });

  it('state asks neither clock nor chance', () => {
    const pure = files.filter((file) => /^src\/(state|domain)\//.test(file));
    expect(
      pure.filter((file) =>
        /Date\.now|Math\.random|performance\.now|new Date\(\)/.test(fs.readFileSync(file, 'utf8')),
      ),
    ).toEqual([]);
  });
});

describe('names', () => {
  it('files are kebab-case, without index files and vague words', () => {
    const vague = /(^|-)(manager|service|handler|helper|helpers|util|utils|data)(-|$)/;
    const wrong = files.filter((file) => {
      const name = path.basename(file, '.ts').replace(/\.d$/, '');
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name === 'index' || vague.test(name);
    });
    expect(wrong).toEqual([]);
  });
});
