import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { isRunning, until } from '../support/fake-engine.js';
import { fakeNpm } from '../support/fake-npm.js';
import { makeHome, type Home } from '../support/home.js';
import { runLmapp } from '../support/run-lmapp.js';

let home: Home;

beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const bin = (): string => path.join(home.folder, 'bin');
const env = (): Readonly<Record<string, string>> => ({
  ...home.env,
  PATH: `${bin()}${path.delimiter}${process.env['PATH'] ?? ''}`,
});
const place = (): string => path.join(home.folder, 'data', 'lmapp');

describe('lmapp engine', () => {
  it('is installed with --yes, told of, and removed again', async () => {
    fakeNpm(bin());
    const before = await runLmapp(['engine', 'status'], { env: env() });
    expect(before).toMatchObject({ code: 1, stdout: '' });
    expect(before.stderr).toContain('lmapp engine install');
    const installed = await runLmapp(['engine', 'install', '--yes'], { env: env() });
    expect(installed.code).toBe(0);
    expect(installed.stdout).toContain('the engine is installed');
    expect(installed.stderr).toContain('fetching packages with npm');
    const { stdout } = await runLmapp(['engine', 'status', '--json'], { env: env() });
    expect(JSON.parse(stdout)).toMatchObject({
      usable: true,
      state: 'installed',
      directory: path.join(place(), 'engine'),
    });
    expect((await runLmapp(['engine', 'remove'], { env: env() })).stdout).toContain('the engine is removed');
    expect(fs.readdirSync(place())).not.toContain('engine');
    expect((await runLmapp(['engine', 'remove'], { env: env() })).stdout).toBe(
      'the engine is not installed\n',
    );
  });

  it('tells programs with --json: one object on standard output, steps on standard error', async () => {
    fakeNpm(bin());
    const directory = path.join(place(), 'engine');
    const json = async (...words: readonly string[]): Promise<unknown> => {
      const { stdout, stderr } = await runLmapp(['engine', ...words, '--json'], { env: env() });
      expect([stdout.trimEnd().split('\n').length, stderr.includes('{')]).toEqual([1, false]);
      return JSON.parse(stdout);
    };
    expect(await json('install')).toMatchObject({
      type: 'ended',
      outcome: 'failed',
      fault: { code: 'usage' },
    });
    expect(await json('status')).toMatchObject({ usable: false, state: 'absent' });
    expect(await json('install', '--yes')).toMatchObject({
      type: 'ended',
      outcome: 'complete',
      version: expect.stringMatching(/^\d/) as unknown,
      directory,
      ms: expect.any(Number) as unknown,
      fault: null,
    });
    const removed = { type: 'ended', outcome: 'complete', directory, fault: null };
    expect(await json('remove')).toEqual({ ...removed, wasInstalled: true });
    expect(await json('remove')).toEqual({ ...removed, wasInstalled: false });
  });

  it('is not installed without a question where nobody can answer it', async () => {
    const { runs } = fakeNpm(bin());
    const { code, stderr } = await runLmapp(['engine', 'install'], { env: env() });
    expect(code).not.toBe(0);
    expect(stderr).toContain('--yes');
    expect(runs()).toEqual([]);
  });

  it('that is being installed is stopped by Ctrl+C with code 130, and nothing of it stays', async () => {
    const { pids } = fakeNpm(bin(), { gate: path.join(home.folder, 'never') });
    const result = await runLmapp(['engine', 'install', '--yes', '--json'], {
      env: env(),
      onStart: (child) => void until(() => pids().length > 0).then(() => child.kill('SIGINT')),
    });
    expect(result.code).toBe(130);
    expect(JSON.parse(result.stdout)).toEqual({ type: 'ended', outcome: 'cancelled', fault: null });
    expect(result.stderr).toContain('cancelled; nothing was installed');
    expect(pids().some(isRunning)).toBe(false);
    expect(fs.readdirSync(place())).toEqual([]);
  });

  const forNvidia = process.platform === 'linux' && process.arch === 'x64' ? it : it.skip;
  forNvidia(
    'tells of the part for a GPU that is here, with its size, and fetches it where that is wanted',
    async () => {
      const { runs } = fakeNpm(bin());
      fs.writeFileSync(path.join(bin(), 'nvidia-smi'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      const plain = await runLmapp(['engine', 'install', '--yes'], { env: env() });
      expect(plain.stderr).toMatch(
        /a GPU is here \(NVIDIA\): --gpu cuda fetches its part as well, 0\.3 GB more/,
      );
      expect((await runLmapp(['engine', 'status'], { env: env() })).stdout).toContain('--gpu cuda');
      expect((await runLmapp(['engine', 'install', '--gpu', 'cuda', '--yes'], { env: env() })).code).toBe(0);
      expect(runs().at(-1)?.join(' ')).toMatch(/linux-x64-cuda@\S+ .*linux-x64-cuda-ext@/);
      expect((await runLmapp(['engine', 'status'], { env: env() })).stdout).not.toContain('--gpu cuda');
    },
  );

  it('for a kind of GPU that nobody knows is a mistake of the call', async () => {
    const { code, stderr } = await runLmapp(['engine', 'install', '--gpu', 'abacus', '--yes'], {
      env: env(),
    });
    expect(code).toBe(2);
    expect(stderr).toContain('vulkan and cuda');
  });
});
