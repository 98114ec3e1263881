import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Settings } from '../../src/domain/settings.js';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { makeHome, type Home } from '../support/home.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

let home: Home;
let file: string;
let at: TestDashboard;
let server: ScriptedServer | null = null;
let child: ChildProcess | null = null;

beforeEach(() => {
  home = makeHome();
  file = path.join(home.folder, 'server.log');
  fs.writeFileSync(file, '');
});
afterEach(async () => {
  await closeDashboards();
  await server?.close();
  server = null;
  child?.kill('SIGKILL');
  home.remove();
});

/** The dashboard with the log over the whole screen. */
async function open(follow: readonly string[], more: Partial<Settings> = {}): Promise<void> {
  at = await startDashboard({ mock: true, home, settings: { follow, ...more } });
  await at.sees('lmapp 0.0.0-test started');
  at.type('\x1b[Zz');
  await at.sees(() => at.rowOf('╭ Log') === 1);
}
const append = (...lines: string[]): void => fs.appendFileSync(file, lines.map((l) => `${l}\n`).join(''));
/** Files are looked at once a second; the test does not wait for that. */
const seesSoon = (holds: () => boolean): Promise<void> =>
  at.sees(() => {
    if (holds()) return true;
    at.clock.skip(500);
    return false;
  }, 20_000);
const inLog = (text: string): Promise<void> => seesSoon(() => at.screen().includes(text));
const titleRow = (): string => at.line(at.rowOf('╭ Log'));

describe('the log over several sources', () => {
  it('puts what was written before in the order of its time, and s shows one source', async () => {
    const other = path.join(home.folder, 'other.log');
    fs.writeFileSync(file, '2026-01-01T10:00:00Z a first\n2026-01-01T10:00:04Z a third\n');
    fs.writeFileSync(other, '2026-01-01T10:00:02Z b second\n2026-01-01T10:00:06Z b fourth\n');
    await open([file, other]);
    await inLog('b fourth');
    await inLog('a third');
    const order = ['a first', 'b second', 'a third', 'b fourth'].map((text) => at.rowOf(text));
    expect(order).toEqual([...order].sort((x, y) => x - y));
    expect(titleRow()).toContain('all 3 sources');
    // They stand in the order in which they were opened, which differs.
    const press = async (shown: string): Promise<void> => {
      for (let presses = 0; presses < 4 && !titleRow().includes(shown); presses++) {
        const before = titleRow();
        at.type('s');
        await seesSoon(() => titleRow() !== before);
      }
    };
    await press('server.log');
    expect(titleRow()).toContain('server.log');
    await at.misses('b fourth');
    await press('all 3 sources');
    await at.sees('b fourth');
  });

  it('shows the lines of a command, and ends it with the program', async () => {
    await open(['cmd:echo from a child; exec sleep 600']);
    await inLog('from a child');
    expect(titleRow()).toContain('all 2 sources');
    expect(await at.quit()).toBe(0);
  });

  it('tells where each source is, what it does and the next step', async () => {
    await open([path.join(home.folder, 'later.log'), 'cmd:exit 3']);
    await inLog('does not exist yet');
    at.type('i');
    await at.sees('Sources of the log');
    await at.sees(/later\.log +waiting · named by you/);
    await at.sees(/next step +It is followed as soon as it is written/);
    await at.sees(/exit +failed · named by you/);
    at.type('\x1b');
    await at.misses('Sources of the log');
  });

  it('finds the log of a server that was found', async () => {
    server = await startScriptedServer({ kind: 'ollama' });
    // What listens there writes to a file: a process that hands the port on would do as well.
    const port = Number(new URL(server.url).port);
    const out = fs.openSync(file, 'a');
    child = spawn(
      process.execPath,
      [
        '-e',
        `require('net').createServer((s) => { const t = require('net').connect(${port}, '127.0.0.1'); s.pipe(t).pipe(s); s.on('error', () => 0); t.on('error', () => 0) })
          .listen(0, '127.0.0.1', function () { console.log('listening on', this.address().port) })`,
      ],
      { stdio: ['ignore', out, out] },
    );
    await new Promise<void>((ready) => {
      const timer = setInterval(() => {
        if (!fs.readFileSync(file, 'utf8').includes('\n')) return;
        clearInterval(timer);
        ready();
      }, 10);
    });
    const [, public_ = ''] = /listening on (\d+)/.exec(fs.readFileSync(file, 'utf8')) ?? [];
    at = await startDashboard({ home, urls: [`http://127.0.0.1:${public_}`] });
    await at.sees('scripted:1b');
    await seesSoon(() => /ollama +listening on/.test(at.screen()));
    append('ERROR out of memory');
    await seesSoon(() => /ERROR +ollama +.*out of memory/.test(at.screen()));
  });
});

