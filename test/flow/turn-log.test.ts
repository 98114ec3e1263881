import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { makeHome, type Home } from '../support/home.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const F4 = '\x1bOS';
const ESC = '\x1b';

let home: Home;
let file: string;
let at: TestDashboard;
let server: ScriptedServer;

beforeEach(async () => {
  home = makeHome();
  file = path.join(home.folder, 'llama-server.log');
  server = await startScriptedServer({
    kind: 'llama.cpp',
    models: [{ ...PLAIN_MODEL, name: 'small.gguf' }],
  });
});
afterEach(async () => {
  await closeDashboards();
  await server.close();
  home.remove();
});

async function open(columns: number, rows: number): Promise<void> {
  const { url } = server;
  at = await startDashboard({ home, columns, rows, settings: { backends: [{ url, log: file }] } });
  await at.sees('small on llama.cpp answers');
}
/** What is in the file by now is old when this is over. */
async function followed(): Promise<void> {
  append('2026-01-01T10:00:00Z long before');
  at.type('\x1b[Z');
  await seesSoon('long before');
  at.type(ESC);
  await at.sees(() => at.cursor().visible);
}
const append = (...lines: string[]): void => fs.appendFileSync(file, lines.map((l) => `${l}\n`).join(''));
/** Files are looked at once a second; the test does not wait for that. */
const seesSoon = (what: string | RegExp): Promise<void> =>
  at.sees(() => {
    if (typeof what === 'string' ? at.screen().includes(what) : what.test(at.screen())) return true;
    at.clock.skip(500);
    return false;
  }, 20_000);
const running = (): boolean => /(?:Esc|Ctrl\+C) stop/.test(at.phaseBar());
const answering = (): Promise<void> => at.sees(running);
/** The screen without its borders, as one line. */
const words = (): string => at.screen().replace(/[\s│]+/g, ' ');
/** An answer that goes on until it is stopped. */
const slow = { answer: 5000, tokensPerSecond: 20 };

describe('the log of the running answer', () => {
  it.each([
    [80, 24],
    [120, 40],
  ])(
    'is one key away at %ix%i, has its time in the title, and is left with the same key or Esc',
    async (columns, rows) => {
      await open(columns, rows);
      await followed();
      server.play(slow);
      at.send('hello');
      await answering();
      at.type(F4);
      await seesSoon(/Log ── turn since \d\d:\d\d:\d\d/);
      append('slot launch_slot_: id  1 | task 2 | processing task, is_child = 0');
      await seesSoon('launch_slot_');
      // On a narrow screen long figures may push out what comes after the first key.
      expect(at.phaseBar()).toMatch(columns < 100 ? /Esc back/ : /Esc back +Ctrl\+C stop/);
      expect(at.screen()).not.toContain('long before');
      at.type(F4);
      await at.misses('turn since');
      expect(running()).toBe(true);
      at.type(F4);
      await at.sees('turn since');
      at.type(ESC);
      await at.misses('turn since');
      expect(running()).toBe(true);
      // The focus is in the message again: the next Esc is about the answer.
      at.type(ESC);
      await at.sees(() => !running());
      at.type(F4);
      await at.sees(/Log ── turn \d\d:\d\d:\d\d–\d\d:\d\d:\d\d/);
      await at.sees('launch_slot_');
    },
  );

  it('says honestly that nothing was logged, and where it looked', async () => {
    await open(80, 24);
    server.play({ answer: ['done'] });
    at.send('hello');
    await at.sees('done');
    at.type('\x1b[Z'.repeat(4));
    at.type('l');
    await at.sees(/turn \d\d:/);
    await seesSoon('no server logged anything');
    await at.sees(() => /looked at lmapp, llama\.cpp \(waiting: .*does not exist yet/.test(words()));
  });
});

describe('a warning of the server in its log', () => {
  it('is shown while the answer runs, and kept with it', async () => {
    await open(120, 40);
    await followed();
    server.play(slow);
    at.send('hello');
    await answering();
    append(
      'slot update_slots: id  1 | task 2 | slot context shift, n_keep = 1, n_left = 4094, n_discard = 2047',
    );
    await seesSoon(/llama\.cpp +slot update_slots/);
    await at.sees(/not all was read \(llama\.cpp\): …slot context shift, n_keep = 1/);
    await at.sees('F4: its log.');
    at.type(ESC);
    await at.sees(() => !running());
    at.type('\x1b[Z'.repeat(4));
    at.type('i');
    await at.sees('About this answer');
    at.type('\x1b[6~\x1b[6~');
    await at.sees(/not all was read: .*slot/);
  });
});
