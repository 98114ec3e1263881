import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import {
  closeDashboards,
  startDashboard,
  type DashboardOptions,
  type TestDashboard,
} from '../support/dashboard.js';
import { makeHome, type Home } from '../support/home.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

let home: Home;
const servers: ScriptedServer[] = [];

beforeEach(() => {
  home = makeHome();
});
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
  home.remove();
});

async function open(options: DashboardOptions = {}): Promise<TestDashboard> {
  const server = await startScriptedServer({ kind: 'ollama' });
  servers.push(server);
  const at = await startDashboard({ urls: [server.url], home, ...options });
  await at.sees('scripted:1b · ollama');
  return at;
}

const config = (): Record<string, unknown> => {
  const file = path.join(home.folder, 'config', 'lmapp', 'config.json');
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
};

/** Shift+Tab goes from the message box to the last pane, the log. */
const TO_LOG = '\x1b[Z';

describe('the log', () => {
  let file: string;
  let at: TestDashboard;
  const append = (...lines: string[]): void => fs.appendFileSync(file, lines.map((l) => `${l}\n`).join(''));
  const logRows = (): string[] => {
    const top = at.rowOf('╭ Log');
    return Array.from({ length: 5 }, (_, i) => at.line(top + 1 + i));
  };
  const inLog = (text: string): Promise<void> =>
    at.sees(() => {
      if (logRows().some((r) => r.includes(text))) return true;
      // Files are looked at twice a second; the test does not wait for that.
      at.clock.skip(500);
      return false;
    });

  beforeEach(async () => {
    file = path.join(home.folder, 'server.log');
    fs.writeFileSync(file, '');
    at = await open({ settings: { follow: [file] } });
    await at.sees('lmapp 0.0.0-test started');
  });

  it('shows the lines of a followed file with level and source, and levels are chosen by digits', async () => {
    append(
      '2026-01-01T10:00:00Z ERROR everything broke',
      '2026-01-01T10:00:01Z INFO all is fine',
      '2026-01-01T10:00:02Z WARN take care',
    );
    await inLog('take care');
    expect(logRows().join('\n')).toMatch(/ERROR +server\.log +.*everything broke/);
    at.type(`${TO_LOG}1`);
    await at.misses('all is fine');
    expect(at.screen()).toContain('everything broke');
    expect(at.screen()).not.toContain('take care');
    at.type('2');
    await at.sees('take care');
    expect(at.screen()).not.toContain('all is fine');
    at.type('4');
    await at.sees('all is fine');
  });

  it('is filtered by a regular expression while it is typed, inversely with !, and Esc leaves', async () => {
    append('INFO apple 1', 'INFO pear 2', 'INFO apple 3');
    await inLog('apple 3');
    at.type(`${TO_LOG}/`);
    await at.sees('show lines /');
    at.type('app.*\\d');
    await at.misses('pear 2');
    expect(at.screen()).toContain('apple 1');
    at.type('\r');
    await at.sees(() => at.phaseBar().includes('follow'));
    expect(at.line(at.rowOf('╭ Log'))).toContain('/app.*\\d/');
    at.type('!');
    await at.sees('hide lines !');
    at.type('x\x7f');
    await at.sees(
      () => logRows().some((r) => r.includes('pear 2')) && !logRows().some((r) => r.includes('apple 1')),
    );
    at.type('\x15');
    await at.sees(() => logRows().some((r) => r.includes('apple 1')));
    at.type('(');
    await at.sees(() => at.phaseBar().includes('not used: '));
    at.type('\x1b');
    await at.misses('hide lines !');
  });

  it('holds with f, counts what comes meanwhile, and follows again', async () => {
    append('INFO line before');
    await inLog('line before');
    at.type(`${TO_LOG}f`);
    await at.sees(() => !at.line(at.rowOf('╭ Log')).includes('following'));
    append(...Array.from({ length: 25 }, (_, i) => `INFO line after ${i}`));
    await at.sees(() => {
      if (/25/.test(at.line(at.rowOf('╭ Log')))) return true;
      at.clock.skip(500);
      return false;
    });
    expect(logRows().join()).toContain('line before');
    at.type('G');
    await inLog('line after 24');
    expect(at.line(at.rowOf('╭ Log'))).toContain('following');
  });

  it('goes on when the file is rotated, and shows nothing that could move the screen', async () => {
    append('INFO one');
    await inLog('one');
    fs.renameSync(file, `${file}.1`);
    const before = at.written.length;
    fs.writeFileSync(file, 'INFO two \x1b[2J\x1b]0;evil\x07 of the new file\n');
    await inLog('of the new file');
    expect(at.written.slice(before)).not.toMatch(/\x1b\[2J|\x1b\]0;|\x07/);
  });
});

