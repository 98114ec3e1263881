import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { GpuSample, MachineSample, SourceState } from '../../src/domain/hardware.js';
import { createMachinePoller, type MachinePoller } from '../../src/hardware/poller.js';
import type { Probe, ProbeReport } from '../../src/hardware/probe.js';
import { remoteProbes } from '../../src/hardware/remote-machine.js';
import { createPrometheusProbe } from '../../src/hardware/remote-prometheus.js';
import { createSshProbe } from '../../src/hardware/remote-ssh.js';
import { systemClock, type Ports } from '../../src/ports.js';

let folder = '';
let probe: Probe | null = null;
let poller: MachinePoller | null = null;
let servers: http.Server[] = [];
let reports: ProbeReport[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-remote-'));
  reports = [];
  servers = [];
});
afterEach(async () => {
  probe?.stop();
  poller?.stop();
  probe = poller = null;
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await until(() => pids().every((pid) => !isAlive(pid)), 'no child is left');
  fs.rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}; ${JSON.stringify(reports.slice(-3))}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const ports = (): Ports => ({
  clock: systemClock,
  env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder },
  platform: 'linux',
});
function program(name: string, body: string): void {
  fs.writeFileSync(
    path.join(folder, name),
    `#!/bin/sh\necho "$$ $*" >> "${folder}/${name}.runs"\n${body}\n`,
    {
      mode: 0o755,
    },
  );
}
function runs(name = 'ssh'): readonly string[] {
  const file = path.join(folder, `${name}.runs`);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
}
function pids(): readonly number[] {
  return ['ssh', 'nvidia-smi'].flatMap((name) => runs(name)).map((line) => Number(line.split(' ')[0]));
}
function isAlive(pid: number): boolean {
  try {
    // The dead of the loop are reaped by whoever inherits them.
    return !fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
function watch(started: Probe, intervalMs = 1000): void {
  probe = started;
  started.start(intervalMs, (report) => reports.push(report));
}
const states = (): readonly SourceState[] =>
  reports.flatMap((report) => (report.type === 'state' && report.source === undefined ? [report.state] : []));
const samples = (): readonly MachineSample[] =>
  reports.flatMap((report) => (report.type === 'machine' ? [report.sample] : []));
const cards = (): readonly GpuSample[] =>
  reports.flatMap((report) => (report.type === 'gpus' ? [report.gpus] : [])).at(-1) ?? [];

/** Runs its last argument, as the shell of the other machine would. */
const LOCAL = `while [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"`;

describe('a machine over ssh', () => {
  const linux = process.platform === 'linux' ? it : it.skip;

  linux('is read by a loop in its shell, over one connection', async () => {
    program('ssh', `echo 'Welcome to gpu-box'; ${LOCAL}`);
    program(
      'nvidia-smi',
      `while :; do echo '0, GPU-a, NVIDIA RTX 4090, 41, 1024, 24564, 50, 100.5, 450, 0, 2500, N/A, [N/A], [N/A], 0x0'; sleep 0.5; done`,
    );
    watch(createSshProbe({ ports: ports(), host: 'me@gpu-box' }));
    await until(() => samples().length > 1 && cards().length > 0, 'two samples and a card');
    expect(samples()[0]).toMatchObject({
      cpu: null,
      memoryTotalBytes: expect.any(Number),
      load1: expect.any(Number),
    });
    expect(samples()[1]?.cpu).toBeGreaterThanOrEqual(0);
    expect(samples()[1]?.diskFreeBytes).toBeGreaterThan(0);
    expect(samples()[1]?.cores?.length).toBe(os.cpus().length);
    expect(cards()).toEqual([expect.objectContaining({ id: 'GPU-a', utilization: 0.41, clockMHz: 2500 })]);
    expect(reports).toContainEqual({
      type: 'facts',
      facts: expect.objectContaining({ cores: os.cpus().length, system: expect.any(String) }),
    });
    expect(states().map(({ state }) => state)).toEqual(['probing', 'live']);
    expect(runs()).toHaveLength(1);
    expect(runs()[0]).toMatch(
      /-T -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=2 -- me@gpu-box sh -s$/,
    );
  });

  linux('leaves nothing running there when the connection breaks', async () => {
    program('nvidia-smi', `while :; do echo '0, GPU-a, X, 1, 1, 2, 3, 4'; sleep 0.2; done`);
    // What it reads and writes goes through pipes that end with it, as those of a connection do.
    program('ssh', `while [ $# -gt 1 ]; do shift; done\nsh -c "$1" | cat`);
    watch(createSshProbe({ ports: ports(), host: 'gpu-box' }));
    await until(() => samples().length > 0 && runs('nvidia-smi').length > 0, 'a sample');
    probe?.stop();
    await until(() => pids().every((pid) => !isAlive(pid)), 'all ended');
  });

  linux('says why its NVIDIA card tells nothing, and still tells the rest', async () => {
    program('ssh', LOCAL);
    program(
      'nvidia-smi',
      `echo 'Failed to initialize NVML: Driver/library version mismatch'; echo 'NVML library version: 550.144'; exit 18`,
    );
    watch(createSshProbe({ ports: ports(), host: 'gpu-box' }));
    await until(
      () => samples().length > 0 && reports.some((r) => r.type === 'state' && r.source === 'nvidia'),
      'told',
    );
    expect(reports).toContainEqual({
      type: 'state',
      source: 'nvidia',
      state: { state: 'failed', reason: 'the NVIDIA driver was updated: reboot' },
    });
  });

  linux('asks an old NVIDIA driver for fewer fields', async () => {
    program('ssh', LOCAL);
    program(
      'nvidia-smi',
      `case "$*" in *fan.speed*) echo 'Field "fan.speed" is not a valid field to query.'; exit 2;; esac; while :; do echo '0, GPU-a, Old, 7, 1, 2, 3, 4'; sleep 0.2; done`,
    );
    watch(createSshProbe({ ports: ports(), host: 'gpu-box' }));
    await until(() => cards().length > 0, 'a card');
    expect(cards()[0]).toMatchObject({ name: 'Old', utilization: 0.07, fan: null });
  });

  const nvidiaStates = () =>
    reports.flatMap((r) => (r.type === 'state' && r.source === 'nvidia' ? [r.state] : []));
  const ROW = '0, GPU-a, RTX 4090, 41, 1024, 24564, 50, 100.5';

  linux('does not take what a card told before its nvidia-smi fell silent for what it does now', async () => {
    program('ssh', LOCAL);
    program('nvidia-smi', `echo '${ROW}'; exec sleep 5`);
    const timing = { staleMs: 300 };
    watch(createSshProbe({ ports: ports(), host: 'gpu-box', leastSeconds: 0.1, timing }), 100);
    await until(() => cards().length > 0, 'a card');
    expect(cards()[0]).toMatchObject({ utilization: 0.41, temperatureC: 50 });
    await until(() => cards()[0]?.stale === true, 'old');
    await until(() => cards()[0]?.utilization === null, 'gone');
    expect(cards()[0]).toMatchObject({ name: 'RTX 4090', stale: true, memoryUsedBytes: null });
    expect(nvidiaStates().map(({ state }) => state)).toEqual(['live', 'stale', 'failed']);
  });

  linux.each([
    ['', 'nvidia-smi ended there'],
    [
      'Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.',
      'a GPU fell off the bus: reboot',
    ],
  ])('says that its nvidia-smi ended: %s', async (words, reason) => {
    program('ssh', LOCAL);
    program('nvidia-smi', `echo '${ROW}'; sleep 0.3; echo '${words}'; exit 1`);
    watch(createSshProbe({ ports: ports(), host: 'gpu-box', leastSeconds: 0.1 }), 100);
    await until(() => nvidiaStates().some(({ state }) => state === 'failed'), 'told');
    expect(nvidiaStates().find(({ state }) => state === 'failed')).toEqual({ state: 'failed', reason });
  });

  linux('reads a card whose name has commas', async () => {
    program('ssh', LOCAL);
    program(
      'nvidia-smi',
      `while :; do echo '${ROW.replace('RTX 4090', 'Maker, Inc. GPU')}'; sleep 0.2; done`,
    );
    watch(createSshProbe({ ports: ports(), host: 'gpu-box' }));
    await until(() => cards().length > 0, 'a card');
    expect(cards()[0]).toMatchObject({ name: 'Maker, Inc. GPU', utilization: 0.41, powerW: 100.5 });
  });

  it.each([
    [
      'gpu-box: Permission denied (publickey,password).',
      'gpu-box lets nobody in without a password',
      'ssh-copy-id gpu-box',
    ],
    ['Host key verification failed.', 'gpu-box is not a known host', 'ssh gpu-box'],
    [
      'ssh: Could not resolve hostname gpu-box: Name or service not known',
      'gpu-box is not a known name',
      'machine',
    ],
    ['ssh: connect to host gpu-box port 22: Connection refused', 'gpu-box does not take ssh', 'sshd'],
    ['ssh: connect to host gpu-box port 22: Connection timed out', 'gpu-box cannot be reached', 'on'],
    ['Timeout, server gpu-box not responding.', 'gpu-box does not answer any more', 'on'],
  ])('%s is told as a reason with the next step', async (words, reason, hint) => {
    program('ssh', `echo '${words}' >&2; exit 255`);
    watch(createSshProbe({ ports: ports(), host: 'gpu-box', timing: { backOffMs: [60_000] } }));
    await until(() => states().length > 1, 'told');
    expect(states()[1]).toEqual({
      state: 'failed',
      reason,
      hint: expect.stringContaining(hint),
      nextTryMs: expect.any(Number),
    });
    expect(runs()).toHaveLength(1);
  });

  linux('that hangs is old first, then ended and tried again', async () => {
    // Nothing comes any more, as from everything behind a link that is dead.
    program(
      'ssh',
      `if [ -e "${folder}/once" ]; then ${LOCAL.replaceAll('\n', '; ')}; fi; touch "${folder}/once"; read -r line; printf '@lmapp hello\\n/proc/loadavg:1.5 1 1\\n/proc/stat:cpu 1 1 1 1 1 1 1 1\\n@lmapp tick\\n'; exec sleep 60`,
    );
    watch(
      createSshProbe({
        ports: ports(),
        host: 'gpu-box',
        leastSeconds: 0.1,
        timing: { staleMs: 50, silenceMs: 100, backOffMs: [20] },
      }),
      100,
    );
    await until(() => runs().length > 1 && samples().length > 1, 'the next connection');
    expect(
      states()
        .slice(0, 6)
        .map(({ state }) => state),
    ).toEqual(['probing', 'live', 'stale', 'failed', 'probing', 'live']);
    expect(samples()[0]).toMatchObject({ load1: 1.5 });
  });

  it('whose host would be an option of ssh is refused, and ssh not run', async () => {
    program('ssh', 'exit 0');
    const told: ProbeReport[] = [];
    poller = createMachinePoller({
      ports: ports(),
      report: (report) => told.push(report),
      probes: remoteProbes(ports(), 'ssh:-oProxyCommand=x'),
    });
    poller.watch({ machine: true, gpu: true, intervalMs: 1000 });
    expect(told).toEqual([
      { type: 'state', state: expect.objectContaining({ state: 'failed', hint: expect.any(String) }) },
    ]);
    expect(runs()).toEqual([]);
  });
});

describe('a machine over its pages of metrics', () => {
  function serve(answer: (response: http.ServerResponse, url: string) => void): Promise<string> {
    const server = http.createServer((request, response) => answer(response, request.url ?? ''));
    servers.push(server);
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      ),
    );
  }

  it('is asked again and again, one question at a time', async () => {
    let asked = 0;
    const url = await serve((response) => {
      asked++;
      response.end(
        `node_load1 ${asked}\nnode_memory_MemTotal_bytes 1000\nnode_memory_MemAvailable_bytes 400\n`,
      );
    });
    watch(createPrometheusProbe({ clock: systemClock, url: `${url}/metrics`, leastMs: 20 }));
    // The first pause is that of the interval.
    await until(() => samples().length > 1, 'two samples');
    expect(samples()[0]).toMatchObject({ load1: 1, memoryUsedBytes: 600, cpu: null });
    expect(states().map(({ state }) => state)).toEqual(['probing', 'live']);
    expect(reports.filter(({ type }) => type === 'facts')).toHaveLength(1);
  });

  it.each<[string, (response: http.ServerResponse) => void, string]>([
    ['refuses', (response) => response.writeHead(401).end(), 'it wants a password (401)'],
    ['has another path', (response) => response.writeHead(404).end('not found'), 'it answers 404'],
    [
      'is a model server',
      (response) => response.end('llamacpp:n_tokens_max 423\n'),
      'it tells of a model server, not of its machine',
    ],
    ['is a web page', (response) => response.end('<html></html>'), 'this is no page of metrics'],
  ])('that %s says so with the next step', async (_, answer, reason) => {
    const url = await serve(answer);
    watch(createPrometheusProbe({ clock: systemClock, url, backOffMs: [60_000] }));
    await until(() => states().length > 1, 'told');
    expect(states()[1]).toMatchObject({ state: 'failed', reason, hint: expect.any(String) });
  });

  it('that hangs, or is not there, fails in time and is tried again', async () => {
    let asked = 0;
    const url = await serve((response) => {
      asked++;
      if (asked > 1) response.end('node_load1 1\n');
    });
    watch(createPrometheusProbe({ clock: systemClock, url, timeoutMs: 100, backOffMs: [20] }));
    await until(() => samples().length > 0, 'a sample');
    expect(states().map(({ state }) => state)).toEqual(['probing', 'failed', 'probing', 'live']);
    probe?.stop();
    reports = [];
    watch(
      createPrometheusProbe({ clock: systemClock, url: 'http://127.0.0.1:1/metrics', backOffMs: [60_000] }),
    );
    await until(() => states().length > 1, 'told');
    expect(states()[1]).toMatchObject({ state: 'failed', hint: expect.stringContaining('127.0.0.1:1') });
  });

  it('of the server and of its machine together make one detail', async () => {
    const node = await serve((response) =>
      response.end('node_load1 3\nnode_load5 2.5\nnode_vmstat_oom_kill 4\n'),
    );
    const vllm = await serve((response) =>
      response.end(
        'vllm:num_requests_running 2\nvllm:num_requests_waiting 0\nvllm:kv_cache_usage_perc 0.5\n',
      ),
    );
    poller = createMachinePoller({
      ports: ports(),
      report: (report) => reports.push(report),
      probes: remoteProbes(ports(), [vllm, node].join(',')),
    });
    poller.watch({ machine: true, gpu: true, intervalMs: 1000 });
    const details = () => reports.flatMap((report) => (report.type === 'detail' ? [report.detail] : []));
    await until(() => details().length > 1, 'two details');
    expect(details().at(-1)).toMatchObject({
      load5: 2.5,
      oomKills: 4,
      servers: [{ name: 'vLLM', running: 2, waiting: 0, cacheUsed: 0.5, answerPerSecond: null }],
    });
  });

  it('may have several pages that together make one sample and one list of cards', async () => {
    const node = await serve((response) => response.end('node_load1 3\nnode_memory_MemTotal_bytes 1000\n'));
    const dcgm = await serve((response) =>
      response.end('DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",modelName="H100"} 70\n'),
    );
    const smi = await serve((response) => response.end('nvidia_smi_utilization_gpu_ratio{uuid="a"} 0.5\n'));
    poller = createMachinePoller({
      ports: ports(),
      report: (report) => reports.push(report),
      probes: remoteProbes(ports(), [node, dcgm, smi].join(',')),
    });
    poller.watch({ machine: true, gpu: true, intervalMs: 1000 });
    await until(
      () => cards()[0]?.utilization === 0.5 && cards()[0]?.powerW === 70 && samples().length > 0,
      'all',
    );
    expect(cards()).toHaveLength(1);
    expect(samples()[0]).toMatchObject({ load1: 3 });
  });
});
