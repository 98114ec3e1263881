// node scripts/run-ts.mjs FILE.ts [ARG…]: runs a TypeScript program of this project. It is bundled first (some 30 ms), with the programs that it
// starts itself: every *.program.ts in the folder of the same name beside it.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const file = path.resolve(process.argv[2] ?? '');
const folder = file.replace(/\.ts$/, '');
const programs = fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()
  ? fs.readdirSync(folder).filter((name) => name.endsWith('.program.ts'))
  : [];
// Inside node_modules, so that the packages that stay outside of the bundle are found from there.
const outdir = path.join(root, 'node_modules', '.cache', 'lmapp-scripts', path.basename(folder));

await build({
  absWorkingDir: root,
  entryPoints: [file, ...programs.map((name) => path.join(folder, name))],
  entryNames: '[name]',
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  define: { PROJECT_ROOT: JSON.stringify(root) },
  logLevel: 'warning',
});
process.argv.splice(1, 2, file);
await import(pathToFileURL(path.join(outdir, `${path.basename(folder)}.mjs`)).href);