/** Waits until nothing was counted for a while: on a busy machine the polls under way take their time. */
async function quiet(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

describe('what costs work', () => {
  it('is asked less often while the terminal has no focus', async () => {
    const at = await open();
    const [server] = servers;
    const asked = (): number => server?.requests.length ?? 0;
    await at.sees('● scripted:1b');
    at.type('\x1b[O');
    await quiet(asked);
    at.clock.skip(2500);
    await quiet(asked);
    const before = asked();
    at.clock.skip(2500);
    await quiet(asked);
    expect(asked()).toBe(before);
    at.clock.skip(10_000);
    await at.sees(() => asked() > before);
  });

  it('is not done for hidden panes: the machine is not sampled in the layout of the chat alone', async () => {
    const at = await open({ settings: { layout: 'chat' } });
    await at.sees('new chat');
    for (let i = 0; i < 5; i++) {
      at.clock.skip(1000);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    // What was never sampled is not known when the pane is opened.
    at.type('\t\t\t');
    await at.sees(/CPU .*—/);
    await at.sees(() => {
      at.clock.skip(1000);
      return /CPU .*\d %/.test(at.screen());
    });
  });

  it('writes nothing to the terminal while nothing changes', async () => {
    const at = await open({ settings: { layout: 'chat' } });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const before = at.bytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(at.bytes).toBe(before);
  });
});

describe('the size', () => {
  it('may become narrow, too small and wide again, and nothing that was typed is lost', async () => {
    const at = await open();
    at.type('half a sentence');
    await at.sees('│ half a sentence');
    at.resize(80, 24);
    await at.sees(() => !at.screen().includes('╭ Models') && at.screen().includes('╭ Message'));
    await at.sees(/CPU .*RAM/);
    expect(at.screen()).toContain('│ half a sentence');
    at.clock.skip(200);
    at.resize(59, 15);
    await at.sees('60');
    at.type(' goes on');
    await new Promise((resolve) => setTimeout(resolve, 20));
    at.clock.skip(200);
    at.resize(120, 40);
    await at.sees('│ half a sentence goes on');
    expect(at.screen()).toContain('╭ Models');
  });

  it('of 80x24 can do all that the wide screen can: panes open by Tab and close with Esc', async () => {
    const at = await open({ columns: 80, rows: 24 });
    at.type('\t\t');
    await at.sees('╭ Models');
    at.type('i');
    await at.sees('Details');
    at.type('\x1b');
    await at.misses('Details');
    at.type('\t');
    await at.sees('╭ Machine');
    at.type('\t');
    await at.sees('╭ Log');
    at.type('\x1b');
    await at.sees('Ask something');
  });

  it('of a pane is the whole screen with z, and as before with z or Esc', async () => {
    const at = await open();
    at.type('\tz');
    await at.misses('╭ Models');
    at.type('z');
    await at.sees('╭ Models');
    at.type('z');
    await at.misses('╭ Models');
    at.type('\x1b');
    await at.sees('╭ Models');
  });
});

describe('the layout', () => {
  it('is cycled with F9 and kept in the configuration', async () => {
    const at = await open();
    at.type('\x1b[20~');
    await at.misses('╭ Models');
    expect(at.screen()).toContain('╭ Machine');
    at.type('\x1b[20~');
    await at.misses('╭ Machine');
    await at.sees(() => config()['layout'] === 'chat');
    at.type('\x1b[20~');
    await at.sees('╭ Models');
    await at.sees(() => config()['layout'] === 'all');
  });
});

describe('overlays', () => {
  it('the menu finds commands by a part of their words and does them', async () => {
    const at = await open();
    at.type('\x10');
    await at.sees('╭ Menu');
    at.type('layout');
    await at.sees('▸ layout: all');
    at.type('\r');
    await at.misses('╭ Models');
  });

  it('help shows the keys, notices what was told; Esc closes them', async () => {
    const at = await open();
    at.type('\x1bOP');
    await at.sees('Ctrl+O');
    await at.sees('switch the model');
    at.type('\x1b');
    await at.misses('switch the model');
    at.type('\x1b[15~');
    await at.sees('asking all servers anew');
    at.clock.skip(10_000);
    await at.misses('asking all servers anew');
    at.type('\x1b[19~');
    await at.sees('Notices');
    await at.sees('asking all servers anew');
  });

  it('notices are whole in their list: text and next step that take several rows, too', async () => {
    const at = await open({ settings: { backends: [{ kind: 'olama', url: 'http://h' }] } });
    at.type('\x1b[19~');
    await at.sees('╭ Notices');
    await at.sees(/configuration: backends\[0\]: olama is not a known kind of server/);
    await at.sees(/Known are ollama,.*\n.*\bopenai\./);
  });

  it('what is typed in another pane than the box is a key there; a paste goes into the box', async () => {
    const at = await open();
    at.type('\t');
    at.paste('a pasted sentence');
    await at.sees('│ a pasted sentence');
    await at.sees(() => at.cursor().visible);
  });
});

describe('the transcript', () => {
  it('stays where it was scrolled to while rows come, counts them, and follows again with G', async () => {
    const at = await open();
    const [server] = servers;
    server?.play({ answer: 300, endMark: 'END1' });
    at.send('long');
    await at.sees('END1');
    at.type('\tg');
    await at.sees(/╯|│ you/);
    await at.misses('END1');
    const top = at.line(2);
    expect(at.screen()).toMatch(/ \d+ ↓ /);
    at.type('r');
    await at.sees(() => (server?.answers.length ?? 0) === 2);
    at.type('G');
    await at.sees('END1');
    expect(at.line(2)).not.toBe(top);
  });

  it('is searched with /: Enter goes to the nearest row, n further up and N further down, also within one answer', async () => {
    const at = await open();
    const [server] = servers;
    const filler = (name: string) => Array.from({ length: 60 }, (_, i) => `${name} ${i}\n`).join('');
    server?.play({ answer: [`the first Needle\n${filler('a')}the second needle\n${filler('b')}END`] });
    at.send('find it');
    await at.sees('END');
    expect(at.screen()).not.toMatch(/needle/i);
    at.type('\t/needle\r');
    await at.sees('the second needle');
    expect(at.line(2)).toContain('the second needle');
    at.type('n');
    await at.sees('the first Needle');
    expect(at.screen()).not.toContain('the second needle');
    at.type('n');
    await at.sees('no "needle" further up');
    at.type('N');
    await at.sees('the second needle');
    at.type('N');
    await at.sees('no "needle" further down');
  });
});
