import { afterEach, beforeEach } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A real folder for each test of a file, removed behind it. */
export function useFolder(): { path(...names: string[]): string } {
  let folder = '';
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-test-'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return { path: (...names) => path.join(folder, ...names) };
}
