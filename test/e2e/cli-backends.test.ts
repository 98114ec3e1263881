import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { json, RawServer, status, type RawReply } from '../support/raw-server.js';
import { runLmapp } from '../support/run-lmapp.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const KEY = 'sk-a-very-secret-key-1234';
/** Nothing listens at it, and nobody may without being root. */
const AWAY = 'http://127.0.0.1:9';

let home: Home;
let ollama: ScriptedServer;
const raws: RawServer[] = [];
beforeEach(async () => {
  home = makeHome();
  ollama = await startScriptedServer({ kind: 'ollama' });
});
afterEach(async () => {
  await ollama.close();
  for (const server of raws.splice(0)) await server.stop();
  home.remove();
});

const file = (): string => path.join(home.folder, 'config', 'lmapp', 'config.json');
const configured = (): unknown => JSON.parse(fs.readFileSync(file(), 'utf8'));
const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runLmapp(['backends', ...words], { env: { ...home.env, LMAPP_DISCOVERY: 'false', ...env } });

/** Answers its list to those who have the key; others get `refusal`. */
async function locked(refusal?: RawReply): Promise<RawServer> {
  const server = await RawServer.start();
  raws.push(server);
  return server.reply('/v1/models', (socket, request) => {
    const good = request.headers.get('authorization') === `Bearer ${KEY}`;
    const list = json({ object: 'list', data: [{ id: 'locked', object: 'model', owned_by: 'me' }] });
    return (good ? list : (refusal ?? json({ error: { message: 'no' } }, 401)))(socket, request);
  });
}

