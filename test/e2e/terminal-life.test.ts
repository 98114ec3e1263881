import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { bundleProgram } from '../support/bundle.js';
import { openPty, type PtyOptions, type PtySession } from '../support/pty.js';

let program: string;
const open: PtySession[] = [];

beforeAll(async () => {
  program = await bundleProgram('test/fixtures/terminal-program.ts');
});
afterAll(() => fs.rmSync(path.dirname(program), { recursive: true, force: true }));
afterEach(() => {
  for (const pty of open.splice(0)) pty.close();
});

async function start(options: PtyOptions = {}): Promise<PtySession> {
  const pty = openPty(process.execPath, [program], options);
  open.push(pty);
  await pty.waitFor('ready');
  return pty;
}

/** The program under a shell that says how it ended and how the terminal was left. */
async function startUnderShell(options: PtyOptions = {}): Promise<PtySession> {
  const pty = openPty('bash', ['--norc', '--noprofile', '-i'], { env: { PS1: 'prompt> ' }, ...options });
  open.push(pty);
  await pty.waitFor('prompt>');
  pty.type(
    `stty -a > ${program}.before; ${process.execPath} ${program}; echo code $?; stty -a | cmp - ${program}.before && echo stty same\r`,
  );
  await pty.waitFor('ready');
  return pty;
}

const RESTORED = {
  alternateScreen: false,
  mouse: false,
  bracketedPaste: false,
  focusReports: false,
  cursorVisible: true,
  autoWrap: true,
};

describe('the terminal is taken over', () => {
  it('with alternate screen, bracketed paste and focus reports, but no mouse unless asked', async () => {
    const pty = await start();
    expect(pty.modes()).toMatchObject({
      alternateScreen: true,
      bracketedPaste: true,
      focusReports: true,
      mouse: false,
    });
    const withMouse = await start({ env: { FIXTURE_MOUSE: '1' } });
    expect(withMouse.modes().mouse).toBe(true);
  });

  it('not at all, without an escape byte, when TERM is dumb', async () => {
    const pty = openPty(process.execPath, [program], { env: { TERM: 'dumb' } });
    open.push(pty);
    expect((await pty.exited).exitCode).toBe(2);
    expect(pty.transcript).toContain('TERM is "dumb"');
    expect(pty.transcript).not.toContain('\x1b');
  });

  it('and costs no bytes while nothing changes', async () => {
    const pty = await start();
    await pty.quiet(200);
    const before = pty.bytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pty.bytes).toBe(before);
  });
});

