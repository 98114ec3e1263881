import { describe, expect, it } from '@jest/globals';
import { readMemory } from '../../../src/hardware/memory.js';
import { openProcFiles } from '../../../src/hardware/proc-files.js';
import { makeTree, MEMINFO } from './tree.js';

const KB = 1024;
const GB = 1e9;
const memory = (files: Readonly<Record<string, string>>) =>
  readMemory(openProcFiles(makeTree({ 'proc/meminfo': MEMINFO, ...files })));

describe('memory', () => {
  it('counts as used what is not available', () => {
    expect(memory({})).toEqual({
      memoryUsedBytes: 6_000_000 * KB,
      memoryTotalBytes: 16_000_000 * KB,
      memoryLimited: false,
      swapUsedBytes: 1_000_000 * KB,
      swapTotalBytes: 4_000_000 * KB,
    });
  });

  it('works without MemAvailable (before Linux 3.14)', () => {
    const old = MEMINFO.replace(/^MemAvailable.*\n/m, '');
    expect(memory({ 'proc/meminfo': old }).memoryUsedBytes).toBe(
      (16_000_000 - (2_000_000 + 6_000_000 + 500_000 + 200_000 - 100_000)) * KB,
    );
  });

  it('does not know what it was not told', () => {
    expect(memory({ 'proc/meminfo': '' })).toEqual({
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      memoryLimited: false,
      swapUsedBytes: null,
      swapTotalBytes: null,
    });
    expect(memory({ 'proc/meminfo': 'MemTotal: 100 kB\nMemAvailable: none\n' })).toMatchObject({
      memoryUsedBytes: null,
      memoryTotalBytes: 102_400,
    });
  });

  it('gives back the ZFS cache down to its minimum', () => {
    const arc =
      'name type data\nc_min                           4    1000000000\nsize                            4    3000000000\n';
    expect(memory({ 'proc/spl/kstat/zfs/arcstats': arc }).memoryUsedBytes).toBe(6_000_000 * KB - 2 * GB);
  });

  it('obeys a cgroup v2 limit and counts the working set', () => {
    const out = memory({
      'proc/self/cgroup': '0::/app\n',
      'sys/fs/cgroup/app/memory.max': '4000000000\n',
      'sys/fs/cgroup/app/memory.current': '3000000000\n',
      'sys/fs/cgroup/app/memory.stat': 'anon 1\ninactive_file 500000000\nactive_file 7\n',
    });
    expect(out).toMatchObject({ memoryUsedBytes: 2.5 * GB, memoryTotalBytes: 4 * GB, memoryLimited: true });
  });

  it('takes the smallest limit of the groups above', () => {
    const out = memory({
      'proc/self/cgroup': '0::/outer/inner\n',
      'sys/fs/cgroup/outer/inner/memory.max': 'max\n',
      'sys/fs/cgroup/outer/memory.max': '2000000000\n',
      'sys/fs/cgroup/outer/memory.current': '1000000000\n',
    });
    expect(out).toMatchObject({ memoryUsedBytes: 1 * GB, memoryTotalBytes: 2 * GB, memoryLimited: true });
  });

  it('finds the limit in a container that sees the path of its host', () => {
    const out = memory({
      'proc/self/cgroup': '0::/../../docker/abc\n',
      'sys/fs/cgroup/memory.max': '1000000000\n',
      'sys/fs/cgroup/memory.current': '5\n',
    });
    expect(out).toMatchObject({ memoryTotalBytes: 1 * GB, memoryUsedBytes: 5, memoryLimited: true });
  });

  it('obeys a cgroup v1 limit, also in hybrid mode', () => {
    const v1 = {
      'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/docker/x\n1:name=systemd:/docker/x\n0::/init.scope\n',
      'sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '3000000000\n',
      'sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes': '2000000000\n',
      'sys/fs/cgroup/memory/docker/x/memory.stat':
        'cache 1\ninactive_file 1\ntotal_inactive_file 400000000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    };
    expect(memory(v1)).toMatchObject({
      memoryUsedBytes: 1.6 * GB,
      memoryTotalBytes: 3 * GB,
      memoryLimited: true,
    });
  });

  it.each([
    ['max in v2', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'max\n' }],
    [
      'none in v1',
      {
        'proc/self/cgroup': '3:memory:/\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
    ],
    [
      'a limit above the memory',
      { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '999000000000\n' },
    ],
    ['no cgroup at all', {}],
    ['a broken file', { 'proc/self/cgroup': 'nonsense\n' }],
  ])('tells the memory of the machine with %s', (_, files) => {
    expect(memory(files as Record<string, string>)).toMatchObject({
      memoryTotalBytes: 16_000_000 * KB,
      memoryLimited: false,
    });
  });

  it('does not know the use of a group whose usage cannot be read', () => {
    const out = memory({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '1000000000\n' });
    expect(out).toMatchObject({ memoryUsedBytes: null, memoryTotalBytes: 1 * GB, memoryLimited: true });
  });
});
