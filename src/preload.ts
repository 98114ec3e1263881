import fs from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

// Defined in the head of dist/main.js (scripts/pack-chunks.mjs).
declare const __requireChunk: (name: string) => unknown;
declare const __putChunk: (name: string, exports: unknown) => void;
declare const __dashboard: string;

/**
 * Loads the code of the dashboard's first frame at once: dist/dashboard-HASH.js holds its chunks, and the .cache beside it what V8 compiled
 * of them when the package was built. Another version of Node, or one with other flags, refuses that and compiles for itself, some 10 ms
 * slower. Without the file the chunks are loaded one by one.
 */
export function preloadDashboard(dist: string): void {
  const filename = path.join(dist, `${__dashboard}.js`);
  const source = readIfThere(filename);
  if (source === null) return;
  const { version, platform, arch } = process;
  const cachedData = readIfThere(path.join(dist, `${__dashboard}-${version}-${platform}-${arch}.cache`));
  // ASCII, as esbuild writes it: such bytes need no decoding.
  const script = new Script(source.toString('latin1'), { filename, ...(cachedData && { cachedData }) });
  (script.runInThisContext() as (require: unknown, putChunk: unknown) => void)(__requireChunk, __putChunk);
}

function readIfThere(file: string): Buffer | null {
  try {
    return fs.readFileSync(file);
  } catch {
    return null;
  }
}
