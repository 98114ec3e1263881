import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../../src/domain/log.js';
import { createLogger, type Logger, type LoggerOptions } from '../../src/logs/logger.js';
import type { LogTrouble } from '../../src/logs/rotating-file.js';

let folder = '';
let file = '';
let logger: Logger | null = null;
let troubles: LogTrouble[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-log-'));
  file = path.join(folder, 'state', 'lmapp.log');
  troubles = [];
});
afterEach(() => {
  logger?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function open(options: Partial<LoggerOptions> = {}): Logger {
  logger = createLogger({ file, level: 'debug', onTrouble: (trouble) => troubles.push(trouble), ...options });
  return logger;
}
type Row = Readonly<Record<string, unknown>>;
const rows = (at = file): Row[] =>
  fs
    .readFileSync(at, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);

/** The logger as a program of its own, to end it in ways that this process cannot. */
function buildProgram(body: string): string {
  const program = path.join(folder, `program-${Math.random().toString(36).slice(2)}.mjs`);
  const logs = fileURLToPath(new URL('../../src/logs/logger.ts', import.meta.url));
  buildSync({
    stdin: {
      contents: `import { createLogger } from ${JSON.stringify(logs)};\n${body}`,
      resolveDir: path.dirname(logs),
      loader: 'ts',
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    logLevel: 'error',
  });
  return program;
}

describe('the log of the program', () => {
  it('writes JSON lines with time, level, message, fields and errors with their causes', async () => {
    const log = open({ now: () => 1_700_000_000_000 });
    await log.start();
    log.info('hello', { ms: 5, time: 'mine' });
    log.error('asking failed', {
      error: new Error('no', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
    });
    log.flushSync();
    const [first, second] = rows();
    expect(first).toEqual({
      time: '2023-11-14T22:13:20.000Z',
      level: 'info',
      message: 'hello',
      ms: 5,
      time_: 'mine',
    });
    expect(second).toMatchObject({
      level: 'error',
      error: { name: 'Error', message: 'no', stack: expect.any(String), cause: { code: 'ECONNREFUSED' } },
    });
  });

  it('keeps the order of what was told before and after winston came, each once', async () => {
    const log = open();
    for (let i = 0; i < 50; i++) log.info(`early ${i}`);
    const started = log.start();
    log.info('while loading');
    log.flushSync();
    await started;
    log.info('late');
    log.flushSync();
    log.flushSync();
    expect(rows().map((row) => row['message'])).toEqual([
      ...Array.from({ length: 50 }, (_, i) => `early ${i}`),
      'while loading',
      'late',
    ]);
  });

  it('writes without a flush in the next turn of the event loop', async () => {
    const log = open();
    await log.start();
    log.info('soon');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rows()).toHaveLength(1);
  });

  it('leaves out what is below the level', async () => {
    const log = open({ level: 'info' });
    await log.start();
    log.debug('no');
    log.info('yes');
    log.flushSync();
    expect(rows().map((row) => row['message'])).toEqual(['yes']);
  });

  it('hides secrets in messages, fields and errors', async () => {
    const log = open({ secrets: ['my-configured-key'] });
    await log.start();
    log.addSecret('told-later-key');
    log.info('with my-configured-key', {
      url: 'http://me:pass1@h',
      headers: { authorization: 'Bearer abcdefgh' },
      error: new Error('told-later-key'),
    });
    log.flushSync();
    const text = fs.readFileSync(file, 'utf8');
    for (const secret of ['my-configured', 'pass1', 'abcdefgh', 'told-later'])
      expect(text).not.toContain(secret);
  });

  it('hands its lines to the log pane in batches', async () => {
    const batches: (readonly LogLine[])[] = [];
    const log = open({ onLines: (lines) => batches.push(lines) });
    log.warn('first', { ms: 3, note: 'two words' });
    await log.start();
    log.error('second', { error: new Error('why'), bad: '\x1b[2J' });
    const end = performance.now() + 3000;
    while (batches.flat().length < 2 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject([
      { level: 'warn', source: 'lmapp', text: 'first ms=3 note="two words"' },
      { level: 'error', source: 'lmapp', text: expect.stringMatching(/^second error=why bad=[^\x1b]*$/) },
    ]);
  });

  it('is 0600 in a folder that is 0700, tightens an older file, and rotated files keep it', async () => {
    fs.mkdirSync(path.dirname(file), { mode: 0o700 });
    fs.writeFileSync(file, '', { mode: 0o644 });
    const log = open({ maxBytes: 2000, kept: 2 });
    await log.start();
    for (let i = 0; i < 200; i++) {
      log.info(`line ${i}`);
      log.flushSync();
    }
    const names = fs.readdirSync(path.dirname(file)).sort();
    expect(names).toEqual(['lmapp.log', 'lmapp.log.1', 'lmapp.log.2']);
    for (const name of names) {
      const stat = fs.statSync(path.join(path.dirname(file), name));
      expect(stat.mode & 0o777).toBe(0o600);
      expect(stat.size).toBeLessThan(2200);
    }
    const all = [`${file}.2`, `${file}.1`, file].flatMap((at) => rows(at)).map((row) => row['message']);
    expect(all).toEqual(Array.from({ length: all.length }, (_, i) => `line ${200 - all.length + i}`));
  });

  it('opens a new file when somebody removed or renamed its own', async () => {
    const log = open();
    await log.start();
    log.info('one');
    log.flushSync();
    fs.renameSync(file, `${file}.moved`);
    log.info('two');
    log.flushSync();
    fs.rmSync(file);
    log.info('three');
    log.flushSync();
    expect(rows().map((row) => row['message'])).toEqual(['three']);
  });

  it('tells once that the disk is full, goes on, and says later how much was lost', async () => {
    if (!fs.existsSync('/dev/full')) return;
    fs.mkdirSync(path.dirname(file));
    fs.symlinkSync('/dev/full', file);
    const log = open();
    await log.start();
    for (let i = 0; i < 300; i++) log.info('x'.repeat(8000));
    log.flushSync();
    log.flushSync();
    expect(troubles).toEqual([
      { message: expect.stringContaining('the disk is full'), hint: expect.stringContaining('space') },
    ]);
    fs.rmSync(file);
    log.info('back');
    log.flushSync();
    expect(rows()[0]?.['message']).toMatch(/lines of this log could not be written/);
    expect(rows().at(-1)?.['message']).toBe('back');
  });

  it('tells a folder that cannot be made or written and goes on', async () => {
    fs.writeFileSync(path.join(folder, 'state'), 'a file where the folder should be');
    const log = open();
    await log.start();
    log.info('x');
    log.flushSync();
    expect(troubles).toHaveLength(1);
    log.close();
    if (process.getuid?.() === 0) return;
    troubles = [];
    const closed = path.join(folder, 'closed');
    fs.mkdirSync(closed, { mode: 0o500 });
    open({ file: path.join(closed, 'a', 'lmapp.log') }).info('x');
    logger?.flushSync();
    expect(troubles[0]).toMatchObject({ message: expect.stringContaining('permission denied') });
  });

  it('tells a pipe that nobody reads, and does not wait for a reader', () => {
    fs.mkdirSync(path.dirname(file));
    spawnSync('mkfifo', [file]);
    const to = open();
    to.info('unheard');
    to.flushSync();
    expect(troubles.map(({ message }) => message)).toEqual([
      `The log ${file} cannot be written: it is a pipe that nobody reads.`,
    ]);
  });

  it('loses nothing when the program exits, throws or never loads winston', () => {
    const program = buildProgram(`
      const log = createLogger({ file: process.argv[2], level: 'debug' });
      log.info('early');
      if (process.argv[3] !== 'early') await log.start();
      for (let i = 0; i < 1000; i++) log.info('line ' + i);
      if (process.argv[3] === 'throw') throw new Error('crash');
      process.exit(3);
    `);
    for (const how of ['exit', 'throw', 'early']) {
      const at = path.join(folder, how, 'lmapp.log');
      const ended = spawnSync(process.execPath, [program, at, how]);
      expect([how, ended.status, rows(at).length]).toEqual([how, how === 'throw' ? 1 : 3, 1001]);
    }
  });

  it('keeps every line whole when two dashboards write and rotate one file', async () => {
    const program = buildProgram(`
      const log = createLogger({ file: process.argv[2], level: 'debug', maxBytes: 40_000, kept: 200 });
      await log.start();
      for (let i = 0; i < 3000; i++) {
        log.info('line', { by: process.argv[3], i, fill: 'x'.repeat(i % 300) });
        if (i % 7 === 0) await new Promise((r) => setImmediate(r));
      }
      log.close();
    `);
    const run = (by: string): Promise<number | null> =>
      new Promise((resolve) =>
        spawn(process.execPath, [program, file, by], { stdio: 'ignore' }).once('exit', resolve),
      );
    expect(await Promise.all([run('a'), run('b')])).toEqual([0, 0]);
    const files = fs.readdirSync(path.dirname(file));
    expect(files.length).toBeGreaterThan(10);
    expect(files).not.toContain('lmapp.log.lock');
    const all = files.flatMap((name) => rows(path.join(path.dirname(file), name)));
    for (const by of ['a', 'b']) {
      const numbers = all.filter((row) => row['by'] === by).map((row) => Number(row['i']));
      expect(numbers.sort((x, y) => x - y)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    }
    for (const name of files)
      expect(fs.statSync(path.join(path.dirname(file), name)).mode & 0o777).toBe(0o600);
  });

  it('does not wait for ever for the lock of a program that was killed', async () => {
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(`${file}.lock`, '');
    fs.utimesSync(`${file}.lock`, new Date(0), new Date(0));
    fs.writeFileSync(file, `${'x'.repeat(5000)}\n`);
    const log = open({ maxBytes: 1000 });
    log.info('after');
    log.flushSync();
    expect(rows().map((row) => row['message'])).toEqual(['after']);
    expect(fs.existsSync(`${file}.1`)).toBe(true);
  });
});
