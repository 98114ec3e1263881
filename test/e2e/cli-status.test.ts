import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { isRunning } from '../support/fake-engine.js';
import { makeHome, type Home } from '../support/home.js';
import { json, RawServer } from '../support/raw-server.js';
import { runLmapp, type RunResult } from '../support/run-lmapp.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

interface Told {
  readonly chosen: {
    readonly model: string | null;
    readonly canAnswer: boolean;
    readonly reason: string | null;
    readonly nextStep: string | null;
  };
  readonly servers: readonly Readonly<Record<string, unknown>>[];
  readonly models: readonly (Readonly<Record<string, unknown>> & {
    readonly fit: { readonly verdict: string };
  })[];
  readonly machine: Readonly<Record<string, unknown>>;
}

const HUGE = {
  ...PLAIN_MODEL,
  name: 'huge:900b',
  digest: 'c'.repeat(64),
  sizeBytes: 2 ** 50,
  loaded: null,
};

let home: Home;
let server: ScriptedServer;
beforeEach(async () => {
  home = makeHome();
  server = await startScriptedServer({ kind: 'ollama', models: [PLAIN_MODEL, HUGE] });
});
afterEach(async () => {
  await server.close();
  home.remove();
});

const status = (...args: string[]): Promise<RunResult> =>
  runLmapp(['status', '--no-discovery', ...args], { env: home.env });
const told = (result: RunResult): Told => JSON.parse(result.stdout) as Told;

describe('lmapp status', () => {
  it('ends with 0 when the chosen model can answer, and tells servers, models with their fit, and the machine', async () => {
    const result = await status('--json', '--url', server.url);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const { chosen, servers, models, machine } = told(result);
    expect(chosen).toMatchObject({ canAnswer: true, reason: null, nextStep: null });
    expect(chosen.model).toContain(PLAIN_MODEL.name);
    expect(servers).toEqual([expect.objectContaining({ kind: 'ollama', state: 'ready', reason: null })]);
    expect(models.map(({ name }) => name)).toEqual([PLAIN_MODEL.name, HUGE.name]);
    expect(models[1]?.fit.verdict).toBe('short');
    expect(machine['memoryTotalBytes']).toBeGreaterThan(0);
    expect(machine['gpus']).toBeInstanceOf(Array);
  });

  it('tells the GPU, and what a dashboard tells in detail', async () => {
    const bin = path.join(home.folder, 'bin');
    fs.mkdirSync(bin);
    const row = '0, GPU-a, NVIDIA RTX, 7, 596, 16376, 34, 12.02, 320.00, 0, 1980, N/A, [N/A], [N/A], 0x0';
    fs.writeFileSync(
      path.join(bin, 'nvidia-smi'),
      `#!/bin/sh\ncase "$*" in *compute-apps*) exit;; esac\necho '${row}'; exec sleep 30\n`,
      { mode: 0o755 },
    );
    const env = { ...home.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const args = ['status', '--no-discovery', '--url', server.url];
    const { machine } = told(await runLmapp([...args, '--json'], { env }));
    expect(machine['gpus']).toEqual([expect.objectContaining({ name: 'NVIDIA RTX', utilization: 0.07 })]);
    expect(machine['detail']).toMatchObject({
      disks: [expect.objectContaining({ freeBytes: expect.any(Number) })],
    });
    const { stdout } = await runLmapp(args, { env });
    expect(stdout).toMatch(/^GPU0 NVIDIA RTX: 7 %, 0\.6 \/ 17\.2 GB, 34 °C$/m);
  });

  it('says that nvidia-smi does not answer, and leaves none behind that does not heed its end', async () => {
    const bin = path.join(home.folder, 'bin');
    const started = path.join(home.folder, 'pid');
    fs.mkdirSync(bin);
    fs.writeFileSync(
      path.join(bin, 'nvidia-smi'),
      `#!/bin/sh\ntrap '' TERM\necho $$ > '${started}'\nwhile :; do sleep 1; done\n`,
      { mode: 0o755 },
    );
    const env = { ...home.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const { machine } = told(
      await runLmapp(['status', '--json', '--no-discovery', '--url', server.url], { env }),
    );
    expect(machine['problems']).toEqual({ nvidia: 'no answer within 4 s' });
    const pid = Number(fs.readFileSync(started, 'utf8'));
    expect(isRunning(pid)).toBe(false);
  });

  it('says the same in words, the answer first', async () => {
    const { code, stdout } = await status('--url', server.url);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(`${PLAIN_MODEL.name} on ollama can answer`);
    expect(stdout).toMatch(/^ollama \S+ at http\S+, 2 models, ready$/m);
    expect(stdout).toMatch(/^ {2}huge:900b .* needs .*B more$/m);
    expect(stdout).toMatch(/^RAM [\d.]+ \/ [\d.]+ GB/m);
  });

  it('ends with 1 and the next step when the chosen model would not fit, is unknown, or its server is away', async () => {
    const large = await status('--json', '--url', server.url, '--model', HUGE.name);
    expect(large.code).toBe(1);
    expect(told(large).chosen.reason).toMatch(/does not fit/);
    const unknown = await status('--json', '--url', server.url, '--model', 'scripted:2b');
    expect(unknown.code).toBe(1);
    expect(told(unknown).chosen).toMatchObject({ model: null, canAnswer: false });
    expect(told(unknown).chosen.nextStep).toContain(PLAIN_MODEL.name);
    await server.close();
    const away = await status('--json', '--url', server.url);
    expect(away.code).toBe(1);
    expect(told(away).servers[0]).toMatchObject({ state: 'away' });
    expect(told(away).chosen.reason).not.toBeNull();
  });

  it('says of a server that is still loading that it is, and not that there is none', async () => {
    const loading = { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } };
    const raw = await RawServer.start();
    try {
      raw.otherwise(json(loading, 503, { Server: 'llama.cpp' }));
      const result = await status('--json', '--url', raw.url);
      expect(result.code).toBe(1);
      expect(told(result).chosen).toMatchObject({
        canAnswer: false,
        reason: `llama.cpp at ${raw.url} is still loading its model`,
        nextStep: 'Ask again in a moment.',
      });
      const check = await runLmapp(['backends', 'check', raw.url, '--no-discovery'], { env: home.env });
      expect(check).toMatchObject({ code: 0, stdout: `ok   llama.cpp at ${raw.url}, loading\n` });
    } finally {
      await raw.stop();
    }
  });

  it('says without any server what to do, and still tells the machine', async () => {
    const { code, stdout } = await status();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^nothing can answer: /);
    expect(stdout).toMatch(/^RAM \d/m);
  });
});