describe('the log pane', () => {
  it('goes to a time that is typed, and says when it is none', async () => {
    const stamp = (minute: number): string =>
      new Date(new Date().setHours(0, 0, 0, 0) - 86_400_000 + 36e6 + minute * 60_000).toISOString();
    append(...Array.from({ length: 59 }, (_, i) => `${stamp(i)} INFO minute ${i}.`));
    await open([file]);
    await inLog('minute 58.');
    const day = new Date(Date.parse(stamp(0)));
    const date = `${day.getFullYear()}-${day.getMonth() + 1}-${day.getDate()}`;
    at.type('t');
    await at.sees('go to');
    at.type('noon\r');
    await at.sees('no time yet');
    at.type(`\x15${date} 10:07\r`);
    await at.misses('go to');
    await at.sees(() => at.line(2).includes('minute 7.'));
    expect(titleRow()).toContain('held');
    append(`${stamp(70)} INFO comes now`);
    at.clock.skip(1000);
    await seesSoon(() => /held \d+ ↓/.test(titleRow()));
    expect(at.line(2)).toContain('minute 7.');
    at.type('G');
    await at.sees('comes now');
    at.type(`t${date} 09:00\r`);
    await at.sees('the log goes back to 10:00:00 here');
    expect(at.line(2)).toContain('minute 0.');
  });

  it('copies the last line in view, or all of them', async () => {
    append('INFO one', 'WARN two');
    await open([file]);
    await inLog('WARN two');
    at.type('s'.repeat(2));
    await at.misses('lmapp 0.0.0-test started');
    at.type('y');
    await at.sees('line of the log sent');
    const copied = (): string[] =>
      [...at.written.matchAll(/\x1b\]52;c;([A-Za-z0-9+/=]+)/g)].map((m) =>
        Buffer.from(m[1] ?? '', 'base64').toString(),
      );
    expect(copied().at(-1)).toMatch(/WARN {2}server\.log {2}WARN two$/);
    at.type('Y');
    await at.sees('2 lines of the log sent');
    expect(copied().at(-1)?.split('\n')).toHaveLength(2);
  });

  it('shows a progress bar as one row that changes', async () => {
    await open([file]);
    fs.appendFileSync(file, 'load 10 %\r');
    await inLog('load 10 %');
    fs.appendFileSync(file, 'load 55 %\r');
    await inLog('load 55 %');
    expect(at.screen()).not.toContain('load 10 %');
    fs.appendFileSync(file, 'load done\n');
    await inLog('load done');
    expect(at.screen()).not.toContain('load 55 %');
  });

  it('stays whole under 200,000 hostile lines', async () => {
    await open([file]);
    const nasty = [
      '\x1b[2J\x1b[H\x1b]0;title\x07wiped',
      '\x9b31mred \x90q\x9c \x1b(0lqk',
      '\x00\x01\x02\x08\x0b\x0c\x7f\x1b',
      '漢字 🚀 e\u0301 \u202egnitrevni \u2028 \ufeff',
      '{"message":"\\u001b[2J","level":"error"}',
      'time=x level=Y msg="\x1b[6n',
      '\rover\rwritten\r',
    ];
    const blocks = 20;
    for (let block = 0; block < blocks; block++) {
      const lines = Array.from({ length: 9999 }, (_, i) => Buffer.from(`${nasty[i % nasty.length]} ${i}\n`));
      if (block % 5 === 0) lines.push(Buffer.from(`${'\x1b[1mlong '.repeat(120_000)}\n`));
      lines.push(Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 10]));
      fs.appendFileSync(file, Buffer.concat([...lines, Buffer.from(`END OF BLOCK ${block}\n`)]));
      await inLog(`END OF BLOCK ${block}`);
    }
    // Nothing moved: every row of the pane begins and ends with its border.
    const rows = Array.from({ length: 40 }, (_, y) => at.line(y));
    expect(rows[0]).toMatch(/^ lmapp/);
    expect(rows.slice(2, 38).every((row) => row.startsWith('│') && row.trimEnd().endsWith('│'))).toBe(true);
    expect(at.written).not.toMatch(/\x1b\]0;title|\x1b\[6n/);
    expect(titleRow()).toMatch(/lines/);
  }, 60_000);
});
