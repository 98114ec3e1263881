import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fakeServers } from '../support/fake-server.js';
import { ggufModel } from '../support/gguf-file.js';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP } from '../support/run-lmapp.js';

let home: Home;
let port: number;
const open: PtySession[] = [];
beforeEach(async () => {
  home = makeHome();
  port = await freePort();
});
afterEach(async () => {
  for (const pty of open.splice(0)) pty.close();
  for (const pid of startedPids()) if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
  await until(() => startedPids().every((pid) => !isAlive(pid)));
  home.remove();
});

const bin = (): string => path.join(home.folder, 'bin');
const serverLogs = (): string => path.join(home.folder, 'state', 'lmapp', 'servers');

function start(programs: Parameters<typeof fakeServers>[1], settings: object): PtySession {
  home.configure({ discovery: false, ...settings });
  const env = { ...home.env, PATH: fakeServers(bin(), programs) };
  const pty = openPty(process.execPath, [LMAPP, 'tui'], { columns: 120, rows: 40, env });
  open.push(pty);
  return pty;
}

const ollama = (): object => ({ backends: [{ kind: 'ollama', url: `http://127.0.0.1:${port}` }] });
const PATIENCE_MS = 20_000;

describe('a server that is installed but does not run', () => {
  it('is started from its row, its models appear, and on quitting it is asked whether it stays', async () => {
    const pty = start(['ollama'], ollama());
    await pty.waitFor('s starts it', PATIENCE_MS);
    pty.type('\t\t');
    await pty.waitFor(/start/);
    pty.type('s');
    await pty.waitFor('tiny:1b', PATIENCE_MS);
    const [pid] = startedPids();
    expect(pid).toBeGreaterThan(0);
    expect(fs.readFileSync(path.join(serverLogs(), `ollama-${port}.log`), 'utf8')).toContain('Listening on');

    // One of an address is enough.
    pty.type('s');
    await pty.waitFor('ollama serve was started from here');
    pty.type('n');
    await pty.waitFor(() => !pty.screen().includes('was started from here'));
    expect(startedPids()).toEqual([pid]);

    pty.type('\x10quit\r');
    await pty.waitFor('ollama still runs');
    pty.type('l');
    expect(await pty.exited).toMatchObject({ exitCode: 0 });
    expect(isAlive(pid ?? 0)).toBe(true);
  });

  it('ends with the dashboard when that is chosen, and when the dashboard is terminated', async () => {
    for (const end of [
      (pty: PtySession) => pty.type('\x10quit\r'),
      (pty: PtySession) => pty.signal('SIGTERM'),
    ]) {
      const pty = start(['ollama'], ollama());
      await pty.waitFor('s starts it', PATIENCE_MS);
      pty.type('\t\ts');
      // The model itself is in the list of the second run from its start.
      await pty.waitFor('0.13.0', PATIENCE_MS);
      const pid = startedPids().find(isAlive) ?? 0;
      expect(isAlive(pid)).toBe(true);
      end(pty);
      await until(() => pty.screen().includes('still runs') || !isAlive(pid));
      if (pty.screen().includes('still runs')) pty.type('e');
      await pty.exited;
      await until(() => !isAlive(pid));
    }
  });

  it('is ended from its row, and can be started again', async () => {
    const pty = start(['ollama'], ollama());
    await pty.waitFor('s starts it', PATIENCE_MS);
    pty.type('\t\ts');
    await pty.waitFor('tiny:1b', PATIENCE_MS);
    pty.type('s');
    await pty.waitFor('End ollama');
    pty.type('y');
    await pty.waitFor('ollama has ended', PATIENCE_MS);
    await pty.waitFor('s starts it', PATIENCE_MS);
    expect(startedPids().some(isAlive)).toBe(false);
  });

  it('says the last line of its output when it ends by itself, and where the rest is', async () => {
    const pty = start(['failing ollama'], ollama());
    await pty.waitFor('s starts it', PATIENCE_MS);
    pty.type('\t\ts');
    await pty.waitFor(/ollama ended: Error: listen .* address already in use/, PATIENCE_MS);
    expect(pty.screen()).toContain(path.basename(serverLogs()));
  });

  it('is started with the model file that the user chooses', async () => {
    const models = path.join(home.folder, 'my-models');
    fs.mkdirSync(models);
    fs.writeFileSync(path.join(models, 'small-Q4_0.gguf'), ggufModel());
    const pty = start(['llama-server'], {
      backends: [{ kind: 'llama.cpp', url: `http://127.0.0.1:${port}` }],
      models: { paths: [models] },
    });
    await pty.waitFor('s starts it', PATIENCE_MS);
    pty.type('\t\ts');
    await pty.waitFor('Start llama.cpp with which model?', PATIENCE_MS);
    await pty.waitFor('1  small-Q4_0');
    pty.type('1');
    await pty.waitFor('started: llama-server -m', PATIENCE_MS);
    const command = fs.readFileSync(`/proc/${startedPids()[0] ?? 0}/cmdline`, 'utf8').split('\0');
    expect(command.slice(2, 8)).toEqual([
      ...['-m', path.join(models, 'small-Q4_0.gguf')],
      ...['--host', '127.0.0.1', '--port', String(port)],
    ]);
    await pty.waitFor('small-Q4_0 on llama.cpp answers', PATIENCE_MS);
    // Its output is in the log pane.
    await pty.waitFor('main: loading model', PATIENCE_MS);
  });

  it('is not started where another one was started that does not listen yet, and does not offer it', async () => {
    const one = { kind: 'ollama', url: `http://127.0.0.1:${port}` };
    const pty = start(['silent ollama', 'llama-server'], {
      backends: [one, { kind: 'llama.cpp', url: `http://localhost:${port}` }],
    });
    await pty.waitFor(() => pty.screen().split('s starts it').length === 3, PATIENCE_MS);
    pty.type('\t\ts');
    await pty.waitFor('started: ollama serve', PATIENCE_MS);
    // What it says is in the log pane before it answers.
    await pty.waitFor('waiting for a long time', PATIENCE_MS);
    expect(pty.screen()).not.toContain('s starts it');
    pty.type('\x1b[Bs');
    await pty.waitFor('llama.cpp is not started: ollama was started from here at that address', PATIENCE_MS);
    expect(startedPids()).toHaveLength(1);
  });

  it('is asked about when Ctrl+C is pressed twice, and ends with a third one', async () => {
    const pty = start(['ollama'], ollama());
    await pty.waitFor('s starts it', PATIENCE_MS);
    pty.type('\t\ts');
    await pty.waitFor('0.13.0', PATIENCE_MS);
    const [pid] = startedPids();
    pty.type('\x03\x03');
    await pty.waitFor('ollama still runs');
    // Esc stays, and so does the server.
    pty.type('\x1b');
    await pty.waitFor(() => !pty.screen().includes('ollama still runs'));
    expect(isAlive(pid ?? 0)).toBe(true);
    pty.type('\x03\x03');
    await pty.waitFor('ollama still runs');
    pty.type('\x03');
    expect(await pty.exited).toMatchObject({ exitCode: 0 });
    await until(() => !isAlive(pid ?? 0));
  });

  it('is not started where something else answers', async () => {
    const pty = start(['ollama'], ollama());
    await pty.waitFor('s starts it', PATIENCE_MS);
    const other = net.createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    pty.type('\t\ts');
    await pty.waitFor(`something answers at 127.0.0.1:${port} already`, PATIENCE_MS);
    expect(fs.existsSync(serverLogs())).toBe(false);
    await new Promise((resolve) => other.close(resolve));
  });
});

/** Processes of the stand-ins in this home, as the kernel lists them. */
function startedPids(): readonly number[] {
  return fs.readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`${bin()}/`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: free } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
