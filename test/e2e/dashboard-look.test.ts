import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP } from '../support/run-lmapp.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';
import { screenText } from '../support/screen-text.js';

const RECORD = path.resolve('test/fixtures/records/chat.ndjson');

let server: ScriptedServer;
let home: Home;
const open: PtySession[] = [];

beforeAll(async () => {
  server = await startScriptedServer({ kind: 'ollama' });
});
afterAll(() => server.close());
beforeEach(() => {
  home = makeHome();
  server.play({});
});
afterEach(() => {
  for (const pty of open.splice(0)) pty.close();
  home.remove();
});

/** A replay looks the same every time, so that terminals can be compared. */
async function replay(
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<PtySession> {
  const pty = openPty(process.execPath, [LMAPP, 'tui', '--replay', RECORD, '--speed', '0', ...args], {
    columns: 120,
    rows: 40,
    env: { ...home.env, TZ: 'UTC', ...env },
  });
  open.push(pty);
  await pty.waitFor('half a draft');
  await pty.waitFor(/CPU .*65 %/);
  await pty.quiet(150);
  return pty;
}

describe('the screen', () => {
  it.each(['tmux-256color', 'screen-256color'])(
    'of TERM=%s is the same as of xterm-256color, cell by cell',
    async (term) => {
      const [xterm, other] = await Promise.all([
        replay({ COLORTERM: '' }),
        replay({ TERM: term, COLORTERM: '' }),
      ]);
      expect(screenText(other.xterm)).toBe(screenText(xterm.xterm));
    },
  );

  it('has no colour at all with NO_COLOR, and still tells states apart', async () => {
    const pty = await replay({ NO_COLOR: '1' });
    expect(screenText(pty.xterm)).not.toMatch(/ [fb]g /);
    expect(pty.screen()).toContain('failed: ');
    expect(pty.screen()).toMatch(/▸● qwen3:8b/);
  });

  it('has only ASCII characters with --ascii, but for the words of the model', async () => {
    const pty = await replay({}, ['--ascii']);
    expect(pty.screen().replaceAll('漢字', '')).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('is UTF-8 also when LANG is not set', async () => {
    const pty = await replay({ LANG: '' });
    expect(pty.screen()).toContain('╭ Models');
  });
});

describe('what a model says', () => {
  it('never reaches the terminal as anything but text', async () => {
    server.play({
      answer: [
        '\x1b]52;c;aGFjaw==\x07',
        '\x1b[2J\x1b[H',
        '\x9b31m',
        '\x1b',
        '[?1049l',
        '\u202eevil',
        '\x1bPq\x1b\\',
        '\r\x07ok\x00',
        ' safe end',
      ],
    });
    const pty = openPty(process.execPath, [LMAPP, 'tui', '--no-discovery', '--url', server.url], {
      env: home.env,
    });
    open.push(pty);
    await pty.waitFor('scripted:1b', 10_000);
    await pty.quiet(150);
    const before = pty.transcript.length;
    pty.type('go\r');
    await pty.waitFor('safe end');
    expect(pty.transcript.slice(before)).not.toMatch(
      /\x1b\]52|\x1b\[2J|\x9b|\x1b\[\?1049l|\u202e|\x1bP|\x07/,
    );
    expect(pty.modes().alternateScreen).toBe(true);
  });
});
