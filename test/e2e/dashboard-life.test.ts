import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtyOptions, type PtySession } from '../support/pty.js';
import { LMAPP } from '../support/run-lmapp.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

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

const ARGS = (): string[] => ['tui', '--no-discovery', '--url', server.url];

async function start(args: readonly string[] = [], options: PtyOptions = {}): Promise<PtySession> {
  const pty = openPty(process.execPath, [LMAPP, ...ARGS(), ...args], {
    ...options,
    env: { ...home.env, ...options.env },
  });
  open.push(pty);
  await pty.waitFor('scripted:1b', 10_000);
  return pty;
}

/** Under a shell that says how it ended and whether the terminal was left as it was. */
async function startUnderShell(): Promise<PtySession> {
  const before = path.join(home.folder, 'stty');
  const pty = openPty('bash', ['--norc', '--noprofile', '-i'], { env: { ...home.env, PS1: 'prompt> ' } });
  open.push(pty);
  await pty.waitFor('prompt>');
  pty.type(
    `stty -a > ${before}; ${process.execPath} ${LMAPP} ${ARGS().join(' ')}; echo code $?; stty -a | cmp - ${before} && echo stty same\r`,
  );
  await pty.waitFor('scripted:1b', 10_000);
  return pty;
}

const dashboardOf = (shell: PtySession): number =>
  Number(fs.readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim().split(' ').at(-1));

/** An answer that takes long. */
async function stream(pty: PtySession): Promise<void> {
  server.play({ answer: 2000, tokensPerSecond: 100 });
  pty.type('a long one\r');
  await pty.waitFor(() => (server.answers.at(-1)?.pieces ?? 0) > 10 && pty.screen().includes('parser'));
}

const socketClosed = (pty: PtySession): Promise<void> =>
  pty.waitFor(() => server.answers.at(-1)?.closedByClientAt !== null);

const RESTORED = {
  alternateScreen: false,
  mouse: false,
  bracketedPaste: false,
  focusReports: false,
  cursorVisible: true,
  autoWrap: true,
};

describe('the dashboard gives the terminal back', () => {
  it('when it is left with Ctrl+D, with code 0 and the line settings as before', async () => {
    const pty = await startUnderShell();
    pty.type('\x04');
    await pty.waitFor('code 0');
    await pty.waitFor('stty same');
    expect(pty.modes()).toMatchObject({
      alternateScreen: false,
      mouse: false,
      focusReports: false,
      cursorVisible: true,
    });
    expect(pty.screen()).not.toContain('scripted:1b');
  });

  it('when it is left with Ctrl+C twice', async () => {
    const pty = await start();
    pty.type('\x03');
    await pty.waitFor('Ctrl+C again quits');
    pty.type('\x03');
    expect(await pty.exited).toEqual({ exitCode: 0, signal: 0 });
    expect(pty.modes()).toEqual(RESTORED);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
    ['SIGUSR2', 128 + os.constants.signals.SIGUSR2],
    ['SIGXCPU', 128 + os.constants.signals.SIGXCPU],
  ] as const)('on %s in mid-answer, with code %i, and the socket is closed', async (signal, exitCode) => {
    const pty = await start();
    await stream(pty);
    pty.signal(signal);
    expect(await pty.exited).toEqual({ exitCode, signal: 0 });
    await socketClosed(pty);
    expect(pty.modes()).toEqual(RESTORED);
  });

  it('on SIGTERM while the editor has it, which is asked to give it back first', async () => {
    const editor = path.join(home.folder, 'editor.sh');
    fs.writeFileSync(
      editor,
      `#!/bin/sh
       trap 'printf "\\033[?1049l"; echo $1 > ${home.folder}/ended; exit 1' TERM
       printf '\\033[?1049hin the editor'
       while :; do sleep 0.05; done`,
      { mode: 0o700 },
    );
    const pty = await start([], { env: { EDITOR: editor } });
    pty.type('\x07');
    await pty.waitFor('in the editor');
    pty.signal('SIGTERM');
    expect(await pty.exited).toEqual({ exitCode: 143, signal: 0 });
    expect(pty.modes().alternateScreen).toBe(false);
    expect(fs.existsSync(fs.readFileSync(path.join(home.folder, 'ended'), 'utf8').trim())).toBe(false);
  });

  it('not on SIGUSR1, which opens no debugger either', async () => {
    const pty = await start();
    pty.signal('SIGUSR1');
    pty.type('still here');
    await pty.waitFor('still here');
    pty.type('\x03\x03\x03');
    expect(await pty.exited).toEqual({ exitCode: 0, signal: 0 });
    expect(pty.transcript).not.toContain('Debugger');
  });

  it('case 70: and is gone when the terminal is closed in mid-answer', async () => {
    const pty = await start();
    await stream(pty);
    pty.hangUp();
    // Node aborts when it cannot give the line settings back.
    expect(await pty.exited).toEqual({ exitCode: 129, signal: 0 });
    await socketClosed(pty);
  });

  it('for Ctrl+Z, and fg brings everything back, also what was typed', async () => {
    const pty = await startUnderShell();
    pty.type('half a thought');
    await pty.waitFor('half a thought');
    pty.type('\x1a');
    await pty.waitFor('Stopped');
    expect(pty.modes()).toMatchObject({ alternateScreen: false, cursorVisible: true });
    pty.type('fg\r');
    await pty.waitFor('half a thought');
    expect(pty.modes().alternateScreen).toBe(true);
    pty.type('!');
    await pty.waitFor('half a thought!');
    pty.type('\x03\x03\x03');
    await pty.waitFor(/fg\n(.*\n)*prompt> $/m);
    pty.type('echo code $?\r');
    await pty.waitFor('code 0');
  });

  it('for a stop from outside, and continues', async () => {
    const shell = await startUnderShell();
    const pid = dashboardOf(shell);
    process.kill(pid, 'SIGTSTP');
    await shell.waitFor('Stopped');
    expect(shell.modes().alternateScreen).toBe(false);
    shell.type('fg\r');
    await shell.waitFor('scripted:1b');
    expect(shell.modes().alternateScreen).toBe(true);
  });
});

