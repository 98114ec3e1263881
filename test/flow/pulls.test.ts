import { afterEach, describe, expect, it } from '@jest/globals';
import {
  closeDashboards,
  startDashboard,
  type DashboardOptions,
  type TestDashboard,
} from '../support/dashboard.js';
import {
  PLAIN_MODEL,
  startScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../support/scripted-server.js';

const UNLOADED = { ...PLAIN_MODEL, name: 'other:7b', digest: 'b'.repeat(64), loaded: null };
/** Tab goes from the message box over the transcript to the models. */
const TO_MODELS = '\t\t';
const CTRL_C = '\x03';

const servers: ScriptedServer[] = [];
async function serve(options: Partial<ScriptedServerOptions> = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer({ kind: 'ollama', models: [PLAIN_MODEL, UNLOADED], ...options });
  servers.push(server);
  return server;
}
async function open(server: ScriptedServer, options: DashboardOptions = {}): Promise<TestDashboard> {
  const at = await startDashboard({ urls: [server.url], ...options });
  await at.sees('· ollama');
  at.type(TO_MODELS);
  return at;
}
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
});

describe.each([
  [120, 40],
  [80, 24],
])('a pull at %ix%i', (columns, rows) => {
  it('is typed after p, has a bar under its server, is stopped with x, and goes on with Enter', async () => {
    const server = await serve();
    server.playPull({ steps: 400, stepMs: 20 });
    const at = await open(server, { columns, rows });
    at.type('p');
    await at.sees('Pull a model');
    expect(at.screen()).toContain('hf.co/USER/REPOSITORY');
    // Without a name Enter does nothing.
    at.type('\r');
    at.type('new:1b');
    await at.sees(/Name +new:1b/);
    expect(at.cursor().visible).toBe(true);
    at.type('\r');
    await at.sees(/↓ new:1b +\d+ %/);
    await at.sees(/▕[█▏▎▍▌▋▊▉ ]+▏ .*[MG]B\/s/);
    expect(at.screen()).not.toContain('Pull a model');
    at.type('x');
    await at.sees(/↓ new:1b +stopped \d+ %/);
    await at.sees(() => server.pulls[0]?.closedByClient === true);
    expect(at.screen()).toContain('The server keeps what came so far');
    server.playPull({});
    at.type('\r');
    await at.sees('new:1b is pulled, 1.3 GB in');
    expect(server.pulls[1]?.from).toBeGreaterThan(0);
    await at.sees(/ {2}new:1b +.*1\.3 GB +(fits|tight|-)/);
    expect(at.screen()).not.toContain('ollama: new new:1b');
  });
});

describe('pulls', () => {
  it('run two at a time; i tells the layers of one', async () => {
    const server = await serve();
    server.playPull({ steps: 400, stepMs: 20 });
    const at = await open(server);
    for (const name of ['one', 'two', 'three']) {
      at.type('p');
      await at.sees('Pull a model');
      at.type(`${name}\r`);
      await at.misses('Pull a model');
    }
    await at.sees(/↓ three +waits/);
    expect(server.pulls.map(({ name }) => name)).toEqual(['one', 'two']);
    at.type('kki');
    await at.sees(/pull of +one/);
    await at.sees(/layer [0-9a-f]{12} +\d+ % of 1\.3 GB/);
    at.type('\x1b');
    await at.misses(/pull of +one/);
    at.type('x');
    await at.sees(() => server.pulls.some(({ name }) => name === 'three'));
  });

  it('say what the server says of a name that does not exist, and leave no row', async () => {
    const server = await serve();
    server.playPull({ failure: { kind: 'error' } });
    const at = await open(server);
    at.type('p');
    await at.sees('Pull a model');
    at.type('nosuch\r');
    await at.sees(/could not pull nosuch: /);
    expect(at.screen()).not.toContain('↓ nosuch');
  });

  it('that break off stay, and can go on', async () => {
    const server = await serve();
    server.playPull({ failure: { kind: 'cut' } });
    const at = await open(server);
    at.type('p');
    await at.sees('Pull a model');
    at.type('big\r');
    await at.sees(/↓ big +failed \d+ %/);
    server.playPull({});
    at.type('\r');
    await at.sees('big is pulled');
  });

  it('stop with the dashboard, which says so before; their sockets are closed', async () => {
    const server = await serve();
    server.playPull({ steps: 400, stepMs: 20 });
    const at = await open(server);
    at.type('p');
    await at.sees('Pull a model');
    at.type('big\r');
    await at.sees(/↓ big +\d+ %/);
    at.type(CTRL_C);
    await at.sees('Pulls stop with lmapp');
    at.type(CTRL_C);
    expect(await at.exited).toBe(0);
    await at.sees(() => server.pulls[0]?.closedByClient === true);
  });

  it('are not offered by a server that cannot; it says what to do instead', async () => {
    const at = await startDashboard({ urls: [(await serve({ kind: 'llama.cpp' })).url] });
    await at.sees('· llama.cpp');
    at.type(`${TO_MODELS}p`);
    await at.sees('llama.cpp fetches no models by itself');
    expect(at.screen()).toContain('llama-server -hf');
  });
});

describe('a model', () => {
  it('is deleted with x after a question with its size and server', async () => {
    const server = await serve();
    const at = await open(server);
    at.type('Gx');
    await at.sees(`Delete other:7b (1.3 GB) from ollama ${server.url}?`);
    at.type('\r');
    await at.misses('Delete other:7b');
    expect(server.requests).not.toContain('DELETE /api/delete');
    at.type('xy');
    await at.sees('other:7b is deleted');
    await at.misses(/ {2}other:7b +1\.3 GB/);
    expect(at.screen()).not.toContain('other:7b gone');
  });

  it('is pinned with P and stays until u', async () => {
    const at = await open(await serve());
    at.type('GP');
    await at.sees(/● other:7b +1\.3 GB +stays/);
    at.type('P');
    await at.sees('other:7b stays loaded already');
    at.type('u');
    await at.sees(/ {2}other:7b +1\.3 GB +(fits|tight|-)/);
  });

  it('has details that are asked for once, and then there at once', async () => {
    const server = await serve();
    const at = await open(server);
    const asked = (): number => server.requests.filter((request) => request === 'POST /api/show').length;
    const before = asked();
    at.type('Gi');
    await at.sees(/num_ctx +8192/);
    expect(asked()).toBe(before + 1);
    at.type('\x1b');
    await at.misses('num_ctx');
    at.type('i');
    await at.sees(/num_ctx +8192/);
    expect(asked()).toBe(before + 1);
  });

  it('of the menu is pulled, pinned and deleted, too', async () => {
    const at = await open(await serve());
    for (const [words, does] of [
      ['pull a model', /pull a model by its name/],
      ['pin', /pin: load it and keep it/],
      ['delete the', /delete the model/],
    ] as const) {
      at.type('\x10');
      await at.sees('Menu');
      at.type(words);
      await at.sees(does);
      at.type('\x1b');
      await at.misses('Menu');
    }
  });
});
