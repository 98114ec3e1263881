// Puts the chunks that are needed at once into one file: each file of its own costs the start 0.3 ms, and only whole files can be kept as
// compiled code. The chunks stay beside it for the commands that load them one by one.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
/** What the dashboard's way through src/main.ts imports before the first frame. */
const FIRST_FRAME = ['src/commands/tui.ts', 'src/tui/start.ts'];

/**
 * Writes dist/dashboard-HASH.js, an object of the chunks, and puts the chunks that every command needs into dist/main.js. `codes` holds the
 * chunks by their names in `outputs`. The hash keeps main.js, packed chunks and compiled code of different builds apart: of the source V8
 * itself compares no more than the length.
 */
export function packChunks(dist, { outputs }, codes) {
  const main = closureOf(['src/main.ts'], outputs).slice(1);
  const dashboard = pack(
    codes,
    closureOf(FIRST_FRAME, outputs).filter((file) => !main.includes(file)),
  );
  const name = `dashboard-${createHash('sha256').update(dashboard).digest('hex').slice(0, 12)}`;
  writeWhole(path.join(dist, `${name}.js`), `(${dashboard})`);
  const program = path.join(dist, 'main.js');
  const loader = fs.readFileSync(path.join(here, 'chunk-loader.cjs'), 'utf8');
  const code = codes.get('dist/main.js').replace(/^#!.*\n/, '');
  writeWhole(
    program,
    `#!/usr/bin/env node
${loader}
__loadChunks(${pack(codes, main)});
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

function pack(codes, files) {
  const parts = files.map(
    (file) => `${JSON.stringify(path.basename(file))}:function(exports,require,module){${codes.get(file)}\n}`,
  );
  return `{${parts.join(',\n')}}`;
}

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
