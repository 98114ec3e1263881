import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { threadLimit } from '../../../src/engine/threads.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();

function write(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(folder.path(file)), { recursive: true });
    fs.writeFileSync(folder.path(file), text);
  }
}

/** Cores of two threads each. */
function cores(count: number): void {
  for (let cpu = 0; cpu < count * 2; cpu++)
    write({
      [`sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`]: `${cpu % count},${(cpu % count) + count}\n`,
    });
}

describe('the threads that may calculate', () => {
  it('are as many as there are cores, each with its twin once', () => {
    cores(4);
    expect(threadLimit(folder.path(), 8)).toBe(4);
  });

  it('are no more than the process may run on', () => {
    cores(4);
    expect(threadLimit(folder.path(), 2)).toBe(2);
  });

  it.each([
    ['of its own group', { 'sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }, 2],
    [
      'of a group above',
      { 'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n', 'sys/fs/cgroup/a/cpu.max': '50000 100000\n' },
      1,
    ],
    ['that is none', { 'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }, 4],
    ['that is nonsense', { 'sys/fs/cgroup/a/b/cpu.max': '-3 0\n' }, 4],
  ])('keep the limit %s', (_what, files, threads) => {
    cores(4);
    write({ 'proc/self/cgroup': '0::/a/b\n', ...files });
    expect(threadLimit(folder.path(), 8)).toBe(threads);
  });

  it('keep the limit of the older kind of group', () => {
    cores(4);
    write({
      'proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/docker/1\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us': '200000\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us': '100000\n',
    });
    expect(threadLimit(folder.path(), 8)).toBe(2);
  });

  it('are not known where the system tells nothing', () => {
    expect(threadLimit(folder.path(), 8)).toBeNull();
  });
});
