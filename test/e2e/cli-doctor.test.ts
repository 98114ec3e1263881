import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { json, RawServer } from '../support/raw-server.js';
import { LMAPP, runLmapp } from '../support/run-lmapp.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

interface Line {
  readonly check: string;
  readonly state: string;
  readonly text: string;
  readonly nextStep: string | null;
}

let home: Home;
let ollama: ScriptedServer;
const ptys: PtySession[] = [];
beforeEach(async () => {
  home = makeHome();
  ollama = await startScriptedServer({ kind: 'ollama' });
});
afterEach(async () => {
  for (const pty of ptys.splice(0)) pty.close();
  await ollama.close();
  home.remove();
});

const file = (): string => path.join(home.folder, 'config', 'lmapp', 'config.json');
async function examine(
  settings: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; lines: readonly Line[] }> {
  home.configure({ discovery: false, ...settings });
  return report(env);
}
async function report(env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runLmapp(['doctor', '--json'], { env: { ...home.env, ...env } });
  expect(stderr).toBe('');
  const lines = JSON.parse(stdout) as readonly Line[];
  // Whatever is not well has a next step, and what is well has none.
  for (const { state, nextStep } of lines) expect(nextStep === null).toBe(state === 'ok');
  // Every check has something to say.
  const checks = ['program', 'terminal', 'configuration', 'folders', 'servers', 'gpu', 'clock'];
  expect([...new Set(lines.map(({ check }) => check))]).toEqual(checks);
  return { code, lines };
}
const of = (lines: readonly Line[], check: string): readonly Line[] =>
  lines.filter((line) => line.check === check);