describe('Esc in a real terminal', () => {
  it('stops the answer, closes its socket, and the box is usable at once', async () => {
    const pty = await start();
    await stream(pty);
    pty.type('\x1b');
    await socketClosed(pty);
    await pty.waitFor('stopped by you');
    pty.type('next');
    await pty.waitFor('│ next');
  });
});

describe('kill -9 in mid-answer', () => {
  it('loses no more than a second: --continue shows the text, marked as interrupted', async () => {
    const pty = await start();
    await stream(pty);
    const stored = (): string =>
      fs.existsSync(home.chats)
        ? fs
            .readdirSync(home.chats)
            .map((f) => path.join(home.chats, f))
            .filter((f) => f.endsWith('.ndjson'))
            .map((f) => fs.readFileSync(f, 'utf8'))
            .join('')
        : '';
    await pty.waitFor(() => stored().includes('"t":"delta"'), 2000);
    pty.signal('SIGKILL');
    await pty.exited;
    const again = await start(['--continue']);
    await again.waitFor('interrupted: lmapp ended while this was written');
    expect(again.screen()).toContain('parser');
    server.play({ answer: ['this time whole'] });
    // The old answer names its model, too: this one is there to be asked.
    await again.waitFor('scripted:1b · ollama');
    again.type('\tr');
    await again.waitFor('this time whole');
  });
});

describe('what is typed before the dashboard is there', () => {
  it('is taken as if it were: Enter sends, the rest stands in the box', async () => {
    server.play({ answer: ['early enough'] });
    const asked = server.answers.length;
    const pty = openPty(process.execPath, [LMAPP, ...ARGS()], { env: home.env });
    open.push(pty);
    // The terminal is in the shell's mode still, which makes a newline of Enter.
    pty.type('hello there\rand more');
    await pty.waitFor('early enough', 10_000);
    await pty.waitFor('│ and more');
    expect(server.answers).toHaveLength(asked + 1);
    expect(pty.screen()).toMatch(/hello there *│/);
    expect(pty.screen()).not.toContain('hello thereand');
  });

  it('leaves the line settings as they were when the start fails', async () => {
    const before = path.join(home.folder, 'stty');
    const pty = openPty('bash', ['--norc', '--noprofile', '-i'], { env: { ...home.env, PS1: 'prompt> ' } });
    open.push(pty);
    await pty.waitFor('prompt>');
    pty.type(
      `stty -a > ${before}; ${process.execPath} ${LMAPP} tui --url 'http://a b'; echo code $?; stty -a | cmp - ${before} && echo stty same\r`,
    );
    await pty.waitFor('code 2', 10_000);
    await pty.waitFor(/^stty same/m);
    expect(pty.modes().alternateScreen).toBe(false);
  });
});

describe('a signal before the first frame', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ])('%s ends it with code %i, and the line settings are as they were', async (signal, code) => {
    const early = path.join(home.folder, 'early.cjs');
    fs.writeFileSync(
      early,
      `const { prototype } = require('node:tty').ReadStream;
       const { setRawMode } = prototype;
       prototype.setRawMode = function (raw) {
         setRawMode.call(this, raw);
         if (raw) process.kill(process.pid, '${signal}');
       };`,
    );
    const before = path.join(home.folder, 'stty');
    const pty = openPty('bash', ['--norc', '--noprofile', '-i'], { env: { ...home.env, PS1: 'prompt> ' } });
    open.push(pty);
    await pty.waitFor('prompt>');
    // As in a script: an interactive shell would put its own settings back.
    pty.type(
      `sh -c 'stty -a > ${before}; "${process.execPath}" --require ${early} "${LMAPP}" tui --mock; echo code $?; stty -a | cmp - ${before} && echo stty same'\r`,
    );
    await pty.waitFor(`code ${code}`, 10_000);
    await pty.waitFor(/^stty same/m);
    expect(pty.modes().alternateScreen).toBe(false);
  });
});

