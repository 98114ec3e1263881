import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makePrivateDirectory } from '../../src/files.js';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-test-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string): number => fs.statSync(file).mode & 0o777;

describe('a private directory', () => {
  it('is made with its parents, for the user alone, and one that is there keeps its mode', () => {
    const shared = path.join(folder, 'shared');
    fs.mkdirSync(shared);
    fs.chmodSync(shared, 0o755);
    const made = path.join(shared, 'a', 'b');
    makePrivateDirectory(made);
    makePrivateDirectory(made);
    expect([shared, path.dirname(made), made].map(modeOf)).toEqual([0o755, 0o700, 0o700]);
  });

  it('is not made where a file is in its way', () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    expect(() => makePrivateDirectory(path.join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makePrivateDirectory(path.join(folder, 'file', 'in', 'it'))).toThrow('ENOTDIR');
  });

  // With `recursive` Node does not come back from this.
  (process.platform === 'linux' ? it : it.skip)('is given up at once where a folder takes none', () => {
    expect(() => makePrivateDirectory('/proc/self/no/such')).toThrow('ENOENT');
  });
});
