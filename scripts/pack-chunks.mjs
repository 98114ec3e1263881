// Puts the chunks that are needed at once into one file: each file of its own costs the start 0.3 ms, and only whole files can be kept as
// compiled code. The chunks stay beside it for the commands that load them one by one.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle-options.mjs';
import { toCommonJs } from './to-commonjs.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
/** What the dashboard's way through src/main.ts imports before the first frame. */
const FIRST_FRAME = ['src/commands/tui.ts', 'src/tui/start.ts'];

/**
 * Writes dist/dashboard-HASH.js, a function that announces the chunks, and puts the chunks that every command needs into dist/main.js. `texts`
 * holds the chunks as ES modules by their names in `outputs`. The hash keeps main.js, packed chunks and compiled code of different builds
 * apart: of the source V8 itself compares no more than the length.
 */
export async function packChunks(dist, { outputs }, texts) {
  const main = closureOf(['src/main.ts'], outputs).slice(1);
  const dashboard = await merge(
    texts,
    closureOf(FIRST_FRAME, outputs).filter((file) => !main.includes(file)),
  );
  const name = `dashboard-${createHash('sha256').update(dashboard).digest('hex').slice(0, 12)}`;
  writeWhole(path.join(dist, `${name}.js`), `(function(require,__putChunk){${dashboard}\n})`);
  const program = path.join(dist, 'main.js');
  const loader = fs.readFileSync(path.join(here, 'chunk-loader.cjs'), 'utf8');
  const code = await merge(texts, main, 'dist/main.js');
  writeWhole(
    program,
    `#!/usr/bin/env node
${loader}
(function(require,__dashboard){${code}
})(__requireChunk,${JSON.stringify(name)});
`,
  );
  fs.chmodSync(program, 0o755);
  cacheCode(dist);
}

/** The files of these entry points and all that they import statically, entries first. */
function closureOf(entryPoints, outputs) {
  const files = Object.keys(outputs).filter((file) => entryPoints.includes(outputs[file].entryPoint));
  if (files.length !== entryPoints.length) throw new Error(`no chunk of ${entryPoints.join(' or ')}`);
  for (const file of files)
    for (const { path: name, kind, external } of outputs[file].imports)
      if (kind === 'import-statement' && !external && !files.includes(name)) files.push(name);
  return files;
}

/**
 * One module of these chunks, in which they call each other straight: between modules each call would look its function up in the exports
 * of the other one, thousands of times a frame. They are announced (`__putChunk`) for those that are loaded later, before `last` runs.
 */
async function merge(texts, files, last) {
  const announce = files
    .map(
      (file, at) =>
        `import * as m${at} from ${JSON.stringify(file)};__putChunk(${JSON.stringify(path.basename(file))},m${at});`,
    )
    .join('\n');
  const inside = new Set([...files, ...(last === undefined ? [] : [last])]);
  const { outputFiles } = await build({
    ...BUNDLE,
    stdin: {
      contents: [
        `import "announced";`,
        ...(last === undefined ? [] : [`import ${JSON.stringify(last)};`]),
      ].join('\n'),
    },
    plugins: [
      {
        name: 'chunks',
        setup(b) {
          b.onResolve({ filter: /./ }, ({ path: name, kind, importer }) => {
            if (name === 'announced') return { path: name, namespace: 'chunk' };
            const file = inChunks(name, importer);
            return kind !== 'dynamic-import' && inside.has(file)
              ? { path: file, namespace: 'chunk' }
              : { path: file.startsWith('dist/') ? `./${path.basename(file)}` : name, external: true };
          });
          b.onLoad({ filter: /./, namespace: 'chunk' }, ({ path: file }) => ({
            contents: file === 'announced' ? announce : texts.get(file).replace(/^#!.*\n/, ''),
            loader: 'js',
          }));
        },
      },
    ],
  });
  return toCommonJs(outputFiles[0].text);
}

/** The chunk that one of them means by a relative name; all have different ones. */
const inChunks = (name, importer) =>
  name.startsWith('.') ? path.posix.join(path.posix.dirname(importer), name) : name;

/** Keeps what V8 compiles of the packed chunks for a first frame; for this version of Node, others do without. */
function cacheCode(dist) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [path.join(here, 'write-code-cache.mjs'), dist],
    // Flags in NODE_OPTIONS would make a cache that only processes with the same flags accept.
    { encoding: 'utf8', timeout: 20_000, env: { PATH: process.env.PATH } },
  );
  if (status !== 0)
    console.warn(`build: without compiled code the dashboard starts some 10 ms later: ${stderr}`);
}

/** Whoever starts or packs the program during a build finds the old file or the new one; one that is the same is left alone. */
export function writeWhole(file, contents) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === contents) return;
  const written = `${file}.${process.pid}.new`;
  fs.writeFileSync(written, contents);
  fs.renameSync(written, file);
}
