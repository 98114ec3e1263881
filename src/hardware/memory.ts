import { memoryLimit, workingSet, type MemoryLimit } from './cgroup.js';
import { numberAfter, type ProcFiles } from './proc-files.js';

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
export function readMemory(
  files: ProcFiles,
  limitFor: (totalBytes: number | null) => MemoryLimit | null = (total) => memoryLimit(files, total),
): MemoryReading {
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
  const limit = limitFor(total);
  if (limit)
    return {
      memoryUsedBytes: workingSet(files, limit),
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
  // Without its floor nobody knows how much of it would come back.
  return size === null || least === null ? 0 : Math.max(0, size - least);
}

function thirdColumn(text: string, name: string): number | null {
  const found = new RegExp(`^${name}\\s+\\d+\\s+(\\d+)`, 'm').exec(text);
  return found ? Number(found[1]) : null;
}

function kilobytes(meminfo: string, label: string): number | null {
  const value = numberAfter(meminfo, label);
  return value === null ? null : value * 1024;
}
