// node scripts/write-docs.mjs [--check]: writes the pages that are made from the program's own tables: docs/configuration.md (schema of the
// configuration), docs/backends.md (registry of backends, titles of the tests), docs/keys.md and the table in the README (keymap). With
// --check nothing is written, and pages that are out of date are named, with exit code 1.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { backendsPage } from './backends-page.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const KEYS_BEGIN = '<!-- keys: made by scripts/write-docs.mjs from src/tui/bindings.ts -->';
const KEYS_END = '<!-- end of keys -->';
const MESSAGES_BEGIN = '<!-- messages: made by scripts/write-docs.mjs from src/domain/fault-table.ts -->';
const MESSAGES_END = '<!-- end of messages -->';
const PLACES = {
  everywhere: 'Everywhere',
  message: 'Message',
  transcript: 'Transcript',
  models: 'Models',
  machine: 'Machine',
  log: 'Log',
  list: 'Menus and lists',
};

const { schema, explain, faults, keymap, ALL_BINDINGS, backends, model, cases } = await importTables();
const pages = {
  'docs/configuration.md': configurationPage(),
  'docs/keys.md': keysPage(),
  'docs/backends.md': backendsPage({
    types: backends.backendTypes,
    noFeatures: model.NO_FEATURES,
    tests: cases.caseTests(path.join(root, 'test')),
    caseCount: cases.CASE_COUNT,
  }),
};
const messages = withMessages('docs/troubleshooting.md');
if (messages !== null) pages['docs/troubleshooting.md'] = messages;
const readme = withKeys('README.md');
if (readme !== null) pages['README.md'] = readme;

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries(pages)) {
  const file = path.join(root, name);
  const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  if (before === text) continue;
  if (check) {
    console.error(`${name} is out of date; run: npm run docs`);
    process.exitCode = 1;
  } else {
    fs.writeFileSync(file, text);
    console.error(`${name} written`);
  }
}

/** The tables, bundled from TypeScript into a folder from which packages are found. */
async function importTables() {
  const outfile = path.join(root, 'node_modules', '.cache', 'lmapp-scripts', `tables-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `export * as schema from './src/config/schema.ts';
export * as explain from './src/config/explain.ts';
export * as faults from './src/domain/fault-table.ts';
export * as keymap from './src/tui/keymap.ts';
export { ALL_BINDINGS } from './src/tui/bindings.ts';
export * as backends from './src/backends/registry.ts';
export * as model from './src/domain/model.ts';
export * as cases from './test/support/cases.ts';`,
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    fs.rmSync(outfile, { force: true });
  }
}

function configurationPage() {
  const sections = schema.SETTING_KEYS.map((key) => {
    const value = schema.schemaOf(key);
    const variable = schema.environmentNameOf(key);
    const rows = [
      `- Value: ${explain.kindOf(value)}`,
      `- Default: \`${JSON.stringify(value.default)}\``,
      ...(variable ? [`- Environment: \`${variable}\``] : []),
      ...Object.entries(value.properties ?? {}).map(
        ([name, member]) => `- \`${key}.${name}\`, ${explain.kindOf(member)}: ${member.description}`,
      ),
      ...Object.entries(value.items?.properties ?? {}).map(
        ([name, member]) =>
          `- \`${name}\`${value.items.required?.includes(name) ? ' (needed)' : ''}: ${member.description}`,
      ),
    ];
    return `### ${key}\n\n${value.description}\n\n${rows.join('\n')}\n`;
  });
  return `# Configuration

<!-- Made by scripts/write-docs.mjs from src/config/schema.ts. -->

The file is \`$XDG_CONFIG_HOME/lmapp/config.json\` (\`~/.config/lmapp/config.json\` when the variable is not set);
\`lmapp config --path\` tells where. A value comes from, in this order: a flag of the command line, the environment, the file, the
default. \`lmapp config --show\` tells for each value which it was.

\`\`\`sh
lmapp config --set model qwen3:8b
lmapp config --set follow /var/log/a.log,/var/log/b.log
lmapp config --set backends ollama+http://gpu-box:11434
lmapp config --set keys.message.send ctrl+s
lmapp config --set models.paths /mnt/models,~/gguf
lmapp config --unset model
\`\`\`

A file with a fault is never overwritten. lmapp says what is wrong and where, uses the defaults in its place, and starts all the same.

Besides the variables below, \`OLLAMA_HOST\` adds that Ollama server, and \`NO_COLOR\` turns colours off.

## Settings

${sections.join('\n')}`;
}