describe('the terminal is given back', () => {
  it('on quit, with the shell prompt and line settings as before and no answer left in the input', async () => {
    const pty = await startUnderShell();
    pty.type('q');
    await pty.waitFor('code 0');
    await pty.waitFor('stty same');
    await pty.quiet(100);
    expect(pty.modes()).toMatchObject({ ...RESTORED, bracketedPaste: pty.modes().bracketedPaste });
    expect(pty.screen()).not.toContain('[0n');
  });

  it('with no answer left for the shell on a line with a round trip of 400 ms, in mid-stream', async () => {
    const pty = await startUnderShell({ link: { bytesPerSecond: 1e6, latencyMs: 200 } });
    pty.type('s');
    await pty.waitFor('line 10', 15_000);
    pty.type('q');
    await pty.waitFor('stty same', 10_000);
    pty.type('echo a shell; echo "reads this"\r');
    await pty.waitFor(/^reads this/m);
    expect(pty.screen()).toMatch(/^a shell/m);
  }, 40_000);

  it('on an uncaught error, whose message stands on the normal screen', async () => {
    const pty = await start();
    pty.type('x');
    expect(await pty.exited).toEqual({ exitCode: 1, signal: 0 });
    expect(pty.modes()).toEqual(RESTORED);
    expect(pty.screen()).toContain('the fixture broke');
  });

  it('on an unhandled rejection', async () => {
    const pty = await start();
    pty.type('r');
    expect(await pty.exited).toEqual({ exitCode: 1, signal: 0 });
    expect(pty.modes()).toEqual(RESTORED);
    expect(pty.screen()).toContain('the fixture rejected');
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('on %s, with exit code %i', async (signal, exitCode) => {
    const pty = await startUnderShell();
    const pid = Number(
      fs.readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`, 'utf8').trim().split(' ').at(-1),
    );
    process.kill(pid, signal);
    await pty.waitFor(`code ${exitCode}`);
    await pty.waitFor('stty same');
    expect(pty.modes()).toMatchObject({ ...RESTORED, bracketedPaste: pty.modes().bracketedPaste });
    expect(pty.screen()).toContain(`ended: ${signal}`);
  });

  it('also when nobody ends the process', async () => {
    const pty = await start({ env: { FIXTURE_HANGS: '1' } });
    pty.signal('SIGTERM');
    expect(await pty.exited).toEqual({ exitCode: 143, signal: 0 });
    expect(pty.modes()).toEqual(RESTORED);
  });

  it('and the program is gone when the terminal is closed', async () => {
    const pty = await start();
    pty.hangUp();
    await pty.waitFor(() => !alive(pty.pid));
  });
});

function alive(pid: number): boolean {
  try {
    // A zombie that nobody has waited for has ended too.
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('stopping and continuing', () => {
  it('Ctrl+Z gives the shell a clean prompt, fg draws the screen anew', async () => {
    const pty = await startUnderShell();
    pty.type('\x1a');
    await pty.waitFor('Stopped');
    expect(pty.modes().alternateScreen).toBe(false);
    pty.type('echo in the $((1+1))nd shell\r');
    await pty.waitFor('in the 2nd shell');
    pty.type('fg\r');
    await pty.waitFor('key ctrl+z');
    await pty.waitFor('resumed');
    expect(pty.modes()).toMatchObject({ alternateScreen: true, bracketedPaste: true });
    pty.type('a');
    await pty.waitFor('key a');
    pty.type('q');
    await pty.waitFor('prompt>');
  });

  it('and has the size after fg that the terminal got meanwhile', async () => {
    const pty = await startUnderShell();
    await pty.waitFor('size 80x24');
    pty.type('\x1a');
    await pty.waitFor('Stopped');
    pty.resize(90, 26);
    pty.type('fg\r');
    await pty.waitFor('size 90x26');
    pty.type('q');
    await pty.waitFor('prompt>');
  });

  it('SIGTSTP and SIGCONT from outside do the same', async () => {
    const pty = await start();
    pty.signal('SIGTSTP');
    await pty.waitFor(() => !pty.modes().alternateScreen);
    pty.signal('SIGCONT');
    await pty.waitFor('resumed');
    expect(pty.modes().alternateScreen).toBe(true);
    pty.type('b');
    await pty.waitFor('key b');
  });

  it('Ctrl+Z without a shell to come back to goes on', async () => {
    const pty = await start();
    pty.type('\x1a');
    await pty.waitFor('resumed');
    pty.type('b');
    await pty.waitFor('key b');
  });

  it('a child gets the terminal and the screen comes back after it', async () => {
    const pty = await start();
    pty.type('e');
    await pty.waitFor('from the child');
    expect(pty.modes()).toMatchObject({ alternateScreen: false, bracketedPaste: false });
    pty.type('hello\r');
    await pty.waitFor('resumed');
    expect(pty.modes().alternateScreen).toBe(true);
    pty.type('b');
    await pty.waitFor('key b');
  });
});

describe('sizes', () => {
  it('a resize is followed', async () => {
    const pty = await start();
    pty.resize(120, 40);
    await pty.waitFor('size 120x40');
    await pty.waitFor(() => /^╰.*╯$/.test(pty.line(39)));
  });

  it('a storm of resizes is painted a few times only', async () => {
    const pty = await start();
    await pty.quiet(150);
    const before = pty.bytes;
    for (let i = 0; i < 50; i++) {
      pty.resize(100 + (i % 10), 30);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await pty.waitFor('size 109x30');
    await pty.quiet(150);
    expect(pty.bytes - before).toBeLessThan(40_000);
  });
});
