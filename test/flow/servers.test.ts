import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import {
  closeDashboards,
  startDashboard,
  type DashboardOptions,
  type TestDashboard,
} from '../support/dashboard.js';
import { makeHome } from '../support/home.js';
import {
  PLAIN_MODEL,
  startScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../support/scripted-server.js';

const named = (name: string, change: Partial<typeof PLAIN_MODEL> = {}): typeof PLAIN_MODEL => ({
  ...PLAIN_MODEL,
  name,
  digest: Buffer.from(name.padEnd(32, '.')).toString('hex'),
  ...change,
});
const UNLOADED = named('other:7b', { loaded: null });
const HUGE = named('huge:405b', { loaded: null, sizeBytes: 912_000_000_000_000 });
const EMBED = named('embed:latest', { loaded: null, capabilities: ['embedding'], family: 'nomic-bert' });

const servers: ScriptedServer[] = [];
async function serve(options: Partial<ScriptedServerOptions> = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer({ kind: 'ollama', ...options });
  servers.push(server);
  return server;
}
async function open(server: ScriptedServer, options: DashboardOptions = {}): Promise<TestDashboard> {
  const at = await startDashboard({ urls: [server.url], ...options });
  await at.sees('· ollama');
  return at;
}
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
});
const answering = (at: TestDashboard): Promise<void> =>
  at.sees(() => /answer/.test(at.phaseBar()) && /Esc stop/.test(at.phaseBar()));

/** Tab goes from the message box over the transcript to the models. */
const TO_MODELS = '\t\t';

describe('models', () => {
  it('are loaded with l and unloaded with u, with the time that they stay', async () => {
    const server = await serve({ models: [PLAIN_MODEL, UNLOADED] });
    const at = await open(server);
    await at.sees(/ {2}other:7b +1\.3 GB +(fits|tight|-)/);
    at.type(`${TO_MODELS}G`);
    at.type('l');
    await at.sees(/● other:7b +1\.3 GB +4m 5\ds/);
    at.type('l');
    await at.sees('other:7b is loaded already');
    at.type('u');
    await at.sees(/ {2}other:7b +1\.3 GB +(fits|tight|-)/);
    at.type('u');
    await at.sees('other:7b is not loaded');
  });

  it('that cannot chat are marked and cannot be used', async () => {
    const at = await open(await serve({ models: [EMBED, PLAIN_MODEL] }));
    await at.sees(/embed +1\.3 GB +embed/);
    expect(at.line(0)).toContain('scripted:1b');
    at.type(`${TO_MODELS}gj\r`);
    await at.sees('embed is not a chat model');
    expect(at.line(0)).toContain('scripted:1b');
  });

  it('larger than the free memory are marked, and loading one asks first with both figures', async () => {
    const server = await serve({ models: [PLAIN_MODEL, HUGE] });
    const at = await open(server);
    await at.sees(/huge:405b +912 TB +-912 TB/);
    at.type(`${TO_MODELS}G`);
    at.type('l');
    await at.sees('More than the free memory');
    expect(at.screen()).toMatch(/huge:405b needs about 912 TB, free are \d+\.\d GB/);
    // Enter leaves it: the first choice never does anything that cannot be undone.
    at.type('\r');
    await at.misses('More than the free memory');
    expect(server.bodies.some((b) => /"messages":\[\]/.test(b))).toBe(false);
    at.type('l');
    await at.sees('More than the free memory');
    at.type('y');
    await at.sees(/● huge:405b/);
  });

  it('larger than the free memory: a message to one asks first, and comes back into the box when it is left', async () => {
    const server = await serve({ models: [PLAIN_MODEL, HUGE], script: { answer: ['from the huge one'] } });
    const at = await open(server, { settings: { model: 'huge:405b' } });
    await at.sees(/huge:405b +912 TB +-912 TB/);
    at.send('are you there?');
    await at.sees('More than the free memory');
    expect(server.answers).toHaveLength(0);
    at.type('n');
    await at.sees(() => at.line(at.rowOf('Message') + 1).includes('are you there?'));
    at.type('\r');
    await at.sees('More than the free memory');
    at.type('y');
    await at.sees('from the huge one');
  });

  it('case 88: models that come and go are told once, and a chosen one that is gone is replaced by its neighbour', async () => {
    const server = await serve({ models: [PLAIN_MODEL] });
    const at = await open(server);
    await at.sees('● scripted:1b');
    server.offer([PLAIN_MODEL, UNLOADED]);
    at.type('\x1b[15~');
    await at.sees('ollama: new other:7b');
    await at.sees('fits');
    server.offer([UNLOADED]);
    at.type('\x1b[15~');
    await at.sees('ollama: scripted:1b gone');
    await at.sees(() => at.line(0).includes('other:7b'));
    at.clock.skip(30_000);
    await at.misses('scripted:1b gone');
    at.type('\x1b[15~');
    await at.sees('asking all servers anew');
    expect(at.screen()).not.toContain('scripted:1b gone');
  });

  it('of the last run are shown at once, dimmed until the server has confirmed them', async () => {
    const server = await serve({ models: [PLAIN_MODEL, UNLOADED] });
    const home = makeHome();
    const first = await open(server, { home });
    await first.sees('other:7b');
    await first.quit();
    const { port } = server;
    await server.close();
    servers.splice(0);
    const at = await startDashboard({
      settings: { backends: [{ url: `http://127.0.0.1:${port}`, kind: 'ollama' }] },
      home,
    });
    await at.sees('other:7b');
    await at.sees('not running');
    const dimmed = at.cellOf('other:7b')?.getFgColor();
    await serve({ port, models: [PLAIN_MODEL, UNLOADED] });
    at.clock.skip(3000);
    await at.sees(/● scripted:1b/);
    expect(at.cellOf('other:7b')?.getFgColor()).not.toBe(dimmed);
    await at.close();
    home.remove();
  });

  it('that are asked for at start and exist are chosen without a word', async () => {
    const server = await serve({ models: [PLAIN_MODEL, UNLOADED] });
    const at = await open(server, { settings: { model: 'other:7b' } });
    await at.sees(() => at.line(0).includes('other:7b'));
    await at.sees(() => server.requests.filter((r) => r === 'GET /api/tags').length > 0);
    expect(at.screen()).not.toContain('no server has');
  });

  it('that no server has are told at start, with the nearest names', async () => {
    const at = await open(await serve({ models: [PLAIN_MODEL, UNLOADED] }), {
      settings: { model: 'scriptd:1b' },
    });
    await at.sees('no server has the model scriptd:1b');
    expect(at.screen()).toContain('Did you mean scripted:1b?');
    expect(at.line(0)).toContain('scripted:1b');
  });

  it('are preloaded once when that is configured', async () => {
    const server = await serve({ models: [UNLOADED] });
    const at = await open(server, { settings: { preload: true } });
    await at.sees('● other:7b');
    expect(server.bodies.filter((b) => /"messages":\[\]/.test(b))).toHaveLength(1);
  });
});

