import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MOST_CPUS = 4096;

/**
 * How many threads may calculate: physical cores, at most what a cgroup allows (a container of two cores on a machine of 64 would spend its
 * time waiting otherwise). Linux tells both; null elsewhere, where the engine knows its cores itself. `root` is `/` but in tests.
 */
export function threadLimit(root = '/', available: number = os.availableParallelism()): number | null {
  const cores = physicalCores(root);
  const quota = cgroupCores(root);
  const known = [cores, quota].filter((each) => each !== null);
  return known.length === 0 ? null : Math.max(1, Math.min(...known, available));
}

/** Cores, each with all its hyper-threads, of those that are switched on. */
function physicalCores(root: string): number | null {
  const folder = path.join(root, 'sys/devices/system/cpu');
  const siblings = new Set<string>();
  for (let cpu = 0; cpu < MOST_CPUS; cpu++) {
    const at = path.join(folder, `cpu${cpu}`);
    if (!fs.existsSync(at)) break;
    const text = read(path.join(at, 'topology/thread_siblings_list'));
    if (text !== null) siblings.add(text.trim());
  }
  return siblings.size > 0 ? siblings.size : null;
}

/** The smallest quota of the cgroup of this process and of those above it, rounded up: half a core still needs a thread. */
function cgroupCores(root: string): number | null {
  const groups = read(path.join(root, 'proc/self/cgroup'));
  if (groups === null) return null;
  let least: number | null = null;
  for (const line of groups.split('\n').slice(0, 64)) {
    const [, controllers = '', place = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (place === '') continue;
    const v2 = controllers === '';
    if (!v2 && !controllers.split(',').includes('cpu')) continue;
    const mount = path.join(root, v2 ? 'sys/fs/cgroup' : `sys/fs/cgroup/${controllers}`);
    for (let group = place; ; group = path.posix.dirname(group)) {
      const quota = v2 ? quotaOfV2(path.join(mount, group)) : quotaOfV1(path.join(mount, group));
      if (quota !== null) least = Math.min(least ?? Infinity, quota);
      if (group === '/' || group === '.') break;
    }
  }
  return least === null ? null : Math.max(1, Math.ceil(least));
}

function quotaOfV2(folder: string): number | null {
  const [quota, period] = (read(path.join(folder, 'cpu.max')) ?? '').split(/\s+/).map(Number);
  return shareOf(quota, period);
}

function quotaOfV1(folder: string): number | null {
  return shareOf(
    Number(read(path.join(folder, 'cpu.cfs_quota_us')) ?? NaN),
    Number(read(path.join(folder, 'cpu.cfs_period_us')) ?? NaN),
  );
}

/** `max` and -1 stand for no limit. */
function shareOf(quota = NaN, period = NaN): number | null {
  return quota > 0 && period > 0 ? quota / period : null;
}

function read(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
