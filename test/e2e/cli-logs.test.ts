import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { LMAPP, runLmapp, type RunResult } from '../support/run-lmapp.js';

let home: Home;
let file: string;

beforeEach(() => {
  home = makeHome();
  file = path.join(home.folder, 'server.log');
  fs.writeFileSync(
    file,
    [
      '2026-01-01T10:00:00Z INFO first',
      '2026-01-01T10:00:02Z ERROR \x1b[31msecond\x1b[0m',
      '0.04.021.086 I slot launch_slot_: id  1 | task 27 | processing',
      '2026-01-01T10:00:04Z WARN last',
      '',
    ].join('\n'),
  );
});
afterEach(() => home.remove());

const logs = (...args: string[]): Promise<RunResult> =>
  runLmapp(['logs', '--no-discovery', ...args], { env: home.env });

describe('lmapp logs', () => {
  it('prints the end of a log with time, level and source, and nothing that moves a cursor', async () => {
    const { code, stdout, stderr } = await logs('--source', file);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^2026-01-01T\d\d:\d\d:02\.000[+-]\d\d:\d\d ERROR server\.log {2}ERROR second$/);
    expect((await logs('--source', file, '--lines', '1')).stdout).toMatch(/ WARN last\n$/);
    expect((await logs('--source', file, '--lines', '0')).stdout).toBe('');
  });

  it('gives as many lines as are wanted, however long they are, and skips none', async () => {
    const many = path.join(home.folder, 'many.log');
    fs.writeFileSync(many, '2026-01-01T10:00:00Z ERROR early\n');
    const line = `2026-01-01T10:00:01Z INFO ${'words '.repeat(10)}\n`;
    fs.appendFileSync(many, line.repeat(60_000));
    const all = await logs('--source', many, '--lines', '100000');
    expect([all.stderr, all.stdout.split('\n').length]).toEqual(['', 60_002]);
    const command = await logs('--source', `cmd:cat '${many}'`, '--lines', '100000');
    expect([command.stderr, command.stdout.split('\n').length]).toEqual(['', 60_002]);
    fs.appendFileSync(many, `${'x'.repeat(1_000_000)}\nlast`);
    const three = (await logs('--source', many, '--lines', '3')).stdout.trimEnd().split('\n');
    expect(three.map((text) => text.slice(-8))).toEqual(
      ['words ', ' … (cut)', '  last'].map((end) => expect.stringContaining(end)),
    );
  });

  it('looks for what is filtered far behind the lines that would be shown, and says how far', async () => {
    const many = path.join(home.folder, 'many.log');
    fs.writeFileSync(many, '2026-01-01T10:00:00Z ERROR early\n2026-01-01T10:00:00Z INFO needle\n');
    fs.appendFileSync(many, '2026-01-01T10:00:01Z INFO x\n'.repeat(50_000));
    const errors = await logs('--source', many, '--level', 'error');
    expect([errors.stderr, errors.stdout]).toEqual(['', expect.stringMatching(/ERROR early\n$/)]);
    expect((await logs('--source', many, '--grep', 'needle')).stdout).toMatch(/needle\n$/);
    fs.appendFileSync(many, '2026-01-01T10:00:01Z INFO x\n'.repeat(60_000));
    const far = await logs('--source', many, '--level', 'error');
    expect([far.code, far.stdout]).toEqual([0, '']);
    expect(far.stderr).toMatch(/^lmapp: of many\.log the last 10\d,\d{3} lines were looked at\n$/);
  });

  it('says so where a log has no line at all', async () => {
    const empty = path.join(home.folder, 'empty.log');
    fs.writeFileSync(empty, '');
    const { code, stdout, stderr } = await logs('--source', empty);
    expect([code, stdout, stderr]).toEqual([0, '', 'lmapp: no line in empty.log\n']);
  });

  it('prints an object a line with --json, chosen by level and expression', async () => {
    const read = async (...args: string[]): Promise<readonly Record<string, unknown>[]> =>
      (await logs('--source', file, '--json', ...args)).stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect((await read('--level', 'warn')).map(({ level }) => level)).toEqual(['error', 'warn']);
    expect(await read('--grep', 'task \\d+')).toMatchObject([
      { level: 'info', source: 'server.log', requestId: 'task 27' },
    ]);
    expect(await read('--grep', 'FIRST')).toEqual([]);
    expect(await read('--grep', 'first')).toEqual([
      {
        at: '2026-01-01T10:00:00.000Z',
        level: 'info',
        source: 'server.log',
        text: 'INFO first',
        requestId: null,
      },
    ]);
  });

  it('puts several sources in one by time', async () => {
    const { stdout } = await logs(
      '--source',
      file,
      '--source',
      `cmd:echo '2026-01-01T10:00:01Z INFO between'`,
    );
    const texts = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('  ').slice(-1)[0]);
    expect(texts.slice(0, 3)).toEqual(['INFO first', 'INFO between', 'ERROR second']);
  });

  it('lists the sources with what they do and the next step', async () => {
    fs.mkdirSync(path.join(home.folder, 'config', 'lmapp'), { recursive: true });
    fs.writeFileSync(
      path.join(home.folder, 'config', 'lmapp', 'config.json'),
      JSON.stringify({
        follow: [file],
        backends: [{ url: 'http://127.0.0.1:9', kind: 'ollama', log: 'cmd:exit 3' }],
      }),
    );
    const { code, stdout } = await logs('--list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'lmapp', state: 'waiting', nextStep: expect.stringContaining('followed as soon as') },
      { name: 'server.log', state: 'following', reason: null, place: file },
      { name: 'ollama', state: 'failed', reason: expect.stringContaining('exit code 3') },
    ]);
    expect((await logs('--list')).stdout).toMatch(/^server\.log +following +\//m);
    const one = await logs('--source', 'server.log', '--lines', '1');
    expect(one.stdout).toMatch(/WARN last/);
  });

  it.each([
    [['--source', 'nothing'], 2, /there is no log nothing/, /lmapp/],
    [['--source', 'journald:-f'], 2, /needs the name of a unit/, /A place of a log is/],
    [['--grep', '(a+)+'], 2, /--grep: it repeats/, /./],
    [['--level', 'loud'], 2, /allowed is debug, info, warn, error/, /./],
    [['--source', '/nowhere/x.log'], 1, /does not exist yet/, /--follow/],
  ])('refuses %j with the next step', async (args, code, what, next) => {
    const result = await logs(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(what);
    expect(result.stderr).toMatch(next);
    expect(result.stdout).toBe('');
  });

  it('goes on with what is written until Ctrl+C, which gives 130 and ends what it started', async () => {
    const marker = `lmapp-test-${process.pid}-${Date.now()}`;
    const followed = runLmapp(
      ['logs', '--follow', '--source', file, '--source', `cmd:echo ${marker} is up; sleep 600`],
      {
        env: home.env,
        input: null,
        onStart(child) {
          let seen = '';
          child.stdout?.on('data', (text: string) => {
            seen += text;
            if (seen.includes('WARN last') && !seen.includes('INFO new'))
              fs.appendFileSync(file, 'INFO new\n');
            if (seen.includes('INFO new') && seen.includes(marker)) child.kill('SIGINT');
          });
        },
      },
    );
    const { code, stdout } = await followed;
    expect(code).toBe(130);
    expect(stdout).toMatch(/INFO new/);
    const left = (): boolean =>
      fs
        .readdirSync('/proc')
        .some((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(`echo ${marker} is up; sleep`));
    for (const end = performance.now() + 5000; left() && performance.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(left()).toBe(false);
  });

  it('is quiet when its reader leaves', async () => {
    const shell = spawn(
      '/bin/sh',
      ['-c', `"${process.execPath}" "${LMAPP}" logs --source 'cmd:yes' --follow | head -1; echo done >&2`],
      { env: { PATH: process.env['PATH'] ?? '', ...home.env } },
    );
    let stderr = '';
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise((resolve) => shell.once('close', resolve));
    expect(code).toBe(0);
    expect(stderr.replace(/^lmapp: \d+ lines of yes were skipped.*\n/gm, '')).toBe('done\n');
  });
});

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
