import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { closeDashboards, startDashboard, type DashboardOptions } from '../support/dashboard.js';
import { makeHome, type Home } from '../support/home.js';
import { hang, json, RawServer, status } from '../support/raw-server.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const KEY = 'sk-a-very-secret-key-1234';

const homes: Home[] = [];
const raws: RawServer[] = [];
const servers: ScriptedServer[] = [];
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
  for (const server of raws.splice(0)) await server.stop();
  for (const home of homes.splice(0)) home.remove();
});

function atHome(): { home: Home; file: string; configured: () => unknown } {
  const home = makeHome();
  homes.push(home);
  const file = path.join(home.folder, 'config', 'lmapp', 'config.json');
  return { home, file, configured: () => JSON.parse(fs.readFileSync(file, 'utf8')) as unknown };
}

async function scripted(): Promise<ScriptedServer> {
  const server = await startScriptedServer({ kind: 'ollama' });
  servers.push(server);
  return server;
}

/** A server of the OpenAI dialect that wants a key. */
async function locked(): Promise<RawServer> {
  const server = await RawServer.start();
  raws.push(server);
  server.reply('/v1/models', (socket, request) => {
    const good = request.headers.get('authorization') === `Bearer ${KEY}`;
    const answer = good
      ? json({ object: 'list', data: [{ id: 'locked-model', object: 'model', owned_by: 'me' }] })
      : json({ error: { message: 'Invalid API key', code: 401 } }, 401);
    return answer(socket, request);
  });
  return server;
}

/** Opens the form from the models pane. */
async function openForm(options: DashboardOptions) {
  const at = await startDashboard(options);
  await at.sees('No server found');
  at.type('\t\ta');
  await at.sees('Add a server');
  return at;
}

