import { numberAfter, numberAt, type ProcFiles } from './proc-files.js';

/** The control groups of this process for one controller, its own first, then those above up to the root of the mount. */
export interface Groups {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/**
 * Where the limits of this process stand. In hybrid mode a controller belongs to v1 or to v2, and the v2 tree lies in `unified`; both are
 * told, and files that are not there are skipped by whoever reads. Inside a container the path may be the host's (`/docker/…`,
 * `/../..`) while the mount shows only its own group: the way up to the mount's root finds that one.
 */
export function groupsOf(files: ProcFiles, controller: string): readonly Groups[] {
  const text = files.read('proc/self/cgroup');
  if (text === null) return [];
  const v1 = new RegExp(`^\\d+:(?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?:(.*)$`, 'm').exec(text)?.[1];
  const v2 = /^0::(.*)$/m.exec(text)?.[1];
  return [
    ...(v1 === undefined ? [] : [groups(1, `sys/fs/cgroup/${controller}`, v1)]),
    ...(v2 === undefined ? [] : [groups(2, 'sys/fs/cgroup', v2)]),
    ...(v1 === undefined || v2 === undefined ? [] : [groups(2, 'sys/fs/cgroup/unified', v2)]),
  ];
}

function groups(version: 1 | 2, base: string, group: string): Groups {
  const parts = group.split('/').filter((part) => part !== '' && part !== '..');
  const folders = [];
  for (let depth = parts.length; depth >= 0; depth--)
    folders.push([base, ...parts.slice(0, depth)].join('/'));
  return { version, folders };
}

export interface MemoryLimit {
  readonly version: 1 | 2;
  /** The group that sets it. */
  readonly folder: string;
  readonly limitBytes: number;
}

/** Limits hardly ever change: all groups are looked through anew only after so many questions; one that was found is read each time. */
const QUESTIONS_PER_SEARCH = 30;

/** `memoryLimit` for those who ask each second. */
export function openMemoryLimit(files: ProcFiles): (totalBytes: number | null) => MemoryLimit | null {
  let questions = 0;
  let found: MemoryLimit | null = null;
  return (totalBytes) => {
    if (questions++ % QUESTIONS_PER_SEARCH === 0) return (found = memoryLimit(files, totalBytes));
    const limitBytes = found && readLimit(files, found.version, found.folder);
    return found && limitBytes !== null ? { ...found, limitBytes } : found;
  };
}

/** The smallest memory limit on the way up that is below the memory of the machine; null: there is none. */
export function memoryLimit(files: ProcFiles, totalBytes: number | null): MemoryLimit | null {
  let least: MemoryLimit | null = null;
  for (const { version, folders } of groupsOf(files, 'memory'))
    for (const folder of folders) {
      const limitBytes = readLimit(files, version, folder);
      if (limitBytes === null || (totalBytes !== null && limitBytes >= totalBytes)) continue;
      if (!least || limitBytes < least.limitBytes) least = { version, folder, limitBytes };
    }
  return least;
}

/** "max" in v2; v1 says "none" as a number near 2^63. */
function readLimit(files: ProcFiles, version: 1 | 2, folder: string): number | null {
  const text = files.read(`${folder}/${version === 1 ? 'memory.limit_in_bytes' : 'memory.max'}`);
  const limitBytes = text === null ? null : numberAt(text, 0);
  return limitBytes !== null && limitBytes > 0 && limitBytes < 2 ** 62 ? limitBytes : null;
}

/** What is charged to the group less the idle files, which are given back without any pain; null where it is not told. */
export function workingSet(files: ProcFiles, { version, folder }: MemoryLimit): number | null {
  const usage = files.read(`${folder}/${version === 1 ? 'memory.usage_in_bytes' : 'memory.current'}`);
  const charged = usage === null ? null : numberAt(usage, 0);
  if (charged === null) return null;
  const idle = numberAfter(
    files.read(`${folder}/memory.stat`) ?? '',
    version === 1 ? 'total_inactive_file ' : 'inactive_file ',
  );
  return Math.max(0, charged - (idle ?? 0));
}

export interface GroupEvents {
  readonly oomKills: number | null;
  /** How often a process had to wait because the group was at its limit. */
  readonly limitHits: number | null;
}

/** What the limit has done so far. v2 counts `high` (slowed down) and `max` (at the limit); v1 has one counter for the latter. */
export function groupEvents(files: ProcFiles, { version, folder }: MemoryLimit): GroupEvents {
  if (version === 1) {
    const hits = files.read(`${folder}/memory.failcnt`);
    return {
      oomKills: numberAfter(files.read(`${folder}/memory.oom_control`) ?? '', 'oom_kill '),
      limitHits: hits === null ? null : numberAt(hits, 0),
    };
  }
  const events = files.read(`${folder}/memory.events`) ?? '';
  const high = numberAfter(events, 'high ');
  const max = numberAfter(events, 'max ');
  return {
    oomKills: numberAfter(events, 'oom_kill '),
    limitHits: high === null || max === null ? null : high + max,
  };
}

/** Cores that the groups of this process allow: the smallest quota, and the cores that they are bound to. Null: all of them. */
export function coresAllowed(files: ProcFiles): number | null {
  const online = countOf(files.read('sys/devices/system/cpu/online'));
  let least: number | null = null;
  const take = (cores: number | null): void => {
    if (cores === null || cores <= 0 || (online !== null && cores >= online)) return;
    least = least === null ? cores : Math.min(least, cores);
  };
  for (const { version, folders } of groupsOf(files, 'cpu'))
    for (const folder of folders) take(quotaOf(files, version, folder));
  for (const { version, folders } of groupsOf(files, 'cpuset'))
    for (const folder of folders)
      take(
        countOf(files.read(`${folder}/${version === 1 ? 'cpuset.effective_cpus' : 'cpuset.cpus.effective'}`)),
      );
  return least;
}

/** v2: `200000 100000`, or `max 100000` for no quota. v1: two files, −1 for no quota. */
function quotaOf(files: ProcFiles, version: 1 | 2, folder: string): number | null {
  if (version === 2) {
    const found = /^(\d+) (\d+)/.exec(files.read(`${folder}/cpu.max`) ?? '');
    return found ? ratio(Number(found[1]), Number(found[2])) : null;
  }
  const quota = numberAt(files.read(`${folder}/cpu.cfs_quota_us`) ?? '', 0);
  const period = numberAt(files.read(`${folder}/cpu.cfs_period_us`) ?? '', 0);
  return quota === null || period === null ? null : ratio(quota, period);
}

const ratio = (quota: number, period: number): number | null => (period > 0 ? quota / period : null);

/** How many a list such as `0-3,8` names; null when it is none. */
function countOf(list: string | null): number | null {
  const text = list?.trim() ?? '';
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) return null;
  return text.split(',').reduce((count, part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return count + Math.max(0, last - first + 1);
  }, 0);
}
