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
  const pty = openPty(process.execPath, [program], { columns: 120, rows: 40, ...options });
  open.push(pty);
  await pty.waitFor('ready', 10_000);
  return pty;
}

/** Bytes that the line carried from each key until the screen showed it, sorted: on a slow line they are the time that it took. */
async function echoes(pty: PtySession, keys: string): Promise<number[]> {
  const bytes: number[] = [];
  for (const key of keys) {
    const before = pty.bytes;
    pty.type(key);
    await pty.waitFor(`key ${key}`, 10_000);
    bytes.push(pty.bytes - before);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  return bytes.sort((a, b) => a - b);
}

const median = (sorted: number[]): number => sorted[sorted.length >> 1] ?? Infinity;

describe('a link', () => {
  it('of 10 kB/s with 20 ms each way and a buffer of 2 MB shows keys soon while text streams', async () => {
    const pty = await start({ link: { bytesPerSecond: 10_000, latencyMs: 20, bufferBytes: 2_000_000 } });
    pty.type('s');
    await pty.waitFor('line 60', 15_000);
    // A quarter of a second of what the line carries; the 2 MB of its buffer are never filled.
    expect(median(await echoes(pty, 'abdfghi'))).toBeLessThan(2500);
  }, 40_000);

  it('that is fast shows a key with the first bytes that come after it', async () => {
    const pty = await start();
    expect(median(await echoes(pty, 'abdfghi'))).toBeLessThan(200);
  });

  it('to a terminal that never answers is used all the same', async () => {
    const pty = await start({ answers: false });
    pty.type('s');
    await pty.waitFor('line 100', 10_000);
    await echoes(pty, 'abd');
  }, 20_000);

  it('that stops taking bytes does not stop the program: it ends on a signal', async () => {
    const pty = await start({ link: { bytesPerSecond: 300, bufferBytes: 0 }, answers: false });
    pty.type('s');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    pty.signal('SIGTERM');
    expect((await pty.exited).exitCode).toBe(143);
  }, 20_000);
});

describe('input through a pty', () => {
  it('keys, a paste, the mouse and focus arrive, the answers of the terminal do not', async () => {
    const pty = await start({ env: { FIXTURE_MOUSE: '1' } });
    pty.type('\x1b[200~some\rpasted text\x1b[201~');
    await pty.waitFor('paste 16');
    pty.type('\x1b[<0;3;4M\x1b[I\x1b[1;5C\x1b\r');
    await pty.waitFor('mouse down 2,3');
    await pty.waitFor('focus true');
    await pty.waitFor('key ctrl+right');
    await pty.waitFor('key alt+enter');
    pty.type('\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c\x1bP>|X\x1b\\');
    pty.type('z');
    await pty.waitFor('key z');
    expect(pty.screen()).not.toMatch(/rgb|62|key \[|key n/);
  });

  it('a lone Escape is one after a moment', async () => {
    const pty = await start();
    pty.type('\x1b');
    await pty.waitFor('key escape');
  });

  it('copying sends OSC 52', async () => {
    const pty = await start();
    pty.type('ct');
    await pty.waitFor('key t');
    expect(pty.transcript).toContain(`\x1b]52;c;${Buffer.from('copied text').toString('base64')}\x07`);
  });
});

describe('over a real screen', () => {
  it('streaming leaves no wrong cell behind, also in tmux', async () => {
    const pty = await start({ env: { TMUX: '/tmp/none,1,0', TERM: 'tmux-256color' } });
    pty.type('s');
    await pty.waitFor('line 90', 10_000);
    pty.type('S');
    await pty.waitFor('key S');
    await pty.quiet(200);
    const lines = Array.from({ length: 38 }, (_, i) => pty.line(i + 1));
    const shown = lines.map((line) => /│line (\d+) /.exec(line)?.[1]).map(Number);
    expect(shown).toEqual(shown.map((_, i) => (shown[0] as number) + i));
    for (const line of lines) expect(line).toMatch(/^│.{36}││.{80}│$/);
    // tmux answers for itself: only the questions of the start ask for an answer.
    expect(pty.transcript.split('\x1b[5n')).toHaveLength(2);
  });
});
