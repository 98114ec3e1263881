import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ServerProcess } from '../../src/domain/hardware.js';
import { openProcessWatch, type ProcessWatch } from '../../src/hardware/processes.js';
import { systemClock } from '../../src/ports.js';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('the processes of model servers', () => {
  let folder = '';
  let watch: ProcessWatch | null = null;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-processes-'));
  });
  afterEach(() => {
    watch?.stop();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const open = (serverPorts: readonly number[] = []): ProcessWatch =>
    (watch = openProcessWatch({
      clock: systemClock,
      root: '/',
      pid: process.pid,
      uid: process.getuid?.() ?? -1,
      serverPorts: () => serverPorts,
    }));

  /** Node under another name; `body` runs in it. Resolves with its first line. */
  async function run(
    name: string,
    body: string,
    args: readonly string[] = [],
  ): Promise<[ChildProcess, string]> {
    const file = path.join(folder, name);
    fs.symlinkSync(process.execPath, file);
    const script = path.join(folder, `${name}.cjs`);
    fs.writeFileSync(script, body);
    const child = spawn(file, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder });
    children.push(child);
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())),
    );
    return [child, line];
  }
  const LISTENS = `const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port));`;

  async function found(
    from: ProcessWatch,
    is: (processes: readonly ServerProcess[]) => boolean,
  ): Promise<readonly ServerProcess[]> {
    const end = performance.now() + 10_000;
    for (;;) {
      from.find();
      await new Promise((resolve) => setTimeout(resolve, 30));
      const told = from.sample() ?? [];
      if (is(told) || performance.now() > end) return told;
    }
  }

  it('finds a server by its name, with its port, its model and its memory', async () => {
    const [child, port] = await run('llama-server', LISTENS, ['-m', '/models/tiny.gguf']);
    const told = await found(open(), (all) => all.some(({ pid }) => pid === child.pid));
    expect(told.find(({ pid }) => pid === child.pid)).toMatchObject({
      name: 'llama-server',
      ports: [Number(port)],
      model: 'tiny',
      memoryBytes: expect.any(Number),
      mappedBytes: expect.any(Number),
    });
    expect(told.find(({ pid }) => pid === process.pid)).toMatchObject({ name: 'lmapp' });
  });

  it('finds a server of any name by the port on which it is known to answer', async () => {
    const [child, port] = await run('my-server', LISTENS);
    const [other] = await run('other-server', LISTENS);
    const told = await found(open([Number(port)]), (all) => all.some(({ pid }) => pid === child.pid));
    expect(told.find(({ pid }) => pid === child.pid)).toMatchObject({ ports: [Number(port)] });
    expect(told.some(({ pid }) => pid === other.pid)).toBe(false);
  });

  it('tells the CPU time between two samples, and none at first', async () => {
    const [child] = await run('llama-server', `console.log('up'); for (;;) Math.random();`);
    const from = open();
    const of = (told: readonly ServerProcess[] | null) => told?.find(({ pid }) => pid === child.pid);
    const first = await found(from, (all) => of(all) !== undefined);
    expect(of(first)?.cpu).toBeNull();
    const then = await found(from, (all) => (of(all)?.cpu ?? 0) > 0);
    expect(of(then)?.cpu).toBeGreaterThan(0);
  });

  it('drops a server that has ended', async () => {
    const [child] = await run('llama-server', LISTENS);
    const from = open();
    await found(from, (all) => all.some(({ pid }) => pid === child.pid));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(from.sample()?.some(({ pid }) => pid === child.pid)).toBe(false);
  });

  it('knows nothing before its first search and nothing where there is no /proc', () => {
    expect(open().sample()).toBeNull();
    const nowhere = openProcessWatch({
      clock: systemClock,
      root: folder,
      pid: 1,
      uid: 0,
      serverPorts: () => [],
    });
    nowhere.find();
    expect(nowhere.sample()).toBeNull();
  });
});
