import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP, runLmapp, type RunResult } from '../support/run-lmapp.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const UNLOADED = { ...PLAIN_MODEL, name: 'other:7b', digest: 'b'.repeat(64), loaded: null };

let home: Home;
let server: ScriptedServer;
const more: ScriptedServer[] = [];
const ptys: PtySession[] = [];
beforeEach(async () => {
  home = makeHome();
  server = await startScriptedServer({ kind: 'ollama', models: [PLAIN_MODEL, UNLOADED] });
});
afterEach(async () => {
  for (const pty of ptys.splice(0)) pty.close();
  for (const each of [server, ...more.splice(0)]) await each.close();
  home.remove();
});

function models(args: readonly string[], onStart?: (child: ChildProcess) => void): Promise<RunResult> {
  return runLmapp(['models', ...args, '--no-discovery', '--url', server.url], {
    env: home.env,
    ...(onStart ? { onStart } : {}),
  });
}
const lines = (text: string): readonly Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const names = async (): Promise<readonly unknown[]> =>
  (JSON.parse((await models(['--json'])).stdout) as { name: string }[]).map(({ name }) => name);
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('lmapp models', () => {
  it('lists the models, with or without the word list, as a table and as JSON', async () => {
    const table = await models([]);
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/scripted:1b +1\.3 GB +1\.2B +Q4_K_M +65536 ctx +loaded/);
    expect((await models(['list'])).stdout).toBe(table.stdout);
    const [first, second] = JSON.parse((await models(['list', '--json'])).stdout) as Record<
      string,
      unknown
    >[];
    expect(first).toMatchObject({ name: 'scripted:1b', state: 'loaded', capabilities: ['completion'] });
    expect(typeof first?.['loadedUntil']).toBe('number');
    expect(second).toMatchObject({ name: 'other:7b', state: 'unloaded', loadedUntil: null });
  });

  it('keeps its columns when a server writes a quantization out', async () => {
    server.offer([PLAIN_MODEL, { ...UNLOADED, quantization: 'Q4_K - Medium' }]);
    const ends = (await models([])).stdout.match(/^ .* ctx/gm)?.map((row) => row.length) ?? [];
    expect(ends).toHaveLength(2);
    expect(new Set(ends).size).toBe(1);
  });

  it('loads what will not fit only with --force, and says what is missing and what would help', async () => {
    const huge = { ...UNLOADED, name: 'huge:900b', digest: 'c'.repeat(64), sizeBytes: 9e14 };
    server.offer([PLAIN_MODEL, huge]);
    const refused = await models(['load', 'huge:900b']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/huge:900b needs about 900 TB, free are [\d.]+ GB/);
    expect(refused.stderr).toMatch(/context of 8,192 tokens \(of its model file\): weights 900 TB, /);
    expect(refused.stderr).toContain('--force loads it all the same.');
    expect(server.bodies.some((body) => /"messages":\[\]/.test(body))).toBe(false);
    const told = lines((await models(['load', 'huge:900b', '--json'])).stdout);
    expect(told.at(-1)).toMatchObject({ outcome: 'failed', fault: { code: 'out-of-memory' } });
    expect((await models(['load', 'huge:900b', '--force'])).code).toBe(0);
  });

  it('case 73: says for a server without models how one gets there, which is no error', async () => {
    server.offer([]);
    expect(await models([])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no models: lmapp models pull NAME') as unknown,
    });
    expect(JSON.parse((await models(['--json'])).stdout)).toEqual([]);
  });

  it('shows a model with what only its server tells', async () => {
    const { code, stdout } = await models(['show', 'other:7b']);
    expect(code).toBe(0);
    for (const text of [
      /^name +other:7b$/m,
      /^context of the model +131,072 tokens$/m,
      /^num_ctx +8192$/m,
      /\.Prompt/,
    ])
      expect(stdout).toMatch(text);
    const json = JSON.parse((await models(['show', 'ollama/other:7b', '--json'])).stdout) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({ name: 'other:7b', details: { parameters: [['num_ctx', '8192']] } });
  });

  it('loads, pins and unloads', async () => {
    const loaded = await models(['load', 'other:7b', '--context', '4096']);
    expect(loaded).toMatchObject({ code: 0, stderr: '' });
    expect(loaded.stdout).toMatch(/^other:7b is loaded: 2\.0 GB in memory, context 4,096 tokens, in /);
    const pinned = await models(['load', 'other:7b', '--pin', '--json']);
    expect(lines(pinned.stdout).at(-1)).toMatchObject({ type: 'ended', outcome: 'complete', fault: null });
    const list = JSON.parse((await models(['--json'])).stdout) as Record<string, unknown>[];
    expect(list[1]).toMatchObject({ state: 'loaded', loadedUntil: 'never' });
    expect(await models(['unload', 'other:7b'])).toMatchObject({ code: 0, stdout: 'other:7b is unloaded\n' });
    expect(await models(['unload', 'other:7b'])).toMatchObject({
      code: 0,
      stdout: 'other:7b is not loaded\n',
    });
  });

  it('names the nearest models for an unknown one, with code 2', async () => {
    for (const command of ['show', 'load', 'unload', 'delete']) {
      const { code, stdout, stderr } = await models([command, 'othr:7b']);
      expect([command, code, stdout]).toEqual([command, 2, '']);
      expect(stderr).toContain('no server has the model othr:7b');
      expect(stderr).toContain('Did you mean other:7b?');
    }
  });

  it('names the places of a model that several servers have, with code 2; a key or --server chooses', async () => {
    const second = await startScriptedServer({ kind: 'ollama', models: [UNLOADED] });
    more.push(second);
    const both = (...args: readonly string[]): Promise<RunResult> => models([...args, '--url', second.url]);
    const { code, stderr } = await both('load', 'other:7b');
    expect(code).toBe(2);
    expect(stderr).toContain('2 servers have the model other:7b');
    for (const { port } of [server, second]) expect(stderr).toContain(`ollama@127.0.0.1:${port}/other:7b`);
    expect((await both('load', `ollama@127.0.0.1:${second.port}/other:7b`)).code).toBe(0);
    expect((await both('load', 'other:7b', '--server', `127.0.0.1:${server.port}`)).code).toBe(0);
    expect(
      server.requests.filter((request) => request === 'POST /api/generate' || request === 'POST /api/chat'),
    ).toHaveLength(1);
    expect(await both('pull', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2 servers can pull x') as unknown,
    });
    expect(await both('pull', 'x', '--server', 'vllm')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no server vllm') as unknown,
    });
  });

  it.each([
    [['load'], 'which model?'],
    [['load', 'a', 'b'], 'one model at a time'],
    [['lod', 'a'], 'lod is not a known command'],
    [['load', 'other:7b', '--context', 'big'], '--context needs a number'],
  ])('refuses %j with code 2', async (args, message) => {
    const { code, stdout, stderr } = await models(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('says what to do instead where a server cannot do it, with code 1', async () => {
    const llama = await startScriptedServer({ kind: 'llama.cpp' });
    more.push(llama);
    const on = (...args: readonly string[]): Promise<RunResult> =>
      runLmapp(['models', ...args, '--no-discovery', '--url', llama.url], { env: home.env });
    for (const args of [
      ['load', 'scripted:1b'],
      ['unload', 'scripted:1b'],
      ['delete', 'scripted:1b', '--yes'],
    ]) {
      const { code, stdout, stderr } = await on(...args);
      expect([args, code, stdout]).toEqual([args, 1, '']);
      expect(stderr.trim().split('\n')).toHaveLength(2);
    }
    const json = await on('load', 'scripted:1b', '--json');
    expect(lines(json.stdout)).toEqual([
      expect.objectContaining({
        type: 'ended',
        outcome: 'failed',
        fault: expect.objectContaining({ code: 'unsupported' }) as unknown,
      }),
    ]);
  });
});

describe('lmapp models pull', () => {
  it('fetches a model; nothing but the result is printed where there is no terminal', async () => {
    const result = await models(['pull', 'new:1b']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^new:1b is pulled to ollama: 1\.3 GB in /);
    expect(await names()).toContain('new:1b');
    // The shell completes it from now on.
    const cache = fs.readFileSync(path.join(home.folder, 'cache', 'lmapp', 'models.json'), 'utf8');
    expect(cache).toContain('new:1b');
  });

  it('case 75: odd names are sent unchanged', async () => {
    for (const name of [
      'hf.co/bartowski/Qwen3-8B-GGUF:Q4_K_M',
      'a/b@q4',
      'Llama 3 8B Instruct',
      '模型:latest',
      'x#y?z%20',
    ])
      expect((await models(['pull', name])).code).toBe(0);
    expect(server.pulls.map(({ name }) => name)).toEqual([
      'hf.co/bartowski/Qwen3-8B-GGUF:Q4_K_M',
      'a/b@q4',
      'Llama 3 8B Instruct',
      '模型:latest',
      'x#y?z%20',
    ]);
  });

  it('tells every step as JSON', async () => {
    server.playPull({ steps: 40, stepMs: 10 });
    const events = lines((await models(['pull', 'new:1b', '--json'])).stdout);
    const fractions = events.flatMap((event) =>
      typeof event['fraction'] === 'number' ? [event['fraction']] : [],
    );
    expect(fractions.length).toBeGreaterThan(2);
    expect(fractions.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true);
    expect(events.some(({ layers }) => Array.isArray(layers) && layers.length === 3)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'ended', outcome: 'complete', name: 'new:1b', fault: null });
  });

  it('is stopped by Ctrl+C with code 130, says that it can go on, closes the socket, and goes on', async () => {
    server.playPull({ steps: 200, stepMs: 20 });
    const result = await models(['pull', 'new:1b'], (child) => {
      void until(() => server.requests.includes('POST /api/pull')).then(() =>
        setTimeout(() => child.kill('SIGINT'), 600),
      );
    });
    expect([result.code, result.stdout]).toEqual([130, '']);
    expect(result.stderr).toMatch(/the pull of new:1b was stopped at \d+ %.*pulled again it goes on/);
    await until(() => server.pulls[0]?.closedByClient === true);
    server.playPull({});
    expect((await models(['pull', 'new:1b'])).code).toBe(0);
    expect(server.pulls[1]?.from).toBeGreaterThan(0);
  });

  it('fails with code 1 and the reason of the server for a name that does not exist', async () => {
    server.playPull({ failure: { kind: 'error' } });
    const { code, stdout, stderr } = await models(['pull', 'nosuch', '--json']);
    expect(code).toBe(1);
    expect(lines(stdout).at(-1)).toMatchObject({ outcome: 'failed', fault: { code: 'unknown-model' } });
    expect(stderr.trim().split('\n').length).toBeGreaterThan(1);
  });

  it('shows a bar on a terminal, which is gone at the end', async () => {
    server.playPull({ steps: 60, stepMs: 25 });
    const pty = openPty(
      process.execPath,
      [LMAPP, 'models', 'pull', 'new:1b', '--no-discovery', '--url', server.url],
      {
        env: { ...home.env },
        columns: 100,
      },
    );
    ptys.push(pty);
    await pty.waitFor(/new:1b +\d+ % \[#+ +\] 0\.\d \/ 1\.3 GB +\d+.*\/s +\d+s left/);
    expect((await pty.exited).exitCode).toBe(0);
    expect(pty.screen()).toMatch(/^new:1b is pulled to ollama: 1\.3 GB in /);
    expect(pty.screen()).not.toContain('[#');
  });
});

describe('lmapp models delete', () => {
  it('needs --yes where there is no terminal, and says so with code 2', async () => {
    const { code, stdout, stderr } = await models(['delete', 'other:7b']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--yes');
    expect(await names()).toContain('other:7b');
    expect(await models(['delete', 'other:7b', '--yes'])).toMatchObject({
      code: 0,
      stdout: 'other:7b is deleted\n',
    });
    expect(await names()).not.toContain('other:7b');
  });

  it.each([
    ['n', 0, 'nothing was deleted', true],
    ['y', 0, 'other:7b is deleted', false],
    ['\x03', 130, 'Delete other:7b', true],
  ])('asks on a terminal with size and server; %j ends with %i', async (key, exitCode, told, stays) => {
    const args = ['models', 'delete', 'other:7b', '--no-discovery', '--url', server.url];
    const pty = openPty(process.execPath, [LMAPP, ...args], { env: { ...home.env }, columns: 100 });
    ptys.push(pty);
    await pty.waitFor(`Delete other:7b (1.3 GB) from ollama ${server.url}? [y/N]`);
    pty.type(key === '\x03' ? key : `${key}\r`);
    expect((await pty.exited).exitCode).toBe(exitCode);
    expect(pty.screen()).toContain(told);
    expect((await names()).includes('other:7b')).toBe(stays);
  });
});

it('names of models are completed behind the commands that take one', async () => {
  await models([]);
  const complete = async (line: string): Promise<readonly string[]> =>
    (await runLmapp(['__complete', 'zsh', line], { env: home.env })).stdout.trim().split('\n');
  expect(await complete('lmapp models ')).toEqual([
    'list',
    'show',
    'load',
    'unload',
    'catalogue',
    'pull',
    'delete',
  ]);
  expect(await complete('lmapp models load ')).toEqual(['scripted:1b', 'other:7b']);
  expect(await complete('lmapp models delete o')).toEqual(['other:7b']);
  expect(await complete('lmapp models load --p')).toEqual(['--pin']);
});
