import { describe, expect, it } from '@jest/globals';
import type { MachineSample } from '../../../src/domain/hardware.js';
import { createLinuxProbe } from '../../../src/hardware/linux.js';
import { openProcFiles } from '../../../src/hardware/proc-files.js';
import type { Clock } from '../../../src/ports.js';
import { makeTree, MEMINFO, writeTree } from './tree.js';

/** A clock that stands until it is moved. */
function manualClock(): Clock & { pass(ms: number): void; waiting(): number } {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => 1_700_000_000_000 + now,
    monotonic: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => (timers = timers.filter((other) => other !== timer));
    },
    pass(ms) {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.run();
    },
    waiting: () => timers.length,
  };
}

const stat = (user: number, idle: number, iowait: number, cores = 2): string =>
  [
    `cpu  ${user * cores} 0 0 ${idle * cores} ${iowait * cores} 0 0 0 0 0`,
    ...Array.from({ length: cores }, (_, i) => `cpu${i} ${user} 0 0 ${idle} ${iowait} 0 0 0 0 0`),
    'intr 1 2 3',
    'ctxt 5',
    '',
  ].join('\n');
const net = (received: number, sent: number): string =>
  `Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n  eth0:${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0\nveth12@if: 7 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n`;

function rig() {
  const root = makeTree({
    'proc/stat': stat(100, 100, 0),
    'proc/meminfo': MEMINFO,
    'proc/loadavg': '0.52 0.4 0.3 1/100 42\n',
    'proc/net/dev': net(1000, 500),
  });
  const clock = manualClock();
  const files = openProcFiles(root);
  const samples: MachineSample[] = [];
  const states: string[] = [];
  const probe = createLinuxProbe({ clock, files, diskFolder: root });
  const start = (ms = 1000): void =>
    probe.start(ms, (r) =>
      r.type === 'machine' ? samples.push(r.sample) : r.type === 'state' && states.push(r.state.state),
    );
  return {
    root,
    clock,
    files,
    samples,
    states,
    probe,
    start,
    write: (tree: Record<string, string>) => writeTree(root, tree),
  };
}

describe('the /proc probe', () => {
  it('tells memory and load at once, and processor and network from the second sample on', () => {
    const r = rig();
    r.start();
    expect(r.states).toEqual(['probing', 'live']);
    expect(r.samples[0]).toMatchObject({
      cpu: null,
      cores: null,
      load1: 0.52,
      memoryUsedBytes: 6_000_000 * 1024,
      netReceivedPerSecond: null,
      diskFreeBytes: null,
    });
    r.write({ 'proc/stat': stat(130, 160, 10), 'proc/net/dev': net(3000, 1500) });
    r.clock.pass(1000);
    expect(r.samples[1]).toMatchObject({
      cpu: 0.3,
      cores: [0.3, 0.3],
      netReceivedPerSecond: 2000,
      netSentPerSecond: 1000,
    });
    r.probe.stop();
  });

  it('does not count waiting for the disk as work', () => {
    const r = rig();
    r.start();
    r.write({ 'proc/stat': stat(110, 110, 80) });
    r.clock.pass(1000);
    expect(r.samples[1]?.cpu).toBeCloseTo(0.1);
  });

  it('skips a sample whose counters went back, as when a core is taken out', () => {
    const r = rig();
    r.start();
    r.write({ 'proc/stat': stat(110, 190, 0, 1) });
    r.clock.pass(1000);
    expect(r.samples).toHaveLength(1 + 0);
    r.write({ 'proc/stat': stat(160, 240, 0, 1) });
    r.clock.pass(1000);
    expect(r.samples[1]).toMatchObject({ cpu: 0.5, cores: [0.5] });
  });

  it('has no share when no time has passed for the counters, and none of a core that is new', () => {
    const r = rig();
    r.start();
    r.clock.pass(1000);
    expect(r.samples[1]).toMatchObject({ cpu: null, cores: null, netReceivedPerSecond: 0 });
    r.write({ 'proc/stat': stat(150, 150, 0, 3) });
    r.clock.pass(1000);
    expect(r.samples[2]?.cores).toBeNull();
  });

  it('drops the difference over a sleep of the machine', () => {
    const r = rig();
    r.start();
    r.write({ 'proc/stat': stat(5000, 5000, 0), 'proc/net/dev': net(9e9, 9e9) });
    r.clock.pass(3_600_000);
    expect(r.samples[1]).toMatchObject({ cpu: null, netReceivedPerSecond: null });
    r.write({ 'proc/stat': stat(5050, 5050, 0) });
    r.clock.pass(1000);
    expect(r.samples[2]?.cpu).toBe(0.5);
  });

  it('tells null for every file that is missing or broken', () => {
    const r = rig();
    r.write({ 'proc/stat': 'garbage\n', 'proc/loadavg': 'x', 'proc/net/dev': '', 'proc/meminfo': '' });
    r.start();
    r.clock.pass(1000);
    const { diskFreeBytes: _, memoryLimited: __, ...rest } = r.samples[1] ?? ({} as MachineSample);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
  });

  it('network counters that go back make no rate', () => {
    const r = rig();
    r.start();
    r.write({ 'proc/net/dev': net(10, 10) });
    r.clock.pass(1000);
    expect(r.samples[1]?.netReceivedPerSecond).toBeNull();
  });

  it('reads a handful of files per sample, has one timer, and none of either after stop', () => {
    const r = rig();
    r.start();
    r.clock.pass(1000);
    const before = r.files.reads;
    for (let i = 0; i < 10; i++) r.clock.pass(1000);
    // stat, net/dev, meminfo, loadavg; what is missing (cgroup, ZFS) is not asked for each time.
    expect(r.files.reads - before).toBe(40);
    r.probe.stop();
    r.clock.pass(60_000);
    expect(r.files.reads - before).toBe(40);
    expect(r.samples).toHaveLength(12);
  });

  it('reads this machine when there is a /proc', async () => {
    if (process.platform !== 'linux') return;
    const clock = manualClock();
    const samples: MachineSample[] = [];
    const probe = createLinuxProbe({ clock });
    probe.start(1000, (r) => r.type === 'machine' && samples.push(r.sample));
    const end = performance.now() + 3000;
    while (!samples.at(-1)?.diskFreeBytes && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      clock.pass(1000);
    }
    probe.stop();
    expect(samples.at(-1)?.memoryTotalBytes).toBeGreaterThan(1e6);
    expect(samples.at(-1)?.diskFreeBytes).toBeGreaterThan(0);
  });
});