describe('lmapp backends list', () => {
  it('shows kind, address, state, version, models and where each comes from; causes on standard error', async () => {
    home.configure({ backends: [{ url: AWAY }] });
    const { code, stdout, stderr } = await run(['list', '--url', ollama.url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ollama +${ollama.url} +ready +0\\.\\S+ +1 model +flag$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^server +${AWAY} +away +— +— +configuration$`, 'm'));
    expect(stderr).toBe(`${AWAY}: Nothing listens at ${AWAY}. Start the server or check the address.\n`);
  });

  it('a variable that is not set holds up no other server, and a configured one that is named by its address has its key', async () => {
    const server = await locked();
    home.configure({
      backends: [
        { url: 'http://127.0.0.1:9', key: '${NO_SUCH_KEY}' },
        { url: server.url, key: KEY },
      ],
    });
    const env = { ...home.env, LMAPP_DISCOVERY: 'false' };
    for (const words of [[], ['--url', server.url], ['--server', server.url]]) {
      const listed = await runLmapp(['models', ...words], { env });
      expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('locked')]);
    }
    const { stderr } = await runLmapp(['models'], { env });
    expect(stderr).toMatch(
      /is to come from NO_SUCH_KEY, which is not set\. Set it with: export NO_SUCH_KEY=/,
    );
    expect((await run(['list', '--url', server.url])).stdout).toMatch(/ ready .* flag$/m);
  });

  it('asks a dozen servers at once without a word from Node', async () => {
    const servers = await Promise.all(Array.from({ length: 12 }, () => locked()));
    home.configure({ backends: servers.map(({ url }) => ({ url, key: KEY })) });
    const { stdout, stderr } = await run(['list']);
    expect(stdout.match(/ ready /g)).toHaveLength(12);
    expect(stderr).toBe('');
  });

  it('is what lmapp backends does, and prints JSON with reason and next step', async () => {
    home.configure({ backends: [{ url: AWAY }] });
    const env = { OLLAMA_HOST: `127.0.0.1:${ollama.port}` };
    const { code, stdout, stderr } = await run(['--json'], env);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual([
      {
        kind: null,
        url: AWAY,
        state: 'away',
        version: null,
        models: null,
        origin: 'configuration',
        reason: `Nothing listens at ${AWAY}.`,
        nextStep: 'Start the server or check the address.',
      },
      expect.objectContaining({
        kind: 'ollama',
        state: 'ready',
        models: 1,
        origin: 'environment',
        reason: null,
      }),
    ]);
  });

  it('shows a server whose key cannot be had beside the others', async () => {
    home.configure({ backends: [{ url: AWAY, key: '${NO_SUCH_KEY}' }, { url: ollama.url }] });
    const { code, stdout, stderr } = await run(['list']);
    expect([code, stdout.split('\n').length]).toEqual([0, 3]);
    expect(stderr).toContain(
      'is to come from NO_SUCH_KEY, which is not set. Set it with: export NO_SUCH_KEY=',
    );
  });

  it('says what to do when there is none', async () => {
    const { code, stdout, stderr } = await run(['list']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('lmapp backends add ADDRESS');
  });
});

describe('lmapp backends check', () => {
  it('ends with 0 when all that were named answer, else with 1, cause and next step', async () => {
    home.configure({ backends: [{ url: ollama.url }] });
    expect(await run(['check'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ok {3}ollama 0\.\S+ at http\S+, 1 model\n$/) as unknown,
      stderr: '',
    });
    const { code, stdout, stderr } = await run(['check', ollama.url, AWAY]);
    expect(code).toBe(1);
    expect(stdout).toContain(`bad  server at ${AWAY}`);
    expect(stderr).toContain(`${AWAY}: Nothing listens`);
    expect((await run(['check', 'http://me@x'])).code).toBe(2);
  });

  it('uses the key of the configuration for an address that stands there, however it is written', async () => {
    const server = await locked();
    home.configure({ backends: [{ url: `${server.url}/v1/`, key: '${MY_KEY}' }] });
    const good = await run(['check', `127.0.0.1:${server.port}`], { MY_KEY: KEY });
    expect([good.code, good.stderr]).toEqual([0, '']);
    const bad = await run(['check', server.url], { MY_KEY: 'another-key' });
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('key');
    expect(bad.stderr).not.toContain('another-key');
  });

  it('ends with 1 when there is none to be asked', async () => {
    expect((await run(['check'])).code).toBe(1);
  });
});

describe('lmapp backends add', () => {
  it('tells who it is and keeps it; a second time takes the place of the first', async () => {
    const first = await run(['add', `127.0.0.1:${ollama.port}`]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^ollama 0\.\S+ at http\S+, 1 model: added in .*config\.json\n$/);
    expect(configured()).toEqual({ backends: [{ url: ollama.url }] });
    const second = await run(['add', ollama.url, '--kind', 'ollama', '--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({ url: ollama.url, kind: 'ollama', replaced: true });
    expect(configured()).toEqual({ backends: [{ kind: 'ollama', url: ollama.url }] });
  });

  it.each([
    [['add', 'ftp://x'], 'ftp://', 'Examples'],
    [['add', 'http://me:pass-word@host'], 'a user or a password', 'as the key of the server'],
    [['add', 'host:0'], 'from 1 to 65535', 'Examples'],
    [['add', 'host', '--kind', 'foo'], 'foo is not a known kind', 'ollama'],
    [['add', 'mock+http://host'], 'mock is not a known kind', 'ollama'],
    [['add'], 'which server?', 'lmapp backends add ADDRESS'],
    [['add', 'a', 'b'], 'one server at a time', 'lmapp backends add ADDRESS'],
    [['add', 'a', '--key', KEY, '--key-env', 'B'], '--key or --key-env', ''],
    [['add', 'a', '--key-env', 'sk-1234'], 'not the name of a variable', '--key-env EXAMPLE_KEY'],
    [['lst'], 'lst is not a known command', 'Did you mean list?'],
  ])('refuses %j with code 2, the place and the way on', async (words, message, hint) => {
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/pass-word|very-secret/);
    expect(fs.existsSync(file())).toBe(false);
  });

  it('keeps none that is away, except by force', async () => {
    const { code, stderr } = await run(['add', AWAY]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${AWAY} was not added: Nothing listens`);
    expect(stderr).toMatch(/^Start the server or check the address\.\nTo keep it all the same: --force$/m);
    expect(fs.existsSync(file())).toBe(false);
    expect((await run(['add', AWAY, '--force'])).code).toBe(0);
    expect(configured()).toEqual({ backends: [{ url: AWAY }] });
  });

  it('takes a key by the name of its variable, or itself with a warning, and shows none', async () => {
    const server = await locked();
    const without = await run(['add', server.url]);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('--key-env NAME');
    expect(await run(['add', server.url, '--key-env', 'MY_KEY'], { MY_KEY: KEY })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(configured()).toEqual({ backends: [{ url: server.url, key: '${MY_KEY}' }] });
    const unset = await run(['add', server.url, '--key-env', 'NO_SUCH_KEY']);
    expect(unset.code).toBe(1);
    expect(unset.stderr).toContain('export NO_SUCH_KEY=');
    const typed = await run(['add', server.url, '--key', KEY]);
    expect(typed.code).toBe(0);
    expect(typed.stderr).toContain('--key-env NAME');
    expect(typed.stdout + typed.stderr).not.toContain('secret');
    expect(configured()).toEqual({ backends: [{ url: server.url, key: KEY }] });
    // Only the user may read it.
    expect(fs.statSync(file()).mode & 0o077).toBe(0);
  });

  it('never writes over a broken configuration', async () => {
    fs.mkdirSync(path.dirname(file()), { recursive: true });
    fs.writeFileSync(file(), '{ "fps": 3, }');
    const { code, stderr } = await run(['add', ollama.url]);
    expect(code).toBe(2);
    expect(stderr).toContain('config.json:1:');
    expect(fs.readFileSync(file(), 'utf8')).toBe('{ "fps": 3, }');
  });
});

describe('lmapp backends remove', () => {
  it('takes out the address, however it is written, and leaves the others as they are', async () => {
    home.configure({ theme: 'light', backends: [{ url: 'gpu-box', key: '${K}' }, { url: `${AWAY}/v1` }] });
    expect(await run(['remove', '127.0.0.1:9'])).toMatchObject({
      code: 0,
      stdout: `${AWAY} was removed from ${file()}\n`,
    });
    expect(configured()).toEqual({ theme: 'light', backends: [{ url: 'gpu-box', key: '${K}' }] });
    const again = await run(['remove', AWAY]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('There is gpu-box.');
    await run(['remove', 'gpu-box']);
    expect(configured()).toEqual({ theme: 'light' });
  });
});

describe('a server that tells the key to everybody', () => {
  const REFUSALS: readonly (readonly [string, RawReply])[] = [
    ['in its error', json({ error: { message: `Invalid token ${KEY}` } }, 400)],
    ['in a page', status(502, `<html><h1>Bad Authorization: Bearer ${KEY}</h1></html>`)],
    ['in the target of a redirect', status(302, '', { Location: `http://other.example/${KEY}?k=${KEY}` })],
    ['as its hash', json({ error: { message: `Key Hash (Token) =${'0a'.repeat(32)} unknown` } }, 403)],
  ];
  it.each(REFUSALS)('%s is not repeated', async (_where, refusal) => {
    const server = await RawServer.start();
    raws.push(server);
    server.reply('/v1/models', refusal);
    home.configure({ backends: [{ url: server.url, key: KEY }] });
    for (const words of [['list'], ['list', '--json'], ['check', '--debug']]) {
      const { stdout, stderr } = await run(words);
      expect(stdout + stderr).not.toMatch(/very-secret|(?:0a){8}/);
      // There is a reason all the same.
      expect(stdout + stderr).toContain(server.url);
    }
    const log = path.join(home.folder, 'state', 'lmapp', 'lmapp.log');
    expect(fs.readFileSync(log, 'utf8')).not.toContain('very-secret');
    expect((await runLmapp(['config', '--show'], { env: home.env })).stdout).not.toContain('very-secret');
  });
});