describe('a in the models pane', () => {
  it('asks the typed address who it is, keeps it, watches it at once and points at it', async () => {
    const server = await scripted();
    const { home, configured } = atHome();
    const at = await openForm({ home });
    expect(at.screen()).toContain('For example http://127.0.0.1:11434');
    at.type(`:${server.port}\r`);
    await at.sees(new RegExp(`ollama 0\\.\\S+ at http://127.0.0.1:${server.port}, 1 model`));
    expect(at.screen()).toContain('▸ keep it');
    at.type('\r');
    await at.sees('is kept in the configuration');
    await at.sees('● scripted:1b');
    // The kind is found out anew at every start: it was not named.
    expect(configured()).toEqual({ backends: [{ url: server.url }] });
    at.type('x');
    await at.sees('Remove a server');
    at.type('y');
    await at.sees(`${server.url} was removed`);
    await at.misses('scripted:1b');
    expect(configured()).toEqual({});
  });

  it('leaves who came from the message there: what is typed next is a message', async () => {
    const server = await scripted();
    const { home } = atHome();
    const at = await startDashboard({ home });
    await at.sees('No server found');
    // The offer of a model that runs here comes a moment later and stands before the others.
    await at.sees('get a small model');
    at.type('\x1b[B\x1b[B\r');
    await at.sees('Add a server');
    at.type(`:${server.port}\r`);
    await at.sees('▸ keep it');
    at.type('\r');
    await at.sees('● scripted:1b');
    at.type('lovely');
    await at.sees('│ lovely');
  });

  it('believes a kind that is named, and keeps it', async () => {
    const server = await scripted();
    const { home, configured } = atHome();
    const at = await openForm({ home });
    at.type(`ollama+${server.url}\r`);
    await at.sees('▸ keep it');
    at.type('\r');
    await at.sees('● scripted:1b');
    expect(configured()).toEqual({ backends: [{ kind: 'ollama', url: server.url }] });
  });

  it.each([
    ['ftp://host', 'begins with ftp://', 'Examples:'],
    ['http://me:secret@host', 'with a user or a password is not accepted', 'as the key of the server'],
    ['host:99999', 'is not a number from 1 to 65535', 'Examples:'],
    ['foo+http://host', 'foo is not a known kind of server', 'ollama'],
  ])('says what is wrong with the address %s, and lets it be corrected', async (address, problem, hint) => {
    const at = await openForm({});
    at.type(`${address}\r`);
    await at.sees(problem);
    expect(at.screen()).toContain(hint);
    at.type('x');
    await at.misses(problem);
  });

  it('can keep a server that is away: it is listed with its reason, and comes by itself', async () => {
    const { home, configured } = atHome();
    const server = await scripted();
    await server.close();
    servers.splice(0);
    const at = await openForm({ home });
    at.type(`${server.url}\r`);
    await at.sees('Nothing listens at');
    expect(at.screen()).toContain('▸ ask again');
    at.type('\x1b[B\r');
    await at.sees(/▾ server .*not running/);
    expect(configured()).toEqual({ backends: [{ url: server.url }] });
    at.type('i');
    await at.sees(/asked again +\d\d:\d\d:\d\d, F5 asks at once/);
    expect(at.screen()).toMatch(/comes from +the configuration/);
    expect(at.screen()).toMatch(/next step +Start the server/);
    at.type('\x1b');
    const back = await startScriptedServer({ kind: 'ollama', port: server.port });
    servers.push(back);
    // At once, and not when the back-off is over.
    at.type('\x1b[15~');
    await at.sees('● scripted:1b');
  });

  it('asks for a key when one is wanted: typed unseen, and asked again with it', async () => {
    const server = await locked();
    const { home, configured } = atHome();
    const record = path.join(home.folder, 'record.ndjson');
    const at = await openForm({ home, record });
    at.type(`${server.url}\r`);
    await at.sees('Better than the key itself is the name of a variable, as ${NAME}');
    at.type('wrong-key-xyz\r');
    await at.sees('▸ give it another key');
    expect(at.screen()).toContain('•••••••••••••');
    at.type('\r');
    await at.sees('Enter asks with it');
    at.type(`\x15${KEY}\r`);
    await at.sees(/openai at http\S+, 1 model/);
    at.type('\r');
    await at.sees('locked-model');
    expect(configured()).toEqual({ backends: [{ url: server.url, key: KEY }] });
    await at.quit();
    // Neither the terminal nor the record nor the log has seen it.
    const written = [at.written, fs.readFileSync(record, 'utf8')];
    const log = path.join(home.folder, 'state', 'lmapp', 'lmapp.log');
    if (fs.existsSync(log)) written.push(fs.readFileSync(log, 'utf8'));
    for (const text of written) expect(text).not.toMatch(/very-secret|wrong-key/);
    const edits = fs.readFileSync(record, 'utf8').match(/"type":"secret\.edited"/g) ?? [];
    expect(edits.length).toBeGreaterThan(0);
    expect(fs.readFileSync(record, 'utf8')).not.toContain('"text":"s"},"seq"');
  });

  it('takes a key from the environment by its name, which stands in the file', async () => {
    const server = await locked();
    const { home, configured } = atHome();
    const at = await openForm({ home, env: { MY_KEY: KEY } });
    at.type(`${server.url}\r`);
    await at.sees('as ${NAME}');
    at.type('${NO_SUCH_KEY}\r');
    await at.sees('is to come from NO_SUCH_KEY, which is');
    expect(at.screen()).toContain('export NO_SUCH_KEY=');
    at.type('\r');
    await at.sees('Enter asks with it');
    at.type('\x15${MY_KEY}');
    await at.sees('${MY_KEY}');
    at.type('\r');
    await at.sees('▸ keep it');
    at.type('\r');
    await at.sees('locked-model');
    expect(configured()).toEqual({ backends: [{ url: server.url, key: '${MY_KEY}' }] });
  });

  it('a key goes to the address for which it was typed, and to no other', async () => {
    const [first, second] = [await locked(), await locked()];
    const at = await openForm({});
    at.type(`${first.url}\r`);
    await at.sees('as ${NAME}');
    at.type(`${KEY}\r`);
    await at.sees('▸ keep it');
    at.type('\x1b');
    await at.sees('Enter asks who it is');
    at.type(`\x15${second.url}\r`);
    await at.sees('as ${NAME}');
    expect(at.screen()).not.toContain('•');
    expect(second.requests.some((r) => r.headers.has('authorization'))).toBe(false);
  });

  it('a kept server that --url names again is asked with its key', async () => {
    const server = await locked();
    const at = await startDashboard({
      urls: [server.url.replace('http://', '')],
      settings: { backends: [{ url: server.url, key: KEY }] },
    });
    await at.sees('locked-model');
    expect(at.screen()).not.toContain('needs a key');
  });

  it('never overwrites a broken configuration: it says so, and the server is used for this run', async () => {
    const server = await scripted();
    const { home, file } = atHome();
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '{ "fps": 3, }');
    const at = await openForm({ home });
    at.type(`${server.url}\r`);
    await at.sees('▸ keep it');
    at.type('\r');
    await at.sees('is used for this run, but was not kept');
    await at.sees('● scripted:1b');
    expect(fs.readFileSync(file, 'utf8')).toBe('{ "fps": 3, }');
    at.type('x');
    await at.sees('was named for this run');
  });

  it('tells an address that is in the list already, and goes there', async () => {
    const server = await scripted();
    const { home, configured } = atHome();
    home.configure({ backends: [{ url: server.url }] });
    const at = await startDashboard({ home, settings: { backends: [{ url: server.url }] } });
    await at.sees('● scripted:1b');
    at.type('\t\ta');
    at.type(`${server.url}/v1\r`);
    await at.sees('It stands in the configuration already');
    expect(at.screen()).toContain('▸ show it in the list');
    at.type('\r');
    await at.misses('Add a server');
    expect(configured()).toEqual({ backends: [{ url: server.url }] });
  });

  it('leaves a server that does not answer by Esc, and is not troubled by its late answer', async () => {
    const slow = await RawServer.start();
    raws.push(slow);
    slow.reply('/v1/models', hang);
    const at = await openForm({});
    at.type(`${slow.url}\r`);
    await at.sees('asking who it is');
    at.type('\x1b');
    await at.sees('Enter asks who it is');
    at.type('\x1b');
    await at.misses('Add a server');
  });

  it.each([
    ['a web page', status(200, '<!doctype html><html></html>', { 'Content-Type': 'text/html' }), 'web page'],
    ['something else', json({ hello: 1 }), 'There is no model server at'],
    // What a gateway wants more stands in its own words.
    [
      'a gateway that wants more',
      json({ status: 'failure', message: 'A provider header is required.' }, 400),
      'A provider',
    ],
  ])('says that %s is no model server', async (_what, reply, told) => {
    const server = await RawServer.start();
    raws.push(server);
    server.reply('/v1/models', reply);
    const at = await openForm({});
    at.type(`${server.url}\r`);
    await at.sees(told);
  });
});
