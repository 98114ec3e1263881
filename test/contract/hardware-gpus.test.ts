import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { checkCards } from '../../src/commands/doctor-gpu.js';
import type { GpuSample, SourceState } from '../../src/domain/hardware.js';
import { createAmdProbe } from '../../src/hardware/amd.js';
import { createAppleProbe } from '../../src/hardware/apple.js';
import { createIntelProbe } from '../../src/hardware/intel.js';
import type { Probe } from '../../src/hardware/probe.js';
import { systemClock, type Ports } from '../../src/ports.js';
import { makeTree, writeTree } from '../unit/hardware/tree.js';

const GIB = 1024 ** 3;
let probe: Probe | null = null;
let root = '';
afterEach(async () => {
  probe?.stop();
  await until(() => pids().every((pid) => !isAlive(pid)), 'no child is left');
  fs.rmSync(root, { recursive: true, force: true });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 8000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Watched {
  readonly ticks: (readonly GpuSample[])[];
  readonly states: SourceState[];
}
function watch(started: Probe): Watched {
  probe = started;
  const watched: Watched = { ticks: [], states: [] };
  started.start(100, (report) => {
    if (report.type === 'gpus') watched.ticks.push(report.gpus);
    if (report.type === 'state') watched.states.push(report.state);
  });
  return watched;
}
/** PATH is the folder `bin` of the tree, with what the fakes themselves need. */
const ports = (platform: NodeJS.Platform = 'linux'): Ports => ({
  clock: systemClock,
  env: { PATH: `${path.join(root, 'bin')}:/usr/bin:/bin` },
  platform,
});
function program(name: string, body: string): void {
  fs.mkdirSync(path.join(root, 'bin'), { recursive: true });
  fs.writeFileSync(
    path.join(root, 'bin', name),
    `#!/bin/sh\necho "$$ $*" >> "${root}/${name}.runs"\n${body}\n`,
    {
      mode: 0o755,
    },
  );
}
const runs = (name: string): number => {
  const file = path.join(root, `${name}.runs`);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').length : 0;
};
/** Processes of all programs that ran. */
function pids(): readonly number[] {
  return fs
    .readdirSync(root)
    .filter((name) => name.endsWith('.runs'))
    .flatMap((name) => fs.readFileSync(path.join(root, name), 'utf8').trim().split('\n'))
    .map((line) => Number(line.split(' ')[0]));
}
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
/** A card at its PCI address, as /sys has it. */
function card(number: number, place: string, files: Readonly<Record<string, string>>): void {
  const device = `sys/devices/pci0000:00/${place}`;
  writeTree(
    root,
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${device}/${name}`, `${text}\n`])),
  );
  const drm = path.join(root, `sys/class/drm/card${number}`);
  fs.mkdirSync(drm, { recursive: true });
  fs.mkdirSync(`${drm}-DP-1`, { recursive: true });
  fs.symlinkSync(path.join(root, device), path.join(drm, 'device'));
}
const FAST = { leastMs: 20 };

describe('AMD cards', () => {
  const CARD = {
    vendor: '0x1002',
    device: '0x744c',
    revision: '0xc8',
    gpu_busy_percent: '41',
    mem_info_vram_total: String(24 * GIB),
    mem_info_vram_used: String(6 * GIB),
    mem_info_gtt_total: String(48 * GIB),
    mem_info_gtt_used: '0',
    mem_info_vram_vendor: 'hynix',
    'hwmon/hwmon3/temp1_input': '52000',
    'hwmon/hwmon3/temp1_label': 'edge',
    'hwmon/hwmon3/power1_average': '180000000',
    'power/runtime_status': 'active',
  };

  it('are read from /sys, with a name, one that sleeps only by its name', async () => {
    root = makeTree({ 'usr/share/libdrm/amdgpu.ids': '744C,\tC8,\tAMD Radeon RX 7900 XTX\n' });
    card(0, '0000:03:00.0', CARD);
    card(1, '0000:0a:00.0', { ...CARD, 'power/runtime_status': 'suspended' });
    card(2, '0000:00:02.0', { vendor: '0x8086' });
    const { ticks, states } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => ticks.length > 1, 'two ticks');
    expect(ticks[0]).toEqual([
      expect.objectContaining({
        id: 'amd-0000:03:00.0',
        name: 'AMD Radeon RX 7900 XTX',
        utilization: 0.41,
        memoryUsedBytes: 6 * GIB,
        memoryTotalBytes: 24 * GIB,
        temperatureC: 52,
        powerW: 180,
        fan: null,
      }),
      expect.objectContaining({ id: 'amd-0000:0a:00.0', index: 1, utilization: null, note: 'asleep' }),
    ]);
    expect(states.map(({ state }) => state)).toEqual(['probing', 'live']);
  });

  it('keep what can be read when a file is missing or cannot be read', async () => {
    root = makeTree({});
    const { mem_info_vram_used: _, ...rest } = CARD;
    card(0, '0000:03:00.0', rest);
    // A folder in the place of a file is refused as a busy device is: by an error.
    fs.rmSync(path.join(root, 'sys/devices/pci0000:00/0000:03:00.0/gpu_busy_percent'));
    fs.mkdirSync(path.join(root, 'sys/devices/pci0000:00/0000:03:00.0/gpu_busy_percent'));
    const { ticks } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks[0]?.[0]).toMatchObject({
      utilization: null,
      memoryUsedBytes: null,
      memoryTotalBytes: 24 * GIB,
    });
  });

  it('are among the cards that doctor tells, as none is where there is none', async () => {
    root = makeTree({ 'usr/share/libdrm/amdgpu.ids': '744C,\tC8,\tAMD Radeon RX 7900 XTX\n' });
    const none = await checkCards(ports(), root, root);
    expect(none).toEqual([expect.objectContaining({ state: 'ok', text: expect.stringMatching(/^no card/) })]);
    card(0, '0000:03:00.0', CARD);
    card(1, '0000:0a:00.0', { ...CARD, 'power/runtime_status': 'suspended' });
    expect((await checkCards(ports(), root, root)).map(({ state, text }) => `${state} ${text}`)).toEqual([
      'ok AMD Radeon RX 7900 XTX, 25.8 GB',
      'ok AMD GPU, asleep',
    ]);
  });

  it('are absent where there is none', async () => {
    root = makeTree({});
    const { states } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => states.length > 1, 'told');
    expect(states.map(({ state }) => state)).toEqual(['probing', 'absent']);
  });

  it('are asked for by amd-smi, seldom, when /sys tells nothing', async () => {
    root = makeTree({});
    card(0, '0000:03:00.0', { vendor: '0x1002' });
    program('amd-smi', `echo '[{"gpu":0,"usage":{"gfx_activity":{"value":12,"unit":"%"}},"fan":"N/A"}]'`);
    program('rocm-smi', 'exit 1');
    const { ticks, states } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => states.at(-1)?.state === 'live' && ticks.length > 0, 'live');
    expect(ticks[0]?.[0]).toMatchObject({ utilization: 0.12, powerW: null });
    await until(() => fs.existsSync(path.join(root, 'amd-smi.runs')), 'run');
    expect([runs('amd-smi'), runs('rocm-smi')]).toEqual([1, 0]);
  });

  it('are asked for by rocm-smi when amd-smi fails, and say so when both do', async () => {
    root = makeTree({});
    card(0, '0000:03:00.0', { vendor: '0x1002' });
    program('amd-smi', 'echo Traceback; exit 1');
    program('rocm-smi', `echo 'WARNING: low power'; echo '{"card0":{"GPU use (%)":"3"}}'`);
    const { ticks } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks[0]?.[0]).toMatchObject({ utilization: 0.03 });
    probe?.stop();
    program('rocm-smi', 'exit 1');
    const { states } = watch(createAmdProbe({ ports: ports(), root, timing: FAST }));
    await until(() => states.at(-1)?.state === 'failed', 'told');
    expect(states.at(-1)).toMatchObject({ reason: 'amd-smi and rocm-smi cannot be read' });
  });
});

describe('Intel cards', () => {
  const place = '0000:03:00.0';
  const ARC = {
    vendor: '0x8086',
    device: '0x56a0',
    'hwmon/hwmon2/energy1_input': '1000000',
    'hwmon/hwmon2/temp2_input': '51000',
    'hwmon/hwmon2/temp2_label': 'pkg',
    'power/runtime_status': 'active',
  };
  const device = `sys/devices/pci0000:00/${place}`;
  const fdinfo = (ns: number): string =>
    `drm-driver:\ti915\ndrm-client-id:\t3\ndrm-pdev:\t${place}\ndrm-engine-compute:\t${ns} ns\n`;

  it('have power from their energy and work from their programs', async () => {
    root = makeTree({ 'proc/77/fdinfo/5': fdinfo(0) });
    card(0, place, ARC);
    fs.mkdirSync(path.join(root, 'proc/77/fd'));
    fs.symlinkSync('/dev/dri/renderD128', path.join(root, 'proc/77/fd/5'));
    const { ticks } = watch(createIntelProbe({ ports: ports(), root, leastMs: 250 }));
    await until(() => ticks.length > 0, 'a tick');
    expect(ticks[0]?.[0]).toMatchObject({ temperatureC: 51, powerW: null, utilization: null });
    writeTree(root, {
      'proc/77/fdinfo/5': fdinfo(1e12),
      [`${device}/hwmon/hwmon2/energy1_input`]: '900000000\n',
    });
    await until(() => (ticks.at(-1)?.[0]?.powerW ?? 0) > 0, 'power');
    expect(ticks.at(-1)?.[0]).toMatchObject({ utilization: 1, processes: [{ pid: 77 }] });
    // Counters that stand still are no work, of programs that may all be looked at.
    await until(() => ticks.at(-1)?.[0]?.utilization === 0, 'idle');
  });

  it('are completed by nvtop, which is not asked each time', async () => {
    root = makeTree({});
    card(0, place, ARC);
    program(
      'nvtop',
      `echo '[{"device_name":"NVIDIA RTX 4090","gpu_util":"99%"},{"device_name":"Intel Arc A770","gpu_util":"5%","mem_used":"1000","power_draw":null}]'`,
    );
    const { ticks } = watch(createIntelProbe({ ports: ports(), root, leastMs: 20 }));
    await until(() => ticks.length > 3, 'ticks');
    expect(ticks[0]?.[0]).toMatchObject({ name: 'Intel Arc A770', utilization: 0.05, memoryUsedBytes: 1000 });
    expect(runs('nvtop')).toBe(1);
  });

  it('that are a part of the processor and tell nothing are not shown', async () => {
    root = makeTree({});
    card(0, '0000:00:02.0', { vendor: '0x8086' });
    const { ticks, states } = watch(createIntelProbe({ ports: ports(), root, leastMs: 20 }));
    await until(() => states.at(-1)?.state === 'live', 'live');
    expect(ticks).toEqual([]);
  });
});

describe('the GPU of a Mac', () => {
  const IOREG = `case "$3" in IOAccelerator) printf '"model" = "Apple M1"\\n"PerformanceStatistics" = {"Device Utilization %%"=34,"In use system memory"=4096}\\n';; esac`;

  it('is asked for under each of its names, and has the memory of the machine', async () => {
    root = makeTree({});
    program('ioreg', IOREG);
    program('sysctl', `echo 'hw.memsize: 17179869184'; echo 'iogpu.wired_limit_mb: 0'`);
    const { ticks, states } = watch(createAppleProbe({ ports: ports('darwin'), leastMs: 20 }));
    await until(() => ticks.length > 1, 'two ticks');
    expect(ticks[0]).toEqual([
      expect.objectContaining({
        name: 'Apple M1',
        utilization: 0.34,
        memoryUsedBytes: 4096,
        memoryTotalBytes: 17179869184,
        shared: true,
        powerW: null,
      }),
    ]);
    expect(states.map(({ state }) => state)).toEqual(['probing', 'live']);
  });

  it('is told by macmon where that is installed, with the memory from ioreg', async () => {
    root = makeTree({});
    program('ioreg', IOREG);
    program(
      'macmon',
      `while :; do echo '{"gpu_usage":[1398,0.5],"gpu_power":7.5,"temp":{"gpu_temp_avg":51}}'; sleep 0.05; done`,
    );
    const { ticks } = watch(createAppleProbe({ ports: ports('darwin'), leastMs: 20 }));
    await until(() => ticks.at(-1)?.[0]?.powerW === 7.5 && ticks.at(-1)?.[0]?.name === 'Apple M1', 'both');
    expect(ticks.at(-1)?.[0]).toMatchObject({ utilization: 0.5, temperatureC: 51, memoryUsedBytes: 4096 });
    expect(runs('macmon')).toBe(1);
  });
});
