import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

describe('the documentation', () => {
  it('is up to date where it is made from the program', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/write-docs.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('gives a reason for every package', () => {
    const { devDependencies, dependencies } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as Record<
      string,
      object | undefined
    >;
    // What is bundled is no dependency of an installation.
    expect(dependencies).toBeUndefined();
    const text = fs.readFileSync('docs/dependencies.md', 'utf8');
    expect(
      Object.keys(devDependencies ?? {}).filter((name) => !new RegExp(`[ |]${name}[ ,|]`).test(text)),
    ).toEqual([]);
  });
});