describe('several servers', () => {
  it('are all in the tree in the order in which they were named, and the picker goes over all of them', async () => {
    const [one, two] = [await serve({ models: [UNLOADED] }), await serve({ kind: 'llama.cpp' })];
    const at = await startDashboard({ urls: [two.url, one.url] });
    await at.sees('other:7b');
    await at.sees(/● scripted:1b/);
    expect(at.rowOf('llama.cpp  127.0.0.1')).toBeLessThan(at.rowOf('ollama  127.0.0.1'));
    expect(at.line(0)).toContain('scripted:1b · llama.cpp');
    at.type('\x0f');
    await at.sees('chosen');
    at.type('other\r');
    await at.sees('other:7b · ollama');
  });

  it('that are no model servers are told with what is wrong and the next step', async () => {
    const at = await startDashboard({ urls: ['http://127.0.0.1:9'] });
    await at.sees('not running');
    await at.sees('No server answers');
    expect(at.screen()).toMatch(/Up and Down choose, Enter takes/);
  });
});

describe('no server', () => {
  it('leads to ways on; Up and Enter try the mock, which answers', async () => {
    const at = await startDashboard();
    await at.sees('No server found on this machine.');
    expect(at.screen()).toContain('look for servers again');
    at.type('\x1b[A\x1b[A\r');
    await at.sees('mock (no model) · mock');
    at.send('hello');
    await at.sees('This is the mock');
  });

  it('still takes a message into the box, and says the next step when it is sent', async () => {
    const at = await startDashboard();
    await at.sees('No server found');
    at.send('hello');
    await at.sees('no model to ask');
    expect(at.screen()).toContain('│ hello');
  });
});

