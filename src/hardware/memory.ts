import { numberAfter, numberAt, type ProcFiles } from './proc-files.js';

export interface MemoryReading {
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly memoryLimited: boolean;
  readonly swapUsedBytes: number | null;
  readonly swapTotalBytes: number | null;
}

/**
 * Memory of the machine, or of the container when its limit is below the machine's memory. Used is what cannot be had without
 * swapping: total − MemAvailable, less what ZFS would give back; in a container the working set: what is charged less idle files.
 */
export function readMemory(files: ProcFiles): MemoryReading {
  const meminfo = files.read('proc/meminfo') ?? '';
  const total = kilobytes(meminfo, 'MemTotal:');
  const available = availableBytes(meminfo);
  const arc = available === null ? 0 : reclaimableArc(files);
  const swapTotal = kilobytes(meminfo, 'SwapTotal:');
  const swapFree = kilobytes(meminfo, 'SwapFree:');
  const swap = {
    swapTotalBytes: swapTotal,
    swapUsedBytes: swapTotal === null || swapFree === null ? null : Math.max(0, swapTotal - swapFree),
  };
  const limit = readLimit(files, total);
  if (limit)
    return {
      memoryUsedBytes: limit.usedBytes,
      memoryTotalBytes: limit.limitBytes,
      memoryLimited: true,
      ...swap,
    };
  const used =
    total === null || available === null ? null : Math.min(total, Math.max(0, total - available - arc));
  return { memoryUsedBytes: used, memoryTotalBytes: total, memoryLimited: false, ...swap };
}

/** MemAvailable; before Linux 3.14 the sum that `free` used then. */
function availableBytes(meminfo: string): number | null {
  const told = kilobytes(meminfo, 'MemAvailable:');
  if (told !== null) return told;
  const free = kilobytes(meminfo, 'MemFree:');
  const cached = kilobytes(meminfo, 'Cached:');
  if (free === null || cached === null) return null;
  const buffers = kilobytes(meminfo, 'Buffers:') ?? 0;
  const slab = kilobytes(meminfo, 'SReclaimable:') ?? 0;
  // Shared memory counts as cache but cannot be given back.
  return Math.max(free, free + cached + buffers + slab - (kilobytes(meminfo, 'Shmem:') ?? 0));
}

/** The ZFS cache counts as used though it is given back down to c_min. */
function reclaimableArc(files: ProcFiles): number {
  const stats = files.read('proc/spl/kstat/zfs/arcstats');
  if (stats === null) return 0;
  // Lines are "name type value"; the type is 4 (unsigned 64 bit).
  const size = thirdColumn(stats, 'size');
  const least = thirdColumn(stats, 'c_min');
  return size === null ? 0 : Math.max(0, size - (least ?? 0));
}

function thirdColumn(text: string, name: string): number | null {
  const found = new RegExp(`^${name}\\s+\\d+\\s+(\\d+)`, 'm').exec(text);
  return found ? Number(found[1]) : null;
}

function kilobytes(meminfo: string, label: string): number | null {
  const value = numberAfter(meminfo, label);
  return value === null ? null : value * 1024;
}

interface Limit {
  readonly limitBytes: number;
  readonly usedBytes: number | null;
}

/** The smallest limit of the group of this process and the groups above it; null when none is below the machine's memory. */
function readLimit(files: ProcFiles, totalBytes: number | null): Limit | null {
  const groups = files.read('proc/self/cgroup');
  if (groups === null) return null;
  const v1 = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(groups)?.[1];
  const v2 = /^0::(.*)$/m.exec(groups)?.[1];
  // In hybrid mode the memory controller belongs to v1 and the v2 tree has no memory files.
  const found = [
    v1 === undefined ? null : smallest(files, 'sys/fs/cgroup/memory', v1, V1),
    v2 === undefined ? null : smallest(files, 'sys/fs/cgroup', v2, V2),
    v1 === undefined || v2 === undefined ? null : smallest(files, 'sys/fs/cgroup/unified', v2, V2),
  ].filter((limit) => limit !== null);
  const least = found.sort((a, b) => a.limitBytes - b.limitBytes)[0];
  return least && (totalBytes === null || least.limitBytes < totalBytes) ? least : null;
}

interface CgroupFiles {
  readonly limit: string;
  readonly usage: string;
  readonly inactiveFile: string;
}
const V1: CgroupFiles = {
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  inactiveFile: 'total_inactive_file ',
};
const V2: CgroupFiles = { limit: 'memory.max', usage: 'memory.current', inactiveFile: 'inactive_file ' };

function smallest(files: ProcFiles, base: string, group: string, names: CgroupFiles): Limit | null {
  let least: Limit | null = null;
  // Inside a container the path may be the host's ("/docker/…", "/../..") while the mount shows only its own group: the walk up to the
  // mount's root finds that one.
  const parts = group.split('/').filter((part) => part !== '' && part !== '..');
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = [base, ...parts.slice(0, depth)].join('/');
    const text = files.read(`${folder}/${names.limit}`);
    // "max" in v2; v1 says "none" as a number near 2^63.
    const limitBytes = text === null ? null : numberAt(text, 0);
    if (limitBytes === null || limitBytes <= 0 || limitBytes >= 2 ** 62) continue;
    if (least && least.limitBytes <= limitBytes) continue;
    least = { limitBytes, usedBytes: workingSet(files, folder, names) };
  }
  return least;
}

function workingSet(files: ProcFiles, folder: string, names: CgroupFiles): number | null {
  const usage = numberAt(files.read(`${folder}/${names.usage}`) ?? '', 0);
  if (usage === null) return null;
  const inactive = numberAfter(files.read(`${folder}/memory.stat`) ?? '', names.inactiveFile);
  return Math.max(0, usage - (inactive ?? 0));
}
