/** Bundles a TypeScript program for a test as the product is bundled, into a temporary file. */
import { build } from 'esbuild';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Returns the path of a JavaScript file that `node` runs. */
export async function bundleProgram(entry: string): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-bundle-'));
  const outfile = path.join(folder, `${path.basename(entry, '.ts')}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    external: ['term.js', 'pty.js'],
    banner: {
      js: "import{createRequire as __lmappRequire}from'node:module';const require=__lmappRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return outfile;
}
