import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { gpuKindsOf } from '../../src/engine/install-plan.js';
import { placeFakeEngine } from '../support/fake-engine.js';
import { fakeNpm, type FakeNpm, type FakeNpmOptions } from '../support/fake-npm.js';
import type { FileServer } from '../support/file-server.js';
import { CHAT_MODEL, ggufModel } from '../support/gguf-file.js';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP, runLmapp } from '../support/run-lmapp.js';
import { giveAll, half, HUB_MODEL_NAME, startHub } from '../support/small-hub.js';

let home: Home;
let hub: FileServer;
let npm: FakeNpm;
const ptys: PtySession[] = [];

beforeEach(async () => {
  home = makeHome();
  hub = await startHub();
  npm = fakeNpm(bin());
});

afterEach(async () => {
  for (const pty of ptys.splice(0)) pty.close();
  await hub.close();
  home.remove();
});

const bin = (): string => path.join(home.folder, 'bin');
const gate = (): string => path.join(home.folder, 'npm-gate');
const env = (): Readonly<Record<string, string>> => ({
  ...home.env,
  HF_ENDPOINT: hub.url,
  PATH: `${bin()}:${process.env['PATH'] ?? ''}`,
});
const data = (name: string): string => path.join(home.folder, 'data', 'lmapp', name);

function dashboard(options: readonly string[] = [], more: Readonly<Record<string, string>> = {}): PtySession {
  const args = [LMAPP, 'tui', '--no-discovery', ...options];
  const pty = openPty(process.execPath, args, { env: { ...env(), ...more }, columns: 100, rows: 30 });
  ptys.push(pty);
  return pty;
}

const chat = (...args: readonly string[]) => runLmapp(['chat', '--embedded', ...args], { env: env() });
const withNpm = (options: FakeNpmOptions): void => {
  npm = fakeNpm(bin(), options);
};

