import fs from 'node:fs';
import path from 'node:path';
import type { Environment } from '../ports.js';

/** The full path of a program in PATH or in one of the further folders; null when it is not installed. Nothing is run. */
export function findExecutable(
  name: string,
  env: Environment,
  platform: NodeJS.Platform,
  further: readonly string[] = [],
): string | null {
  const windows = platform === 'win32';
  const folders = (env['PATH'] ?? env['Path'] ?? '')
    .split(windows ? ';' : ':')
    .filter((folder) => folder !== '');
  for (const folder of [...folders, ...further]) {
    const file = path.join(folder, windows ? `${name}.exe` : name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}
