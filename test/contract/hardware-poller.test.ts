import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MachineDetail, MachineSample } from '../../src/domain/hardware.js';
import { readFacts, type FactsOptions } from '../../src/hardware/facts.js';
import { createMachinePoller, type MachinePoller, type PolledProbe } from '../../src/hardware/poller.js';
import type { ProbeReport } from '../../src/hardware/probe.js';
import { systemClock, type Ports } from '../../src/ports.js';
import { createManualClock } from '../support/manual-clock.js';
import { NETSTAT, VM_STAT } from '../unit/hardware/mac-fixtures.js';
import { makeTree, MEMINFO } from '../unit/hardware/tree.js';

let folder = '';
let poller: MachinePoller | null = null;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-poller-'));
});
afterEach(() => {
  poller?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const ports = (platform: NodeJS.Platform = 'linux'): Ports => ({
  clock: systemClock,
  env: process.env,
  platform,
});

interface Recorded {
  readonly polled: PolledProbe;
  readonly calls: string[];
  report(report: ProbeReport): void;
}
function recorded(shows: 'machine' | 'gpu', child: boolean): Recorded {
  let to: (report: ProbeReport) => void = () => undefined;
  const calls: string[] = [];
  const probe = {
    id: shows,
    start(intervalMs: number, report: (report: ProbeReport) => void) {
      calls.push(`start ${intervalMs}`);
      to = report;
    },
    stop: () => void calls.push('stop'),
  };
  return { polled: { probe, shows, child }, calls, report: (report) => to(report) };
}

describe('polling what is shown', () => {
  it('runs nothing before and nothing that is hidden', () => {
    const machine = recorded('machine', false);
    const gpu = recorded('gpu', true);
    poller = createMachinePoller({
      ports: ports(),
      report: () => undefined,
      probes: [machine.polled, gpu.polled],
    });
    expect([machine.calls, gpu.calls]).toEqual([[], []]);
    poller.watch({ machine: true, gpu: false, intervalMs: 1000 });
    poller.watch({ machine: true, gpu: false, intervalMs: 1000 });
    expect([machine.calls, gpu.calls]).toEqual([['start 1000'], []]);
    poller.watch({ machine: true, gpu: false, intervalMs: 5000 });
    poller.watch({ machine: false, gpu: false, intervalMs: 5000 });
    expect(machine.calls).toEqual(['start 1000', 'stop', 'start 5000', 'stop']);
  });

  it('keeps a child for a while when its pane is hidden, drops what it says, and then ends it', async () => {
    const gpu = recorded('gpu', true);
    const reports: ProbeReport[] = [];
    poller = createMachinePoller({
      ports: ports(),
      report: (report) => reports.push(report),
      probes: [gpu.polled],
      lingerMs: 60,
    });
    const shown = { machine: false, gpu: true, intervalMs: 1000 };
    poller.watch(shown);
    poller.watch({ ...shown, gpu: false });
    gpu.report({ type: 'state', state: { state: 'live' } });
    expect(reports).toEqual([]);
    poller.watch(shown);
    expect(gpu.calls).toEqual(['start 1000']);
    expect(reports).toEqual([{ type: 'state', state: { state: 'live' } }]);
    poller.watch({ ...shown, gpu: false });
    await until(() => gpu.calls.length === 2, 'ended');
    expect(gpu.calls).toEqual(['start 1000', 'stop']);
    poller.watch(shown);
    expect(gpu.calls).toEqual(['start 1000', 'stop', 'start 1000']);
  });

  it('changes the interval of a child only when it stays changed', async () => {
    const gpu = recorded('gpu', true);
    poller = createMachinePoller({
      ports: ports(),
      report: () => undefined,
      probes: [gpu.polled],
      lingerMs: 60,
    });
    poller.watch({ machine: false, gpu: true, intervalMs: 1000 });
    poller.watch({ machine: false, gpu: true, intervalMs: 5000 });
    poller.watch({ machine: false, gpu: true, intervalMs: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(gpu.calls).toEqual(['start 1000']);
    poller.watch({ machine: false, gpu: true, intervalMs: 5000 });
    await until(() => gpu.calls.length === 3, 'the new interval');
    expect(gpu.calls).toEqual(['start 1000', 'stop', 'start 5000']);
  });

  it('reads nothing of a Linux machine that is hidden, and a fifth as much without the focus', () => {
    const root = makeTree({ 'proc/stat': 'cpu  1 1 1 1 1 1 1 1 0 0\n', 'proc/meminfo': MEMINFO });
    const clock = createManualClock();
    const told: string[] = [];
    poller = createMachinePoller({
      ports: { clock, env: { HOME: root }, platform: 'linux' },
      root,
      report: ({ type }) => told.push(type),
    });
    const within20s = (watch: { machine: boolean; intervalMs: number }): Record<string, number> => {
      poller?.watch({ gpu: false, ...watch });
      told.length = 0;
      clock.advance(20_000);
      const count = (type: string): number => told.filter((each) => each === type).length;
      return { machine: count('machine'), detail: count('detail') };
    };
    // Details come once soon after the begin, then with every second beat.
    expect(within20s({ machine: true, intervalMs: 1000 })).toEqual({ machine: 20, detail: 1 + 10 });
    expect(within20s({ machine: true, intervalMs: 5000 })).toEqual({ machine: 4, detail: 1 + 2 });
    expect(within20s({ machine: false, intervalMs: 1000 })).toEqual({ machine: 0, detail: 0 });
  });

  it('reads this machine on Linux', async () => {
    if (process.platform !== 'linux') return;
    const samples: MachineSample[] = [];
    poller = createMachinePoller({
      ports: ports(),
      report: (r, source) => r.type === 'machine' && source === 'machine' && samples.push(r.sample),
    });
    poller.watch({ machine: true, gpu: false, intervalMs: 250 });
    await until(() => samples.length >= 2, 'two samples');
    expect(samples[0]?.cpu).toBeNull();
    expect(samples[1]?.cpu).toBeGreaterThanOrEqual(0);
  });
});

describe('the child that asks systeminformation', () => {
  function built(): string {
    const outfile = path.join(folder, 'facts-child.mjs');
    buildSync({
      entryPoints: [fileURLToPath(new URL('../../src/hardware/facts-child.ts', import.meta.url))],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
      logLevel: 'error',
    });
    return outfile;
  }
  const facts = (childPath: string, more: Partial<FactsOptions> = {}) =>
    readFacts({
      cacheFile: path.join(folder, 'cache', 'machine.json'),
      childPath,
      env: process.env,
      now: () => 1e12,
      ...more,
    });
  /** A child that notes that it ran. */
  function fakeChild(body: string): string {
    const file = path.join(folder, 'child.mjs');
    fs.writeFileSync(
      file,
      `import fs from 'node:fs'; fs.appendFileSync(${JSON.stringify(path.join(folder, 'runs'))}, 'x');\n${body}`,
    );
    return file;
  }
  const runs = (): number => fs.readFileSync(path.join(folder, 'runs'), 'utf8').length;
  const ANSWER = `console.log(JSON.stringify({ system: 'Debian 12', processor: 'EPYC', cores: 2, memoryBytes: 5, gpus: ['NVIDIA X', 7] }));`;

  it('tells the facts of this machine', async () => {
    const told = await facts(built());
    expect(told.cores).toBeGreaterThan(0);
    expect(told.memoryBytes).toBeGreaterThan(1e6);
    expect(told.system).toEqual(expect.any(String));
  });

  it('is asked once in 7 days; the answer lies in a file of 0600', async () => {
    const child = fakeChild(ANSWER);
    expect(await facts(child)).toEqual({
      system: 'Debian 12',
      processor: 'EPYC',
      cores: 2,
      memoryBytes: 5,
      gpus: ['NVIDIA X'],
    });
    await facts(child);
    expect(runs()).toBe(1);
    expect(fs.readdirSync(path.join(folder, 'cache'))).toEqual(['machine.json']);
    expect(fs.statSync(path.join(folder, 'cache', 'machine.json')).mode & 0o777).toBe(0o600);
    await facts(child, { now: () => 1e12 + 8 * 24 * 3600 * 1000 });
    expect(runs()).toBe(2);
    fs.writeFileSync(path.join(folder, 'cache', 'machine.json'), '{"key":');
    await facts(child);
    expect(runs()).toBe(3);
  });

  it.each([
    ['that fails', 'process.exit(1);'],
    ['that tells nonsense', `console.log('<html>');`],
    ['that hangs', 'setInterval(() => {}, 1000);'],
    ['that is not there', null],
  ])('%s leaves what Node knows', async (_, body) => {
    const child = body === null ? path.join(folder, 'missing.mjs') : fakeChild(body);
    const told = await facts(child, { timeoutMs: 500 });
    expect(told).toMatchObject({ processor: null, cores: os.availableParallelism(), gpus: [] });
    expect(fs.existsSync(path.join(folder, 'cache'))).toBe(false);
  });

  it('goes on when the cache cannot be written', async () => {
    fs.writeFileSync(path.join(folder, 'cache'), 'a file');
    expect((await facts(fakeChild(ANSWER))).processor).toBe('EPYC');
  });

  it('samples a machine without /proc', async () => {
    const samples: MachineSample[] = [];
    const states: string[] = [];
    poller = createMachinePoller({
      ports: ports('darwin'),
      childPath: built(),
      lingerMs: 0,
      report: (r, source) =>
        r.type === 'machine'
          ? samples.push(r.sample)
          : r.type === 'state' && source === 'machine' && states.push(r.state.state),
    });
    poller.watch({ machine: true, gpu: true, intervalMs: 1000 });
    await until(() => samples.length >= 2, 'two samples');
    expect(samples[0]).toMatchObject({ cpu: null, memoryTotalBytes: expect.any(Number) });
    expect(samples[1]?.cpu).toBeGreaterThanOrEqual(0);
    expect(states).toEqual(['probing', 'live']);
  });

  it('reads a Mac through its own programs, also when one of them hangs', async () => {
    if (process.platform === 'win32') return;
    const tool = (name: string, body: string): void =>
      fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    const prints = (name: string, text: string): void => {
      fs.writeFileSync(path.join(folder, `${name}.txt`), text);
      tool(name, `exec cat "${folder}/${name}.txt"`);
    };
    prints('vm_stat', VM_STAT);
    // It complains about one name and tells the other.
    tool('sysctl', `echo 'unknown oid' >&2; echo 4; exit 1`);
    prints('netstat', NETSTAT);
    tool('pmset', 'exec sleep 60');
    tool(
      'ps',
      `case "$*" in -axo*) echo "42 1 /usr/local/bin/ollama serve";; *) echo "42 1000 0:01.00";; esac`,
    );
    const childPath = built();
    const details: MachineDetail[] = [];
    const samples: MachineSample[] = [];
    poller = createMachinePoller({
      ports: { ...ports('darwin'), env: { ...process.env, PATH: `${folder}:/usr/bin:/bin` } },
      childPath,
      diskFolder: folder,
      report: (r) =>
        r.type === 'machine' ? samples.push(r.sample) : r.type === 'detail' && details.push(r.detail),
    });
    poller.watch({ machine: true, gpu: false, intervalMs: 1000 });
    await until(() => (details.at(-1)?.processes ?? []).length > 0, 'the processes');
    expect(samples[0]).toMatchObject({
      memoryUsedBytes: 945_000 * 16_384,
      swapUsedBytes: null,
      diskFreeBytes: expect.any(Number),
    });
    expect(details.at(-1)).toEqual({
      pressure: { cpuSome: null, memorySome: null, memoryFull: null, ioSome: null, level: 'critical' },
      load5: expect.any(Number),
      load15: expect.any(Number),
      ioWait: null,
      coresAllowed: null,
      temperatures: [],
      battery: null,
      disks: [expect.objectContaining({ path: folder })],
      processes: [expect.objectContaining({ pid: 42, name: 'ollama', residentBytes: 1_024_000 })],
      oomKills: null,
    });
    await until(() => samples.at(-1)?.netReceivedPerSecond === 0, 'a rate of the network');
  });

  it('ends by itself when its reader is gone', async () => {
    const child = spawn(process.execPath, [built(), '--poll', '200'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await ended).toBe(0);
  });
});