describe('the first run on a machine that has nothing', () => {
  it('offers a small model first; Enter asks once, Enter fetches, and the message that was sent meanwhile is answered', async () => {
    withNpm({ gate: gate() });
    const pty = dashboard();
    await pty.waitFor('▸ get a small model and run it here');
    pty.type('\r');
    await pty.waitFor('Run Qwen3.5 0.8B on this machine');
    expect(pty.screen()).toMatch(/node-llama-cpp \S+, MIT, about \d+ MB from npm/);
    expect(pty.screen()).toContain('Apache-2.0');
    pty.type('\r');
    await pty.waitFor('comes to this machine');
    pty.type('hello there\r');
    await pty.waitFor('waits for the model');
    fs.writeFileSync(gate(), '');
    await pty.waitFor('you said hello there');
    expect(pty.screen()).toContain(HUB_MODEL_NAME);
    expect(fs.existsSync(path.join(data('engine'), 'lmapp-engine.json'))).toBe(true);
  });

  it('Esc stops it and gives the message back; the next try goes on with what came', async () => {
    await hub.close();
    hub = await startHub(half);
    const pty = dashboard();
    await pty.waitFor('▸ get a small model');
    pty.type('\r');
    await pty.waitFor('fetch');
    pty.type('\r');
    await pty.waitFor('comes to this machine');
    const part = path.join(data('models'), 'unsloth', 'Qwen3.5-0.8B-GGUF', `${HUB_MODEL_NAME}.gguf.part`);
    await pty.waitFor(() => fs.existsSync(part) && fs.statSync(part).size > 0);
    pty.type('kept\r');
    await pty.waitFor('waits for the model');
    pty.type('\x1b');
    await pty.waitFor('is not here yet');
    await pty.waitFor(/│ kept/);
    giveAll(hub);
    pty.type('\x15\r');
    await pty.waitFor('fetch');
    pty.type('\r');
    await pty.waitFor('on this machine answers');
    expect(hub.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('another model is chosen from the catalogue, which stands in the models pane, too', async () => {
    const pty = dashboard();
    await pty.waitFor('▸ get a small model');
    pty.type('\r');
    await pty.waitFor('another model');
    pty.type('o');
    await pty.waitFor(/Gemma 4 E4B .*5\.0 GB .*Apache-2\.0/);
    pty.type('0.8b');
    await pty.waitFor('1/6');
    pty.type('\r');
    await pty.waitFor('Run Qwen3.5 0.8B on this machine');
    pty.type('\r');
    await pty.waitFor('on this machine answers');
    pty.type('\t\tc');
    await pty.waitFor(/Qwen3\.5 2B .*1\.3 GB/);
    pty.type('2b');
    await pty.waitFor('/6');
    pty.type('\r');
    // This hub has only the one.
    await pty.waitFor('could not pull qwen3.5-2b');
  });

  it('the engine stands in the list when another program has installed it meanwhile', async () => {
    const pty = dashboard();
    await pty.waitFor('▸ get a small model');
    placeFakeEngine(data('engine'));
    await pty.waitFor('▾ this machine');
  });

  const hasCuda = gpuKindsOf(process.platform, process.arch).includes('cuda');
  (hasCuda ? it : it.skip)(
    'offers the part for a GPU that is here with its size, and fetches it when it is chosen',
    async () => {
      fs.writeFileSync(path.join(bin(), 'nvidia-smi'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      const pty = dashboard();
      await pty.waitFor('▸ get a small model');
      pty.type('\r');
      await pty.waitFor(/A GPU is here \(NVIDIA\): the part for it is \S+ [MG]B more/);
      expect(pty.screen()).toMatch(/▸ y {2}fetch/);
      pty.type('g');
      await pty.waitFor('on this machine answers');
      expect(npm.runs().at(-1)?.join(' ')).toMatch(/@node-llama-cpp\/\S+-cuda@/);
    },
  );

  it('without the hub the model that needs none is offered, and where it comes from is said', async () => {
    const pty = dashboard([], { HF_ENDPOINT: 'http://127.0.0.1:9' });
    await pty.waitFor('▸ get a small model');
    pty.type('\r');
    await pty.waitFor('Run SmolLM2 135M on this machine');
    expect(pty.screen()).toContain('Python package');
    pty.type('\x1b');
    await pty.waitFor(() => !pty.screen().includes('Run SmolLM2'));
    expect(npm.runs()).toHaveLength(0);
  });

  it('a registry that is not reached is told with the next step, and the way stands there again', async () => {
    withNpm({ fails: 'npm error code ENOTFOUND' });
    const pty = dashboard();
    await pty.waitFor('▸ get a small model');
    pty.type('\r');
    await pty.waitFor('fetch');
    pty.type('\r');
    await pty.waitFor(/The registry of npm cannot be .*reached \(ENOTFOUND\)/s);
    await pty.waitFor('Check the network and npm');
    expect(pty.screen()).toContain('▸ get a small model and run it here');
    expect(fs.existsSync(data('engine'))).toBe(false);
  });

  it('a model file of another program is run where it lies, with the engine alone', async () => {
    const folder = path.join(home.folder, 'cache', 'llama.cpp');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'found-Q4_K_M.gguf'), ggufModel(CHAT_MODEL));
    const pty = dashboard([], { LLAMA_CACHE: folder });
    await pty.waitFor('▸ run a model file that lies on this disk');
    pty.type('\r');
    await pty.waitFor(/1 {2}found-Q4_K_M .*of llama\.cpp/);
    pty.type('\r');
    await pty.waitFor('on this machine answers');
    pty.type('hello\r');
    await pty.waitFor('you said hello');
    expect(hub.requests).toEqual([]);
  });
});

describe('the second run', () => {
  it('has the model in its list, and needs neither npm nor the hub', async () => {
    expect((await chat('first')).code).toBe(0);
    const asked = hub.requests.length;
    const pty = dashboard();
    await pty.waitFor('this machine');
    await pty.waitFor('on this machine answers');
    pty.type('again\r');
    await pty.waitFor('you said again');
    expect(npm.runs()).toHaveLength(1);
    expect(hub.requests).toHaveLength(asked);
  });
});

describe('lmapp tui --embedded', () => {
  it('fetches what is missing without a question', async () => {
    const pty = dashboard(['--embedded']);
    await pty.waitFor('on this machine answers');
    pty.type('hello\r');
    await pty.waitFor('you said hello');
  });
});

describe('the steps of lmapp tui --embedded', () => {
  it('are on stderr as well when that is a file, and never on the screen that is its terminal', async () => {
    const file = path.join(home.folder, 'steps');
    const args = [process.execPath, LMAPP, 'tui', '--no-discovery', '--embedded'];
    const pty = openPty('/bin/sh', ['-c', `exec "$0" "$@" 2>'${file}'`, ...args], {
      env: env(),
      columns: 100,
      rows: 30,
    });
    ptys.push(pty);
    await pty.waitFor('on this machine answers');
    const steps = fs.readFileSync(file, 'utf8');
    expect(steps).toMatch(/^lmapp: fetches the engine with npm, fetches qwen3\.5-0\.8b$/m);
    expect(steps).toContain(`lmapp: ${HUB_MODEL_NAME} is on this machine`);
    expect(pty.screen()).not.toContain('lmapp: fetches');
  });
});

describe('lmapp chat --embedded', () => {
  it('fetches what is missing without a question: steps on stderr, only the answer on stdout', async () => {
    const result = await chat('hello you');
    expect(result).toMatchObject({ code: 0, stdout: 'you said hello you\n' });
    expect(result.stderr).toMatch(/^lmapp: fetches the engine with npm, fetches qwen3\.5-0\.8b$/m);
    expect(result.stderr).not.toContain('\x1b');
    expect(await chat('more')).toMatchObject({ code: 0, stdout: 'you said more\n', stderr: '' });
  });

  it('shows how far it is on a terminal', async () => {
    await hub.close();
    hub = await startHub(half);
    withNpm({ gate: gate() });
    const pty = openPty(process.execPath, [LMAPP, 'chat', '--embedded', 'hello'], {
      env: env(),
      columns: 120,
    });
    ptys.push(pty);
    await pty.waitFor(/≈ \d+ % {2}\d.* MB of 49 MB/);
    pty.type('\x03');
    expect(await pty.exited).toMatchObject({ exitCode: 130 });
    expect(pty.screen()).toContain('cancelled; what came is kept');
  });

  it('takes the model that is named, and refuses a name that nothing has', async () => {
    const named = await chat('--model', 'qwen3.5-0.8b', 'hello');
    expect(named).toMatchObject({ code: 0, stdout: 'you said hello\n' });
    const none = await chat('--model', 'nothing-like-it', 'hello');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toMatch(
      /no model file of this machine is called nothing-like-it\n.*lmapp models catalogue/,
    );
  });

  it('takes the model of the configuration, else the smallest that is a help, and says so where there are several', async () => {
    const folder = path.join(home.folder, 'cache', 'llama.cpp');
    fs.mkdirSync(folder, { recursive: true });
    for (const name of ['toy-a', 'toy-b'])
      fs.writeFileSync(path.join(folder, `${name}.gguf`), ggufModel(CHAT_MODEL));
    const here = (...args: readonly string[]) =>
      runLmapp(['chat', '--embedded', ...args], { env: { ...env(), LLAMA_CACHE: folder } });
    const asked = await here('--model', 'toy-a', 'hello');
    expect(asked).toMatchObject({ code: 0 });
    expect(asked.stderr).not.toContain('answers');
    expect((await here('hello')).stderr).toMatch(/^lmapp: toy-[ab] answers; --model takes another one$/m);
    const config = path.join(home.folder, 'config', 'lmapp');
    fs.mkdirSync(config, { recursive: true });
    const configured = async (model: string): Promise<string> => {
      fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ model }));
      return (await here('hello')).stderr;
    };
    expect(await configured('toy-b')).toContain('lmapp: toy-b answers');
    // It is one of a server.
    expect(await configured('qwen3:4b')).toMatch(/lmapp: toy-[ab] answers/);
  });

  it('asks no server, so an address beside it is wrong usage', async () => {
    const result = await chat('--url', 'http://127.0.0.1:9', 'hello');
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('--embedded and --url cannot both be meant');
  });

  it('fails with the reason and the next step where npm fails', async () => {
    withNpm({ fails: 'npm error code ENOTFOUND' });
    const result = await chat('hello');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/The registry of npm cannot be reached \(ENOTFOUND\)\.\nCheck the network/);
  });
});