describe('without a terminal', () => {
  it('it says so and ends with code 2, without an escape byte', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [LMAPP, 'tui'], {
      env: { PATH: process.env['PATH'], ...home.env, TERM: 'xterm-256color' },
      encoding: 'utf8',
      input: '',
    });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/terminal/);
    expect(stderr).not.toContain('\x1b');
  });
});

describe('a chat that the disk does not take', () => {
  it('is told of once when the dashboard is left, with the reason, behind what the terminal showed before', async () => {
    const shell = openPty(
      'sh',
      ['-c', `"${process.execPath}" "${LMAPP}" ${ARGS().join(' ')} 2>"${home.folder}/stderr"; echo left $?`],
      { env: home.env },
    );
    open.push(shell);
    await shell.waitFor('scripted:1b', 10_000);
    // A file where the folder of chats would be.
    fs.mkdirSync(path.dirname(home.chats), { recursive: true });
    fs.rmSync(home.chats, { recursive: true, force: true });
    fs.writeFileSync(home.chats, '');
    shell.type('hello\r');
    await shell.waitFor('cannot be saved');
    shell.type('\x03\x03\x03');
    await shell.waitFor('left 0');
    const told = fs.readFileSync(path.join(home.folder, 'stderr'), 'utf8');
    expect(told).toMatch(/^lmapp: the chat "hello" was not saved: .+\n$/);
  });
});

describe('a replay', () => {
  it('shows a recorded chat without any server, and its own recording is the same chat', async () => {
    const record = path.resolve('test/fixtures/records/chat.ndjson');
    const pty = openPty(process.execPath, [LMAPP, 'tui', '--replay', record, '--speed', '0'], {
      columns: 120,
      rows: 40,
      env: { ...home.env, TZ: 'UTC' },
    });
    open.push(pty);
    await pty.waitFor('half a draft');
    expect(pty.screen()).toContain('Wide text 漢字 keeps its place.');
    expect(pty.screen()).toContain('qwen3:8b · ollama');
    pty.type('\x03\x03\x03');
    expect(await pty.exited).toEqual({ exitCode: 0, signal: 0 });
    expect(fs.existsSync(home.chats)).toBe(false);
  });

  it.each([
    ['is no record', 'hello\n', [], 'it:1 is not a line of an lmapp record'],
    ['is empty', '', [], 'it:1 is not a line of an lmapp record'],
    ['is not there', null, [], 'cannot read the record'],
    [
      'is to be written at the same time',
      '{"lmapp":1}\n',
      ['--record', 'it'],
      'cannot be played and written',
    ],
  ] as const)(
    'of a file that %s ends with code 2 before the screen is taken',
    async (_, text, args, words) => {
      const file = path.join(home.folder, 'it');
      if (text !== null) fs.writeFileSync(file, text);
      const pty = openPty(process.execPath, [LMAPP, 'tui', '--replay', file, ...args], {
        columns: 120,
        rows: 40,
        env: home.env,
        cwd: home.folder,
      });
      open.push(pty);
      expect(await pty.exited).toEqual({ exitCode: 2, signal: 0 });
      expect(pty.screen().replace(/\n/g, '')).toContain(words);
      expect(pty.transcript).not.toContain('\x1b[?1049h');
      if (text !== null) expect(fs.readFileSync(file, 'utf8')).toBe(text);
    },
  );

  // A list that is none fails where it is folded; facts that are none where they are painted.
  const wrong: readonly (readonly [string, string, object])[] = [
    ['folded', 'logs.appended', { lines: 7, skipped: 0 }],
    ['painted', 'hardware.facts', { facts: 7 }],
  ];
  it.each(wrong)(
    'of an event with wrong contents that cannot be %s ends with file and line, code 1, and the terminal as it was',
    async (_how, type, contents) => {
      const lines = fs.readFileSync('test/fixtures/records/chat.ndjson', 'utf8').split('\n');
      lines[4] = JSON.stringify({ type, seq: 5, at: 1795435380012, mono: 1012, ...contents });
      const file = path.join(home.folder, 'wrong.ndjson');
      fs.writeFileSync(file, lines.join('\n'));
      const pty = openPty(process.execPath, [LMAPP, 'tui', '--replay', file, '--speed', '0'], {
        columns: 120,
        rows: 40,
        env: home.env,
      });
      open.push(pty);
      expect(await pty.exited).toEqual({ exitCode: 1, signal: 0 });
      const screen = pty.screen().replace(/\n/g, ' ');
      expect(screen).toContain('wrong.ndjson:5 cannot be replayed: ');
      expect(screen).toContain('take the line out');
      expect(screen).not.toContain('unexpected error');
    },
  );
});
