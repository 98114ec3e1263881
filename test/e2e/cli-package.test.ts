import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

describe('the package', () => {
  it('works when its tarball is installed globally elsewhere, without a network', () => {
    // The build stands already; building again here would take it away from tests that run beside this one.
    const run = (command: string, args: readonly string[], cwd?: string) =>
      spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, LMAPP_MOCK_TEXT: 'packed' } });
    const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder.path()]);
    const tarball = folder.path(packed.stdout.trim().split('\n').at(-1) ?? '');
    const installed = run(
      'npm',
      ['install', '--global', '--offline', '--silent', '--prefix', folder.path('prefix'), tarball],
      folder.path(),
    );
    expect(installed.status).toBe(0);
    const bin = path.join(folder.path('prefix'), 'bin', 'lmapp');
    expect(run(bin, ['--version'], folder.path()).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run(bin, ['chat', '--mock', 'hi'], folder.path()).stdout).toBe('packed\n');
    // The help names pages of docs/: who has only the package finds them in it.
    const [page = ''] = /docs\/\w+\.md/.exec(run(bin, ['--help'], folder.path()).stdout) ?? [];
    expect(page).not.toBe('');
    expect(fs.existsSync(folder.path('prefix', 'lib', 'node_modules', 'lmapp', page))).toBe(true);
  });
});