describe('lmapp doctor', () => {
  it('finds nothing bad where all is well, and ends with 0; no model is asked or loaded', async () => {
    const { code, lines } = await examine({ backends: [{ url: ollama.url }], model: PLAIN_MODEL.name });
    expect(lines.filter(({ state }) => state === 'bad')).toEqual([]);
    expect(code).toBe(0);
    expect(of(lines, 'servers').map(({ text }) => text)).toEqual([
      expect.stringMatching(/^ollama 0\.\S+ at http\S+, 1 model$/),
      `the model to start with, ${PLAIN_MODEL.name}, is there`,
    ]);
    expect(ollama.requests.filter((each) => /chat|generate|embed/.test(each))).toEqual([]);
  });

  it('tells a server that is away, one whose key cannot be had, and a model that nobody has', async () => {
    const { code, lines } = await examine({
      backends: [{ url: ollama.url }, { url: 'http://127.0.0.1:9' }, { url: 'h', key: '${NO_SUCH_KEY}' }],
      model: 'scripted',
      fallback: ['nowhere/nothing', 'mock'],
    });
    expect(code).toBe(1);
    const bad = of(lines, 'servers').filter(({ state }) => state === 'bad');
    expect(bad.map(({ text }) => text)).toEqual(
      [
        'Nothing listens at http://127.0.0.1:9.',
        'The key of h is to come from NO_SUCH_KEY, which is not set.',
        'no server has the model to start with, scripted',
        'no server has a fall-back, nowhere/nothing',
      ].map((text) => expect.stringContaining(text) as unknown),
    );
    expect(bad[1]?.nextStep).toContain('export NO_SUCH_KEY=');
    expect(bad[2]?.nextStep).toContain(PLAIN_MODEL.name);
  });

  it('tells a wrong key and never shows it, and keys that others can read', async () => {
    const locked = await RawServer.start();
    locked.reply('/v1/models', json({ error: { message: 'bad key opaque-very-secret' } }, 401));
    home.configure({ discovery: false, backends: [{ url: locked.url, key: 'opaque-very-secret' }] });
    fs.chmodSync(file(), 0o644);
    const { code, lines } = await report();
    await locked.stop();
    expect(code).toBe(1);
    expect(JSON.stringify(lines)).not.toContain('very-secret');
    expect(of(lines, 'servers')[0]).toMatchObject({ state: 'bad' });
    expect(of(lines, 'configuration').map(({ state, nextStep }) => [state, nextStep])).toEqual([
      ['ok', null],
      ['warn', expect.stringContaining('--key-env')],
      ['bad', `chmod 600 ${file()}`],
    ]);
  });

  it('tells what is wrong in the configuration: bad when it is not used, a warning when it does no harm', async () => {
    const unknown = await examine({ modle: 'x', backends: [{ url: ollama.url }] });
    expect(of(unknown.lines, 'configuration')[0]).toMatchObject({ state: 'warn' });
    expect(of(unknown.lines, 'configuration')[0]?.text).toContain('did you mean model?');
    fs.writeFileSync(file(), '{ "fps": 3, }');
    const broken = await report({ LMAPP_DISCOVERY: 'false' });
    expect(broken.code).toBe(1);
    expect(of(broken.lines, 'configuration')[0]).toMatchObject({ state: 'bad' });
    expect(of(broken.lines, 'configuration')[0]?.text).toContain('config.json:1:');
  });

  it('tells an address that is none, and that there is no server at all', async () => {
    const wrong = await examine({ backends: [{ url: 'ftp://x' }] });
    expect(of(wrong.lines, 'servers')[0]).toMatchObject({ state: 'bad' });
    const none = await examine({});
    expect([none.code, of(none.lines, 'servers')[0]?.nextStep]).toEqual([
      1,
      expect.stringContaining('lmapp backends add'),
    ]);
  });

  it('tells a folder that is none', async () => {
    fs.mkdirSync(path.join(home.folder, 'data'), { recursive: true });
    fs.writeFileSync(path.join(home.folder, 'data', 'lmapp'), 'a file');
    const { code, lines } = await examine({ backends: [{ url: ollama.url }] });
    expect(code).toBe(1);
    expect(of(lines, 'folders')[0]?.text).toContain('is no folder');
  });

  it('tells a GPU tool that fails, and what one says that runs', async () => {
    const bin = path.join(home.folder, 'bin');
    const tool = path.join(bin, 'nvidia-smi');
    fs.mkdirSync(bin);
    const withTool = async (script: string): Promise<Line | undefined> => {
      fs.writeFileSync(tool, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
      return of((await examine({ backends: [{ url: ollama.url }] }, env)).lines, 'gpu')[0];
    };
    expect(await withTool('echo "NVIDIA RTX, 550.1"')).toMatchObject({
      state: 'ok',
      text: 'NVIDIA RTX, 550.1',
    });
    expect(await withTool('echo "Driver/library version mismatch" >&2; exit 18')).toMatchObject({
      state: 'warn',
      text: expect.stringContaining('version mismatch') as unknown,
    });
  });

  it('tells a clock that stands before the last use', async () => {
    const log = path.join(home.folder, 'state', 'lmapp', 'lmapp.log');
    fs.mkdirSync(path.dirname(log), { recursive: true });
    fs.writeFileSync(log, '');
    const later = new Date(Date.now() + 7 * 24 * 3600_000);
    fs.utimesSync(log, later, later);
    const { code, lines } = await examine({ backends: [{ url: ollama.url }] });
    expect([code, of(lines, 'clock')[0]?.nextStep]).toEqual([1, expect.stringContaining('Set the clock')]);
  });

  it('looks at the terminal in one, and says the sum at the end', async () => {
    home.configure({ discovery: false, backends: [{ url: ollama.url }] });
    const start = (env: Readonly<Record<string, string>>, columns: number, rows: number): PtySession => {
      const pty = openPty(process.execPath, [LMAPP, 'doctor'], {
        columns,
        rows,
        env: { ...home.env, ...env },
      });
      ptys.push(pty);
      return pty;
    };
    const good = start({ TERM: 'xterm-256color', COLORTERM: '', LANG: 'C.UTF-8' }, 120, 40);
    expect((await good.exited).exitCode).toBe(0);
    await good.waitFor('All is well.');
    expect(good.screen()).toMatch(/ok +terminal +xterm-256color, 256 colours, 120x40/);
    const poor = start({ TERM: 'xterm', COLORTERM: '', LANG: 'de_DE.ISO-8859-1' }, 58, 40);
    await poor.waitFor('0 bad, 3 to look at.');
    expect(poor.transcript).toContain('too small for the dashboard');
    expect(poor.transcript).toContain('export LANG=C.UTF-8');
    expect(poor.transcript).toContain('export COLORTERM=truecolor');
    const dumb = start({ TERM: 'dumb' }, 100, 30);
    expect((await dumb.exited).exitCode).toBe(1);
    await dumb.waitFor('TERM is "dumb"');
  });
});
