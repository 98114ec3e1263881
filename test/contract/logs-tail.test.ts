import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CUT_MARK } from '../../src/logs/line-cutter.js';
import { FOLLOWING, type LogSourceState } from '../../src/domain/log.js';
import type { LogSource } from '../../src/logs/log-source.js';
import { followFile } from '../../src/logs/tail.js';
import { systemClock } from '../../src/ports.js';

let folder = '';
let file = '';
let tail: LogSource | null = null;
let texts: string[] = [];
let skipped = 0;
let batches = 0;
let states: LogSourceState[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-tail-'));
  file = path.join(folder, 'server.log');
  texts = [];
  states = [];
  skipped = 0;
  batches = 0;
});
afterEach(() => {
  tail?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

function follow(at = file): void {
  tail = followFile({
    file: at,
    clock: systemClock,
    timing: { busyMs: 10, idleMs: 60 },
    onLines(lines, count) {
      batches++;
      skipped += count;
      for (const line of lines) texts.push(line.text);
    },
    onState: (state) => states.push(state),
  });
}

/** Waits for a condition of real files; the time is the limit of a failure, not a wait. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 8000;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(
        `never: ${what}; texts ${JSON.stringify(texts.slice(-5))} states ${JSON.stringify(states)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const has = (text: string): Promise<void> => until(() => texts.includes(text), text);

describe('following a file', () => {
  it('shows the end first, then what is appended, each line once', async () => {
    fs.writeFileSync(file, 'one\ntwo\n');
    follow();
    await has('two');
    for (let i = 0; i < 20; i++) {
      fs.appendFileSync(file, `line ${i}\n`);
      await has(`line ${i}`);
    }
    expect(texts).toEqual(['one', 'two', ...Array.from({ length: 20 }, (_, i) => `line ${i}`)]);
    expect(states).toEqual([FOLLOWING]);
    expect(skipped).toBe(0);
  });

  it('begins within the last 64 kB at a whole line', async () => {
    fs.writeFileSync(file, Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(''));
    follow();
    await has('line 19999');
    expect(texts.length).toBeLessThan(7000);
    expect(texts[0]).toBe(`line ${20_000 - texts.length}`);
    expect(skipped).toBe(0);
  });

  it('puts a line and a character together that were written in pieces', async () => {
    fs.writeFileSync(file, '');
    follow();
    await until(() => states.length > 0, 'following');
    const bytes = Buffer.from('größe 模型\n');
    for (const byte of bytes) {
      fs.appendFileSync(file, Buffer.from([byte]));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await has('größe 模型');
    expect(texts).toEqual(['größe 模型']);
  });

  it('survives rotation by rename, also when the old file is still written', async () => {
    fs.writeFileSync(file, 'a\n');
    follow();
    await has('a');
    fs.renameSync(file, `${file}.1`);
    fs.appendFileSync(`${file}.1`, 'late\n');
    fs.writeFileSync(file, 'b\n');
    await has('b');
    fs.appendFileSync(file, 'c\n');
    await has('c');
    expect(texts).toEqual(['a', 'late', 'b', 'c']);
  });

  it('says when the file is gone and goes on when it is back', async () => {
    fs.writeFileSync(file, 'a\n');
    follow();
    await has('a');
    fs.rmSync(file);
    await until(() => states.at(-1)?.state === 'waiting', 'waiting');
    fs.writeFileSync(file, 'b\n');
    await has('b');
    expect(states.at(-1)).toEqual(FOLLOWING);
  });

  it('survives copytruncate, and a file written anew that is longer', async () => {
    fs.writeFileSync(file, 'first\nsecond\n');
    follow();
    await has('second');
    fs.copyFileSync(file, `${file}.1`);
    fs.truncateSync(file, 0);
    fs.appendFileSync(file, 'third\n');
    await has('third');
    fs.writeFileSync(file, 'quite another beginning of this file\nfourth\n');
    await has('fourth');
    expect(texts).toEqual(['first', 'second', 'third', 'quite another beginning of this file', 'fourth']);
  });

  it('waits for a file and for its folder, and then shows all of it', async () => {
    file = path.join(folder, 'later', 'new.log');
    follow();
    await until(() => states.at(-1)?.state === 'waiting', 'waiting');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, 'hello\n');
    await has('hello');
    expect(states.map((s) => s.state)).toEqual(['waiting', 'following']);
  });

  it('tells a folder, a pipe of nobody and a file that may not be read, with the next step', async () => {
    follow(folder);
    await until(() => states.length > 0, 'failed');
    expect(states[0]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('is a folder'),
      hint: expect.any(String),
    });
    tail?.stop();
    if (process.getuid?.() === 0) return;
    states = [];
    fs.writeFileSync(file, 'secret\n', { mode: 0o000 });
    follow();
    await until(() => states.length > 0, 'failed');
    expect(states[0]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('may not be read'),
      hint: expect.stringContaining('permission'),
    });
    fs.chmodSync(file, 0o600);
    await has('secret');
  });

  it('keeps only the last state of a progress bar', async () => {
    fs.writeFileSync(file, '10 %\r50 %\r100 %\nwindows\r\n');
    follow();
    await has('windows');
    expect(texts).toEqual(['100 %', 'windows']);
  });

  it('cuts a line that is longer than 64 kB and takes the next one whole', async () => {
    fs.writeFileSync(file, 'start\n');
    follow();
    await has('start');
    fs.appendFileSync(file, `${'x'.repeat(300_000)}\nafter\n`);
    await has('after');
    expect(texts).toHaveLength(3);
    expect(texts[1]?.endsWith(CUT_MARK)).toBe(true);
    expect(texts[1]?.length).toBeLessThan(140_000);
  });

  it('skips and counts a burst of 100 MB without holding it', async () => {
    fs.writeFileSync(file, 'start\n');
    follow();
    await has('start');
    const part =
      'a line of one hundred characters that a server writes again and again and again and again, it is\n'.repeat(
        10_486,
      );
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
    // Beside and then renamed over it, so that it is there at once.
    const beside = `${file}.burst`;
    fs.writeFileSync(beside, 'start\n');
    for (let i = 0; i < 100; i++) fs.appendFileSync(beside, part);
    fs.appendFileSync(beside, 'the end\n');
    fs.renameSync(beside, file);
    await has('the end');
    clearInterval(watch);
    expect(skipped + texts.length).toBe(10_486 * 100 + 3);
    expect(texts.length).toBeLessThan(12_000);
    expect(most - before).toBeLessThan(80 * 1024 * 1024);
  });

  it('takes thousands of lines in batches', async () => {
    fs.writeFileSync(file, '');
    follow();
    await until(() => states.length > 0, 'following');
    for (let i = 0; i < 50; i++) {
      fs.appendFileSync(file, `time=2026-01-02T03:04:05Z level=INFO msg="line ${i}"\n`.repeat(100));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => texts.length === 5000, 'all lines');
    expect(batches).toBeLessThan(60);
  });

  it('opens 10 GB at their end and reads nothing else', async () => {
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 10 * 1024 ** 3);
    fs.appendFileSync(file, '\nlast but one\nlast\n');
    const bytesRead = (): number =>
      Number(/^rchar: (\d+)/m.exec(fs.readFileSync('/proc/self/io', 'utf8'))?.[1]);
    const before = bytesRead();
    follow();
    await has('last');
    expect(texts).toEqual(['last but one', 'last']);
    expect(bytesRead() - before).toBeLessThan(1024 * 1024);
  });
});
