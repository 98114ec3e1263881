import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome } from '../../test/support/home.js';
import { embedded } from '../../src/backends/embedded.js';
import type { Backend } from '../../src/backends/backend.js';
import { directoriesOf, filesOf } from '../../src/config/paths.js';
import type { Model } from '../../src/domain/model.js';
import { installedEngine } from '../../src/engine/installed.js';
import { ENGINE_CHILD, openLocalSource } from '../../src/engine/open-local.js';
import { openEmbeddedSource } from '../../src/engine/open-source.js';
import { threadLimit } from '../../src/engine/threads.js';
import { systemClock } from '../../src/ports.js';
import { MESSAGE_BOX, openDashboard, PROGRAM, quit, send } from './dashboard.js';
import { typeKeys } from './measure-keys.js';
import { median, percentile, type Line } from './report.js';

declare const PROJECT_ROOT: string;

const NAME = 'embedded engine';
const SERVER = path.join(PROJECT_ROOT, 'scripts', 'real-server');
const ANSWER_TOKENS = 96;
const CONTEXT = 2048;
const NEVER = new AbortController().signal;

/** What one request took, in ms. */
interface Taken {
  readonly promptMs: number;
  readonly tokenMs: number;
}

/** The embedded engine against llama.cpp's own server: the same model, prompts and threads, in turns; then keys while it calculates. */
export async function measureEngine(quick: boolean): Promise<readonly Line[]> {
  const { engine } = filesOf(directoriesOf(process.env));
  if (!installedEngine(engine))
    return [{ name: NAME, reason: 'it is not installed here: lmapp engine install' }];
  const install = spawnSync(SERVER, ['--install'], { encoding: 'utf8' });
  if (install.status !== 0)
    return [
      { name: NAME, reason: install.stderr.trim().split('\n').at(-1) ?? 'there is no real server here' },
    ];
  const file = install.stdout.trim();
  return [
    ...(await against(engine, file, quick ? 3 : 9)),
    ...(await keysWhileItCalculates(engine, file, quick)),
  ];
}

async function against(directory: string, file: string, rounds: number): Promise<readonly Line[]> {
  const { backend, model } = await ownEngine(directory, file);
  const server = await startServer();
  const own: Taken[] = [];
  const theirs: Taken[] = [];
  try {
    // The first one of each loads and warms up.
    for (let round = 0; round <= rounds; round++) {
      const mine = await askEngine(backend, model, promptOf(round));
      const other = await askServer(server.url, promptOf(round));
      if (round === 0) continue;
      own.push(mine);
      theirs.push(other);
    }
  } finally {
    server.child.kill('SIGKILL');
    backend.close();
  }
  const line = (name: string, of: (taken: Taken) => number): Line => ({
    name: `${NAME}: ${name}`,
    value: median(own.map(of)),
    unit: 'ms',
    base: { name: "llama.cpp's server", value: median(theirs.map(of)) },
    atMost: 1.15,
    note: `median of ${rounds}`,
  });
  return [
    line('a prompt of some 800 tokens', (t) => t.promptMs),
    line('a token of the answer', (t) => t.tokenMs),
  ];
}

async function ownEngine(directory: string, file: string): Promise<{ backend: Backend; model: Model }> {
  const paths = [path.dirname(file)];
  const home = path.join(PROJECT_ROOT, 'node_modules', '.cache', 'lmapp-bench-engine');
  const ports = {
    clock: systemClock,
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
    platform: process.platform,
  };
  const files = {
    engine: directory,
    modelFiles: path.join(home, 'models'),
    modelHeaders: path.join(home, 'headers.json'),
  };
  const local = openLocalSource({ ports, files, paths, silenceS: 0 });
  // The child lies beside the built program, not beside this one.
  const source = openEmbeddedSource({
    directory,
    childPath: path.join(path.dirname(PROGRAM), ENGINE_CHILD),
    env: ports.env,
    clock: systemClock,
    files: local.files,
    pulls: () => local.pulls(),
    onLog: () => undefined,
  });
  const backend = embedded.create({ url: '', key: null }, { ...systemClock, embedded: source });
  const model = (await backend.models(NEVER)).find(({ name }) => /smollm2/i.test(name));
  if (!model) throw new Error(`no model in ${paths[0] ?? ''}`);
  return { backend, model };
}

async function askEngine(backend: Backend, model: Model, prompt: string): Promise<Taken> {
  const abort = new AbortController();
  const stream = backend.chat(
    {
      model,
      messages: [{ role: 'user', content: prompt }],
      keepAlive: '',
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
      contextTokens: CONTEXT,
    },
    abort.signal,
  );
  let begun = performance.now();
  let first: number | null = null;
  let last = begun;
  let tokens = 0;
  for await (const event of stream) {
    // The first prefill says that it is loaded, and nothing is read yet.
    if (event.type === 'prefill' && event.progress.processed === event.progress.cached)
      begun = performance.now();
    if (event.type !== 'text') continue;
    last = performance.now();
    first ??= last;
    tokens += event.pieces ?? 1;
    if (tokens > ANSWER_TOKENS) abort.abort();
  }
  if (first === null || tokens < 2) throw new Error('the engine did not answer');
  return { promptMs: first - begun, tokenMs: (last - first) / (tokens - 1) };
}

async function startServer(): Promise<{ url: string; child: ChildProcess }> {
  const args = [
    '--port',
    '0',
    '--ctx',
    String(CONTEXT),
    '--slots',
    '1',
    '--threads',
    String(threadLimit() ?? 0),
  ];
  const child = spawn(SERVER, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const address = /listening (\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`the real server ended with ${code}`)));
  });
  return { url, child };
}

async function askServer(url: string, prompt: string): Promise<Taken> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      messages: [{ role: 'user', content: prompt }],
      max_tokens: ANSWER_TOKENS,
      ignore_eos: true,
      cache_prompt: false,
    }),
  });
  const { timings } = (await response.json()) as {
    readonly timings: { readonly prompt_ms: number; readonly predicted_per_token_ms: number };
  };
  return { promptMs: timings.prompt_ms, tokenMs: timings.predicted_per_token_ms };
}

/** Another beginning each time, so that nothing of the one before can be used again. */
function promptOf(round: number): string {
  const line = `Round ${round}: the keeper wrote into his book what the sea had brought that day, and what it took. `;
  return `${line.repeat(30)}Write a very long story about it.`;
}

async function keysWhileItCalculates(
  directory: string,
  file: string,
  quick: boolean,
): Promise<readonly Line[]> {
  const home = makeHome();
  const place = path.join(home.folder, 'data', 'lmapp');
  fs.mkdirSync(place, { recursive: true });
  fs.symlinkSync(directory, path.join(place, 'engine'));
  home.configure({ discovery: false, models: { paths: [path.dirname(file)] } });
  const session = openDashboard(home, []);
  try {
    await session.until(MESSAGE_BOX);
    await session.until(/smollm2.*this machine/i, 20_000);
    await send(session, 'Write a very long story about the sea and its ships.');
    await session.until(/▶ answer/, 20_000);
    const { samples, lost } = await typeKeys(session, quick ? 16 : 32);
    const busy = /▶ answer|Esc stop/.test(session.text());
    const name = 'key to screen while the engine has all cores';
    return [
      {
        name: `${name}, p95`,
        value: percentile(samples, 0.95),
        unit: 'ms',
        base: null,
        atMost: 40,
        ...(busy ? {} : { note: 'the answer had ended before the last key' }),
      },
      { name: `${name}, keys lost`, value: lost, unit: 'keys', base: null, atMost: 0 },
    ];
  } finally {
    await quit(session);
    home.remove();
  }
}
