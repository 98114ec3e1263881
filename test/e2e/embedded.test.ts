import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { callsOf, isRunning, placeFakeEngine, until } from '../support/fake-engine.js';
import { ggufModel } from '../support/gguf-file.js';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP, runLmapp } from '../support/run-lmapp.js';

const PATIENCE_MS = 20_000;

let home: Home;
const open: PtySession[] = [];

beforeEach(() => {
  home = makeHome();
  home.configure({ discovery: false });
  placeFakeEngine(place('engine'));
  fs.mkdirSync(place('models'));
  fs.writeFileSync(model(), ggufModel());
});
afterEach(async () => {
  for (const pty of open.splice(0)) pty.close();
  await until(() => !pids().some(isRunning));
  home.remove();
});

const place = (name: string): string => path.join(home.folder, 'data', 'lmapp', name);
const model = (): string => path.join(place('models'), 'tiny.gguf');
const pids = (): readonly number[] => [...new Set(callsOf(model()).map(({ pid }) => pid))];

async function dashboard(): Promise<PtySession> {
  const pty = openPty(process.execPath, [LMAPP, 'tui'], { columns: 120, rows: 40, env: home.env });
  open.push(pty);
  await pty.waitFor(/tiny .*this machine/, PATIENCE_MS);
  return pty;
}

describe('the embedded engine in the dashboard', () => {
  it('answers; a kill leaves the text and the next step, and the next message is answered by a new child', async () => {
    const pty = await dashboard();
    pty.type('good day\r');
    await pty.waitFor('you said good day', PATIENCE_MS);
    pty.type('ENDLESS\r');
    await pty.waitFor('on on on', PATIENCE_MS);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await pty.waitFor('was killed', PATIENCE_MS);
    expect(pty.screen()).toContain('on on on');
    expect(pty.screen()).toContain('it starts anew');
    pty.type('once more\r');
    await pty.waitFor('you said once more', PATIENCE_MS);
    expect(pids()).toHaveLength(2);
  });

  it.each([
    ['is left', (pty: PtySession) => pty.type('\x03\x03')],
    ['is killed', (pty: PtySession) => pty.signal('SIGKILL')],
    ['loses its terminal', (pty: PtySession) => pty.hangUp()],
  ])('ends its child when the dashboard %s', async (_how, end) => {
    const pty = await dashboard();
    pty.type('good day\r');
    await pty.waitFor('you said good day', PATIENCE_MS);
    expect(pids().map(isRunning)).toEqual([true]);
    end(pty);
    await pty.exited;
    await until(() => !pids().some(isRunning));
  });

  it('asks before a message that would not fit, and computes nothing of it', async () => {
    home.configure({ discovery: false, contexts: { tiny: 512 } });
    const pty = await dashboard();
    pty.type(`\x1b[200~${'word '.repeat(900)}\x1b[201~`);
    pty.type('\r');
    await pty.waitFor('The context is full', PATIENCE_MS);
    await pty.quiet();
    expect(callsOf(model()).filter(({ call }) => call === 'generate' || call === 'evaluate')).toEqual([]);
  });
});

describe('lmapp chat', () => {
  it('is answered by this machine, and its child ends with it', async () => {
    const { code, stdout } = await runLmapp(['chat', 'good day'], { env: home.env });
    expect([code, stdout]).toEqual([0, 'you said good day\n']);
    await until(() => !pids().some(isRunning));
  });
});
