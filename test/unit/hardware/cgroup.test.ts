import { describe, expect, it } from '@jest/globals';
import {
  coresAllowed,
  groupEvents,
  memoryLimit,
  openMemoryLimit,
  workingSet,
} from '../../../src/hardware/cgroup.js';
import { openProcFiles } from '../../../src/hardware/proc-files.js';
import { makeTree, writeTree } from './tree.js';

const open = (files: Readonly<Record<string, string>>) => openProcFiles(makeTree(files));
const GB = 1e9;

describe('the memory limit of control groups', () => {
  it('v2: is that of a group above when it is smaller, and the numbers are that group’s', () => {
    const files = open({
      'proc/self/cgroup': '0::/a/b/c\n',
      'sys/fs/cgroup/a/b/c/memory.max': '8000000000\n',
      'sys/fs/cgroup/a/b/memory.max': 'max\n',
      'sys/fs/cgroup/a/memory.max': '2000000000\n',
      'sys/fs/cgroup/a/memory.current': '1500000000\n',
      'sys/fs/cgroup/a/memory.stat': 'anon 1\ninactive_file 500000000\n',
      'sys/fs/cgroup/a/memory.events': 'low 0\nhigh 3\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n',
    });
    const limit = memoryLimit(files, 16 * GB);
    expect(limit).toEqual({ version: 2, folder: 'sys/fs/cgroup/a', limitBytes: 2 * GB });
    if (!limit) return;
    expect(workingSet(files, limit)).toBe(1 * GB);
    expect(groupEvents(files, limit)).toEqual({ oomKills: 1, limitHits: 7 });
  });

  it('hybrid: is that of the tree which has the controller', () => {
    const v1 = open({
      'proc/self/cgroup': '4:memory:/job\n1:name=systemd:/x\n0::/job\n',
      'sys/fs/cgroup/memory/job/memory.limit_in_bytes': '3000000000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/job/memory.failcnt': '12\n',
      'sys/fs/cgroup/memory/job/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    });
    const limit = memoryLimit(v1, 16 * GB);
    expect(limit).toEqual({ version: 1, folder: 'sys/fs/cgroup/memory/job', limitBytes: 3 * GB });
    if (limit) expect(groupEvents(v1, limit)).toEqual({ oomKills: 2, limitHits: 12 });
    const unified = open({
      'proc/self/cgroup': '4:cpu:/job\n4:memory:/\n0::/job\n',
      'sys/fs/cgroup/unified/job/memory.max': '1000000000\n',
    });
    expect(memoryLimit(unified, 16 * GB)?.folder).toBe('sys/fs/cgroup/unified/job');
  });

  it.each([
    ['max', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'max\n' }],
    [
      'the number of v1 for none',
      {
        'proc/self/cgroup': '3:memory:/\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
    ],
    ['more than there is', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '17000000000\n' }],
    ['nothing', { 'proc/self/cgroup': '0::/\n' }],
  ])('%s is no limit', (_, files) => {
    expect(memoryLimit(open(files as Record<string, string>), 16 * GB)).toBeNull();
  });

  it('is looked for rarely, but read each time once it was found', () => {
    const root = makeTree({ 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/memory.max': '2000000000\n' });
    const files = openProcFiles(root, 0);
    const limitFor = openMemoryLimit(files);
    expect(limitFor(16 * GB)?.limitBytes).toBe(2 * GB);
    const before = files.reads;
    writeTree(root, { 'sys/fs/cgroup/a/memory.max': '3000000000\n', 'sys/fs/cgroup/a/b/memory.max': '1\n' });
    expect(limitFor(16 * GB)?.limitBytes).toBe(3 * GB);
    expect(files.reads - before).toBe(1);
    for (let i = 0; i < 28; i++) limitFor(16 * GB);
    expect(limitFor(16 * GB)?.folder).toBe('sys/fs/cgroup/a/b');
  });

  it('does not know counts that its files do not tell', () => {
    const files = open({ 'sys/fs/cgroup/memory.events': 'oom_kill none\n' });
    const none = { oomKills: null, limitHits: null };
    const limit = { folder: 'sys/fs/cgroup', limitBytes: 1 } as const;
    expect(groupEvents(files, { version: 2, ...limit })).toEqual(none);
    expect(groupEvents(files, { version: 1, ...limit })).toEqual(none);
    expect(workingSet(files, { version: 2, ...limit })).toBeNull();
  });
});

describe('the cores that control groups allow', () => {
  const ONLINE = { 'sys/devices/system/cpu/online': '0-7\n' };

  it.each([
    ['v2, two and a half cores', { 'sys/fs/cgroup/a/cpu.max': '250000 100000\n' }, 2.5],
    [
      'v2, a smaller one above',
      { 'sys/fs/cgroup/a/cpu.max': 'max 100000\n', 'sys/fs/cgroup/cpu.max': '100000 100000\n' },
      1,
    ],
    ['v2, no quota', { 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, null],
    ['v2, more than there are', { 'sys/fs/cgroup/a/cpu.max': '900000 100000\n' }, null],
    ['v2, bound to cores', { 'sys/fs/cgroup/a/cpuset.cpus.effective': '0-1,4\n' }, 3],
    ['v2, bound to all', { 'sys/fs/cgroup/a/cpuset.cpus.effective': '0-7\n' }, null],
    ['garbage', { 'sys/fs/cgroup/a/cpu.max': '\n', 'sys/fs/cgroup/a/cpuset.cpus.effective': 'x\n' }, null],
  ])('%s', (_, files, cores) => {
    const tree = { ...ONLINE, 'proc/self/cgroup': '0::/a\n', ...(files as Record<string, string>) };
    expect(coresAllowed(open(tree))).toBe(cores);
  });

  it('v1 tells a quota of −1 for none', () => {
    const v1 = (quota: string) =>
      open({
        ...ONLINE,
        'proc/self/cgroup': '2:cpu,cpuacct:/d\n',
        'sys/fs/cgroup/cpu/d/cpu.cfs_quota_us': quota,
        'sys/fs/cgroup/cpu/d/cpu.cfs_period_us': '100000\n',
      });
    expect(coresAllowed(v1('400000\n'))).toBe(4);
    expect(coresAllowed(v1('-1\n'))).toBeNull();
  });
});