function keysPage() {
  const sections = Object.entries(PLACES).map(([where, title]) => {
    const bindings = ALL_BINDINGS.filter((binding) => binding.where === where);
    const rows = bindings.map(({ id, keys, does }) => `| ${labels(keys)} | ${cell(does)} | \`${id}\` |`);
    return `## ${title}\n\n| keys | does | name |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Keys

<!-- Made by scripts/write-docs.mjs from src/tui/bindings.ts. -->

Any of them can be changed: \`lmapp config --set keys.NAME KEY,KEY\`, for example \`lmapp config --set keys.message.send ctrl+s\`. The
new keys take the place of the old ones. A key is written as in the tables below, in any case but for single letters. When another
command has it in the same place, the changed command keeps its default keys; \`config --set\` and the start say so.

${sections.join('\n')}`;
}

/** The README with its table of keys made anew; null without the marks. */
function withKeys(name) {
  const file = path.join(root, name);
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const begin = text.indexOf(KEYS_BEGIN);
  const end = text.indexOf(KEYS_END);
  if (begin === -1 || end < begin) return null;
  const rows = Object.entries(PLACES)
    .filter(([where]) => where !== 'list')
    .flatMap(([where, title]) => {
      const bindings = ALL_BINDINGS.filter((binding) => binding.where === where && binding.keys.length > 0);
      // Editing a line is as everywhere else; docs/keys.md has it.
      const told = bindings.filter(({ id }) => !id.startsWith('edit.') || id === 'edit.newline');
      return told.map(({ keys, does }, i) => `| ${i === 0 ? title : ''} | ${labels(keys)} | ${cell(does)} |`);
    });
  const table = `| where | keys | does |\n| --- | --- | --- |\n${rows.join('\n')}`;
  return `${text.slice(0, begin)}${KEYS_BEGIN}\n\n${table}\n\n${text.slice(end)}`;
}

/** The page with its table of messages made anew; null without the marks. */
function withMessages(name) {
  const text = fs.readFileSync(path.join(root, name), 'utf8');
  const begin = text.indexOf(MESSAGES_BEGIN);
  const end = text.indexOf(MESSAGES_END);
  if (begin === -1 || end < begin) return null;
  const rows = Object.values(faults.FAULTS).map(({ message, hint, of = {} }) => {
    const others = Object.entries(of).map(([kind, words]) => `${kind}: ${sample(words)}`);
    return `| ${cell(sample(message))} | ${cell([sample(hint), ...others].join('<br>'))} |`;
  });
  const table = `| message | next step |\n| --- | --- |\n${rows.join('\n')}`;
  return `${text.slice(0, begin)}${MESSAGES_BEGIN}\n\n${table}\n\n${text.slice(end)}`;
}

/** A message of the table with words in capitals for what is filled in. */
function sample(text) {
  const words = {
    place: 'ADDRESS',
    title: 'SERVER',
    model: 'MODEL',
    start: 'COMMAND',
    log: 'PLACE',
    status: 'STATUS',
  };
  return text
    .replace(/[[\]]/g, '')
    .replace(/^\{words\}$/, "*the server's own words*")
    .replace(/\{(\w+)\}/g, (_whole, name) => words[name] ?? '…');
}

function labels(keys) {
  return keys.length === 0 ? '—' : keys.map((key) => `\`${keymap.keyLabel(key)}\``).join(' ');
}

function cell(text) {
  return text.replace(/\|/g, '\\|');
}