describe('a server that fails', () => {
  it('dies in mid-answer: the text is kept, the message says the next step, and the server comes back by itself', async () => {
    const server = await serve({ script: { answer: 500, tokensPerSecond: 200 } });
    const at = await open(server);
    at.send('tell me');
    await answering(at);
    await at.sees(() => (server.answers.at(-1)?.pieces ?? 0) > 20);
    await server.close();
    servers.splice(0);
    await at.sees(/broken: /);
    expect(at.screen()).toContain('parser');
    expect(at.phaseBar()).toContain('broken');
    await at.sees('not running');
    const asked = server.answers.length;
    expect(asked).toBe(1);
    const back = await serve({ port: server.port, script: { answer: ['alive again'] } });
    at.clock.skip(3000);
    await at.sees('ollama is back');
    expect(at.screen()).not.toContain('is not running');
    // A chat request never goes out by itself.
    expect(back.answers).toHaveLength(0);
    at.type('\tr');
    await at.sees('alive again');
  });

  it.each([
    [
      'an error in the stream is failed',
      { failure: { kind: 'error', after: 12 } },
      /failed: .*model runner has unexpectedly stopped/,
    ],
    [
      'a stream without an end mark is incomplete',
      { failure: { kind: 'no-end', after: 12 } },
      /the stream ended without an end mark/,
    ],
    ['a cut socket is broken', { failure: { kind: 'cut', after: 12 } }, /broken: /],
  ] as const)('%s, with the text so far', async (_title, failure, told) => {
    const at = await open(await serve({ script: { answer: 40, ...failure } }));
    at.send('tell me');
    await at.sees(told);
    expect(at.screen()).toContain('parser');
  });

  it('a full context is announced with its figures in the header and under the answer', async () => {
    const error = {
      code: 400,
      message: 'request (5010 tokens) exceeds the available context size (2048 tokens), try increasing it',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 5010,
      n_ctx: 2048,
    };
    const at = await open(
      await serve({ script: { refusal: { status: 400, body: { error: JSON.stringify({ error }) } } } }),
    );
    at.send('a very long one');
    await at.sees(/failed: .*5,?010/);
    expect(at.line(0)).toMatch(/context full: 5,010 of 2,048 tokens/);
  });

  it.each([
    [404, { error: "model 'scripted:1b' not found" }, /failed: .*scripted:1b/],
    [500, { error: 'model requires more system memory (8.1 GiB) than is available (1.2 GiB)' }, /memory/],
    [503, { error: 'server busy, please try again. maximum pending requests exceeded' }, /busy/],
  ])('status %i is failed with its reason and a next step', async (status, body, told) => {
    const at = await open(await serve({ script: { refusal: { status, body } } }));
    at.send('hello');
    await at.sees('failed: ');
    expect(at.screen()).toMatch(told);
    expect(
      at
        .line(at.rowOf('failed: ') + 1)
        .slice(40)
        .replace(/[│ ]/g, ''),
    ).not.toBe('');
  });
});

describe('what models say', () => {
  it('never reaches the terminal as anything but text', async () => {
    const hostile = [
      '\x1b]52;c;aGFjaw==\x07',
      '\x1b[2J\x1b[H',
      '\x9b31m',
      '\x1b',
      '[?1049l',
      '\u202eevil',
      '\x1bPq\x1b\\',
      '\r\x07ok\x00',
      ' safe end',
    ];
    const at = await open(await serve({ script: { answer: hostile } }));
    const before = at.written.length;
    at.send('go');
    await at.sees('safe end');
    expect(at.written.slice(before)).not.toMatch(/\x1b\]52|\x1b\[2J|\x9b|\x1b\[\?1049l|\u202e|\x1bP|\x07/);
    expect(at.line(0)).toContain('scripted:1b');
    // It is cleaned at the door: what is kept, and could be copied, is clean too.
    await at.quit();
    const kept = fs
      .readdirSync(at.home.chats)
      .map((name) => fs.readFileSync(path.join(at.home.chats, name), 'utf8'));
    expect(kept.join('')).toContain('safe end');
    expect(kept.join('')).not.toMatch(/\\u001b|\\u0007|\x9b|\u202e/);
  });
});

describe('the configuration', () => {
  it('that is wrong is told, and the dashboard starts all the same', async () => {
    const at = await open(await serve(), {
      problems: ['config.json: theme is "pink"; allowed are dark and light'],
      settings: { keys: { 'chat.nwe': ['f2'] } },
    });
    await at.sees('theme is "pink"');
    await at.sees('keys.chat.nwe: no such command; did you mean chat.new');
    expect(fs.existsSync(at.home.folder)).toBe(true);
  });
});
