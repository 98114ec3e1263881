import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of another built program of ours (`facts-child.js`). They lie beside dist/main.js; this code is in a chunk below. Not for
 * the code of the first frame, which is packed and has no file of its own.
 */
export function builtProgram(name: string): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return path.join(path.basename(here) === 'chunks' ? path.dirname(here) : here, name);
}
