// Bundles src/main.ts and what it imports into dist/. One bundle with lazy chunks: `lmapp --version` reads one small file, the
// dashboard's first frame reads two, and a global install needs no further package (docs/dependencies.md).
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle-options.mjs';
import { packChunks, writeWhole } from './pack-chunks.mjs';
import { toCommonJs } from './to-commonjs.mjs';
import { validatorAtBuildTime } from './validator-plugin.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');

/** The blessed widgets that widgets/ and src/terminal/ use. blessed itself requires all of its 40 by computed names, which no bundler can follow. */
const BLESSED_WIDGETS = ['Node', 'Screen', 'Element', 'Box', 'Text'];

/** blessed's number for the terminal's own colour. */
const NO_COLOUR = 0x1ff;

const blessedOnlyWhatIsUsed = {
  name: 'blessed-static-requires',
  setup(b) {
    b.onLoad({ filter: /blessed[\\/]lib[\\/]widget\.js$/ }, () => ({
      contents: BLESSED_WIDGETS.map(
        (w) => `exports.${w} = exports.${w.toLowerCase()} = require('./widgets/${w.toLowerCase()}');`,
      ).join('\n'),
      loader: 'js',
    }));
    // blessed's own terminal program, its terminfo compiler and its mouse daemon client are never run (widgets/blessed-shim.ts): 6 ms.
    b.onLoad({ filter: /blessed[\\/]lib[\\/](program|tput|gpmclient)\.js$/ }, () => ({
      contents: 'module.exports = function unused() {};',
      loader: 'js',
    }));
    // Tables of colours and of wide characters for styles and texts, which our boxes have none of (src/terminal/palette.ts): 2 ms.
    b.onLoad({ filter: /blessed[\\/]lib[\\/]colors\.js$/ }, () => ({
      contents: `exports.convert = () => ${NO_COLOUR};`,
      loader: 'js',
    }));
    b.onLoad({ filter: /blessed[\\/]lib[\\/]unicode\.js$/ }, () => ({
      contents: 'exports.chars = { all: /(?!)/, combining: /(?!)/, surrogate: /(?!)/ };',
      loader: 'js',
    }));
    // Loaded for a `cls` and one check, 2 ms.
    b.onResolve({ filter: /^(assert|child_process)$/ }, ({ path: name, importer }) =>
      /blessed[\\/]lib[\\/]/.test(importer) ? { path: name, namespace: 'blessed-small' } : undefined,
    );
    b.onLoad({ filter: /./, namespace: 'blessed-small' }, () => ({
      contents: "exports.ok = (value) => { if (!value) throw new Error('blessed: an assertion failed'); };",
      loader: 'js',
    }));
  },
};

const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
// A dashboard may be running from dist: its lazy chunks stay until the package is made (names hold a hash, so nothing old is loaded).
if (process.env.npm_lifecycle_event === 'prepack') fs.rmSync(dist, { recursive: true, force: true });
const result = await build({
  ...BUNDLE,
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', 'facts-child': 'src/hardware/facts-child.ts' },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  metafile: true,
  external: ['term.js', 'pty.js'],
  define: { LMAPP_VERSION: JSON.stringify(version), 'import.meta.url': '__fileUrl' },
  plugins: [validatorAtBuildTime(root), blessedOnlyWhatIsUsed],
});
// The engine is an ES module with a top-level await, which only a real import() can load: its child stays one, in a file of its own.
const child = await build({
  ...BUNDLE,
  absWorkingDir: root,
  entryPoints: { 'engine-child': 'src/engine/child.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
});
fs.mkdirSync(path.join(dist, 'chunks'), { recursive: true });
writeWhole(path.join(dist, 'package.json'), '{"type":"commonjs"}\n');
const chunks = new Map(
  result.outputFiles.map(({ path: file, text }) => [
    path.relative(root, file).split(path.sep).join('/'),
    text,
  ]),
);
for (const [file, text] of chunks)
  if (file !== 'dist/main.js') writeWhole(path.join(root, file), toCommonJs(text));
for (const { path: file, text } of child.outputFiles) writeWhole(file, text);
await packChunks(dist, result.metafile, chunks);
fs.writeFileSync(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), licences(Object.keys(result.metafile.inputs)));
fs.writeFileSync(path.join(dist, 'build-id'), String(Date.now()));

/** The licence texts of all packages whose code is inside the bundle. */
function licences(inputs) {
  const packages = new Set(
    inputs.map((f) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(f)?.[1]).filter(Boolean),
  );
  return [...packages]
    .sort()
    .map((dir) => {
      const meta = JSON.parse(fs.readFileSync(path.join(root, dir, 'package.json'), 'utf8'));
      const file = fs.readdirSync(path.join(root, dir)).find((f) => /^(licen[cs]e|copying)/i.test(f));
      const text = file
        ? fs.readFileSync(path.join(root, dir, file), 'utf8').trim()
        : `Licence: ${JSON.stringify(meta.license ?? meta.licenses)}`;
      return `${meta.name} ${meta.version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(78)}\n\n`);
}
