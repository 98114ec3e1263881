import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GpuSample, SourceState } from '../../src/domain/hardware.js';
import { findExecutable } from '../../src/hardware/executable.js';
import { createNvidiaProbe, type NvidiaTiming } from '../../src/hardware/nvidia.js';
import type { Probe } from '../../src/hardware/probe.js';
import { systemClock, type Ports } from '../../src/ports.js';

let folder = '';
let probe: Probe | null = null;
let ticks: (readonly GpuSample[])[] = [];
let states: SourceState[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-nvidia-'));
  ticks = [];
  states = [];
});
afterEach(async () => {
  probe?.stop();
  await until(() => alive() === 0, 'no child is left').catch(() => undefined);
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A program named nvidia-smi; it notes each start with its process and its arguments. */
function fake(body: string, apps = ':'): void {
  fs.writeFileSync(
    path.join(folder, 'nvidia-smi'),
    // Questions for the programs on the cards are counted apart.
    `#!/bin/sh\ncase "$*" in *compute-apps*) ${apps}; exit;; esac\necho "$$ $*" >> "${folder}/starts"\n${body}\n`,
    { mode: 0o755 },
  );
}
function starts(): string[] {
  try {
    return fs.readFileSync(path.join(folder, 'starts'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}
function alive(): number {
  return starts().filter((line) => {
    try {
      process.kill(Number(line.split(' ')[0]), 0);
      return true;
    } catch {
      return false;
    }
  }).length;
}
async function until(condition: () => boolean, what: string, ms = 8000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(`never: ${what}; states ${JSON.stringify(states)} starts ${JSON.stringify(starts())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
function run(timing: Partial<NvidiaTiming> = {}, root?: string): Probe {
  const ports: Ports = {
    clock: systemClock,
    env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    platform: 'linux',
  };
  probe = createNvidiaProbe({
    ports,
    root: root ?? folder,
    timing: { tickMs: 40, backOffMs: [60_000], ...timing },
  });
  start(probe);
  return probe;
}
function start(started: Probe): void {
  started.start(1000, (report) => {
    if (report.type === 'gpus') ticks.push(report.gpus);
    else if (report.type === 'state') states.push(report.state);
  });
}
const words = (): string[] => states.map((s) => (s.state === 'failed' ? s.reason : s.state));

const TWO = `printf '0, GPU-a, NVIDIA RTX, 0, 596, 16376, 34, 12.02, 320.00, 0, 1980, N/A, [N/A], [N/A], 0x0\\n1, GPU-b, NVIDIA H100, 100, 11125, 81559, 71, 631.95, 700.00, [N/A], 1980, N/A, [N/A], [N/A], 0x0\\n'`;

describe('nvidia-smi as one long-lived child', () => {
  it('is started once with the loop option and tells each tick whole', async () => {
    fake(`while :; do ${TWO}; sleep 0.1; done`);
    run();
    await until(() => ticks.length >= 3, 'three ticks');
    expect(ticks[0]?.map((gpu) => [gpu.id, gpu.utilization])).toEqual([
      ['GPU-a', 0],
      ['GPU-b', 1],
    ]);
    expect(ticks.every((tick) => tick.length === 2)).toBe(true);
    expect(words()).toEqual(['probing', 'live']);
    expect(starts()).toHaveLength(1);
    expect(starts()[0]).toContain('--format=csv,noheader,nounits -l 1');
  });

  it('is live only when its cards were told: who waits for that knows them all', async () => {
    fake(`while :; do ${TWO}; sleep 0.3; done`);
    const order: string[] = [];
    probe = createNvidiaProbe({
      ports: {
        clock: systemClock,
        env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
        platform: 'linux',
      },
      root: folder,
    });
    probe.start(1000, (report) => {
      if (report.type === 'gpus') order.push(`${report.gpus.length} cards`);
      else if (report.type === 'state') order.push(report.state.state);
    });
    await until(() => order.includes('live'), 'live');
    expect(order.slice(0, 3)).toEqual(['probing', '2 cards', 'live']);
  });

  it('is absent without the program, and nothing is started', async () => {
    const bare = createNvidiaProbe({
      ports: { clock: systemClock, env: { PATH: folder }, platform: 'darwin' },
    });
    start(bare);
    expect(words()).toEqual(['absent']);
    bare.stop();
  });

  it('reads lines in pieces, with carriage returns, headers, blank lines and warnings between', async () => {
    fake(
      `printf 'index, uuid, name\\r\\n\\r\\n0, GPU-a, NVI'; sleep 0.1; printf 'DIA X, 5, 1, 2, 3, 4, 5, 6, 1980, N/A, [N/A], [N/A], 0x0\\r\\nWARNING: infoROM is corrupted at gpu 0000:0B:00.0\\r\\nUnable to determine the device handle\\r\\n'; exec sleep 30`,
    );
    run();
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks).toEqual([[expect.objectContaining({ name: 'NVIDIA X', utilization: 0.05 })]]);
  });

  it('hides the work of a card that the first question woke, then shows it', async () => {
    fake(
      `echo '0, GPU-a, L40S, 100, 0, 46068, 30, 145, 350, 0, 1980, N/A, [N/A], [N/A], 0x0'; sleep 0.2; echo '0, GPU-a, L40S, 100, 0, 46068, 30, 145, 350, 0, 1980, N/A, [N/A], [N/A], 0x0'; exec sleep 30`,
    );
    run();
    await until(() => ticks.length === 2, 'two ticks');
    expect(ticks.map((tick) => tick[0]?.utilization)).toEqual([null, 1]);
  });

  it('asks for fewer fields when the driver does not know one', async () => {
    fake(
      `case "$*" in *fan.speed*) echo 'Field "fan.speed" is not a valid field to query.'; exit 2;; esac; echo '0, GPU-a, Old, 7, 1, 2, 3, 4'; exec sleep 30`,
    );
    run();
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks[0]?.[0]).toMatchObject({ utilization: 0.07, fan: null });
    expect(starts()).toHaveLength(2);
  });

  it.each([
    [
      'echo "Failed to initialize NVML: Driver/library version mismatch"; echo "NVML library version: 550.144"; exit 18',
      'the NVIDIA driver was updated: reboot',
    ],
    [
      `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9`,
      'the NVIDIA driver is not running',
    ],
    ['echo "No devices were found"; exit 6', 'absent'],
    ['kill -SEGV $$', 'nvidia-smi crashed (SIGSEGV)'],
    ['exit 255', 'nvidia-smi ended (exit code 255)'],
  ])('%s is told as a reason', async (body, reason) => {
    fake(body);
    run();
    await until(() => words().includes(reason), reason);
    expect(words()).toEqual(['probing', reason]);
    expect(starts()).toHaveLength(1);
  });

  it('is started again after growing pauses, and not when there is no card', async () => {
    fake('exit 255');
    run({ backOffMs: [20, 40, 60] });
    await until(() => starts().length >= 4, 'four starts');
    probe?.stop();
    const count = starts().length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(starts().length).toBeLessThanOrEqual(count + 1);
  });

  it('that stays silent is ended and told', async () => {
    fake('exec sleep 30');
    run({ firstAnswerMs: 200 });
    await until(() => words().includes('nvidia-smi does not answer'), 'told');
    await until(() => alive() === 0, 'ended');
    expect(words().filter((word) => word === 'nvidia-smi does not answer').length).toBeGreaterThan(0);
  });

  it('that tells only noise is ended and told', async () => {
    fake('while :; do echo noise; sleep 0.01; done');
    run();
    await until(() => words().includes('nvidia-smi tells nothing that can be read'), 'told');
    await until(() => alive() === 0, 'ended');
  });

  it('that ignores SIGTERM is killed; a second one is never started beside it', async () => {
    fake(`trap '' TERM; while :; do ${TWO}; sleep 0.1; done`);
    const nvidia = run();
    await until(() => ticks.length > 0, 'a tick');
    nvidia.stop();
    const before = ticks.length;
    start(nvidia);
    expect(starts()).toHaveLength(1);
    await until(() => starts().length === 2, 'the next one');
    expect(alive()).toBe(1);
    await until(() => ticks.length > before, 'a tick of the next one');
    nvidia.stop();
    await until(() => alive() === 0, 'killed');
  }, 20_000);

  it('is done when it ended though a grandchild holds its pipe', async () => {
    fake(`${TWO}; sleep 3 & exit 255`);
    run();
    await until(() => words().includes('nvidia-smi ended (exit code 255)'), 'told', 2000);
    expect(ticks).toHaveLength(1);
  });

  it('that ends with a fault is read to its end first', async () => {
    fake(`${TWO}; echo 'WARNING: infoROM is corrupted at gpu 0000:0B:00.0'; exit 14`);
    run();
    await until(() => words().includes('the infoROM of a GPU is corrupt'), 'told');
    expect(ticks).toHaveLength(1);
    expect(ticks[0]).toHaveLength(2);
  });

  it('that crashes after its first readings is told and tried again', async () => {
    fake(`${TWO}; kill -SEGV $$`);
    run({ backOffMs: [20] });
    await until(() => starts().length >= 2, 'the next one');
    expect(words().slice(0, 3)).toEqual(['probing', 'live', 'nvidia-smi crashed (SIGSEGV)']);
    const failed = states.find((state) => state.state === 'failed');
    expect(failed).toMatchObject({ nextTryMs: expect.any(Number) });
  });

  it('that falls silent after a reading is old first, and ended later', async () => {
    fake(`${TWO}; exec sleep 30`);
    run({ staleMs: 0, silenceMs: 0 });
    await until(() => words().includes('stale'), 'stale');
    expect(alive()).toBe(1);
  });

  it('asks for the common fields when only a new one is not known', async () => {
    fake(
      `case "$*" in *mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2;; esac; echo '0, GPU-a, Old, 7, 1, 2, 3, 4, 5, 60'; exec sleep 30`,
    );
    run();
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks[0]?.[0]).toMatchObject({ utilization: 0.07, fan: 0.6 });
  });

  it('tells the programs on each card, those whose memory is not told too', async () => {
    fake(
      `while :; do ${TWO}; sleep 0.1; done`,
      `printf '4711, GPU-b, 5120, /usr/lib/ollama/ollama\\n812, GPU-b, [N/A], C:\\\\Program Files\\\\app, one.exe\\nNo running processes found\\n'`,
    );
    run();
    await until(() => ticks.at(-1)?.[1]?.processes?.length === 2, 'two programs');
    expect(ticks.at(-1)?.map((gpu) => gpu.processes)).toEqual([
      [],
      [
        { pid: 4711, name: 'ollama', memoryBytes: 5120 * 1024 * 1024 },
        { pid: 812, name: 'app, one.exe', memoryBytes: null },
      ],
    ]);
  });

  it('has no list of programs when that question fails', async () => {
    fake(`while :; do ${TWO}; sleep 0.05; done`, `touch "${folder}/asked"; exit 9`);
    run();
    await until(() => fs.existsSync(path.join(folder, 'asked')) && ticks.length > 3, 'asked');
    expect(ticks.at(-1)?.[0]?.processes).toBeUndefined();
  });

  it('gives a card without memory of its own that of the machine, and as used what its programs have', async () => {
    fs.mkdirSync(path.join(folder, 'proc'));
    fs.writeFileSync(path.join(folder, 'proc/meminfo'), 'MemTotal:       125829120 kB\n');
    fake(
      `while :; do echo '0, GPU-c, NVIDIA GB10, 96, [N/A], [N/A], 60, 35.10, [N/A], [N/A], 2418, N/A, [N/A], [N/A], 0x0000000000000004'; sleep 0.1; done`,
      `echo '9, GPU-c, 2048, llama-server'`,
    );
    run();
    await until(() => ticks.at(-1)?.[0]?.memoryUsedBytes === 2 ** 31, 'used memory');
    expect(ticks[0]?.[0]).toMatchObject({ shared: true, memoryTotalBytes: 125829120 * 1024 });
    expect(ticks[0]?.[0]).toMatchObject({ clockMHz: 2418, slowedBy: 'power limit', note: null });
  });

  it('is found where WSL puts it, though it is not in PATH', () => {
    expect(findExecutable('nvidia-smi', { PATH: '/nowhere' }, 'linux', [folder])).toBeNull();
    fake('');
    expect(findExecutable('nvidia-smi', { PATH: '/nowhere' }, 'linux', [folder])).toBe(
      path.join(folder, 'nvidia-smi'),
    );
  });

  it('is not started while every card sleeps', () => {
    fake(`${TWO}; exec sleep 30`);
    const device = path.join(folder, 'sys/bus/pci/devices/0000:01:00.0');
    fs.mkdirSync(path.join(device, 'power'), { recursive: true });
    fs.writeFileSync(path.join(device, 'vendor'), '0x10de\n');
    fs.writeFileSync(path.join(device, 'class'), '0x030000\n');
    fs.writeFileSync(path.join(device, 'power/runtime_status'), 'suspended\n');
    run();
    expect(words()).toEqual(['live']);
    expect(ticks).toEqual([[expect.objectContaining({ note: 'asleep', utilization: null, powerW: null })]]);
    expect(starts()).toHaveLength(0);
  });
});
