import type { GpuSample, MachineSample } from './hardware.js';
import type { Model } from './model.js';

/** The memory of one machine that a model can go to. Bytes; null: not told. */
export interface Room {
  /** What all programs together leave of the main memory, within the limit of a container. */
  readonly memoryBytes: number | null;
  /** One each; empty where there is none that tells. */
  readonly gpus: readonly GpuRoom[];
  /** The GPU has no memory of its own: `gpus` then is what it may use of the main memory. */
  readonly shared: boolean;
  /** False while somebody who could tell of further GPUs is still being asked. */
  readonly settled: boolean;
}

export interface GpuRoom {
  readonly name: string;
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
}

/** A loaded model that would give its memory back. */
export interface Evictable {
  readonly key: string;
  readonly label: string;
  readonly memoryBytes: number;
  readonly vramBytes: number;
}

/** What Apple's GPUs may use of the memory, where nobody tells. */
const APPLE_SHARE = 0.67;

export const NO_ROOM: Room = { memoryBytes: null, gpus: [], shared: false, settled: false };

/** The room of a machine by its newest readings. */
export function roomOf(sample: MachineSample | null, gpus: readonly GpuSample[], settled = true): Room {
  const total = sample?.memoryTotalBytes ?? null;
  const used = sample?.memoryUsedBytes ?? null;
  const memoryBytes = total === null || used === null ? null : Math.max(0, total - used);
  const own = gpus.filter((gpu) => gpu.shared !== true);
  // Beside cards with memory of their own one without it is not asked to help.
  const shared = gpus.length > 0 && own.length === 0;
  return {
    memoryBytes,
    gpus: (shared ? gpus : own).map((gpu) => {
      const totalBytes = gpu.memoryTotalBytes ?? (shared ? sharedTotal(gpu.name, total) : null);
      return {
        name: gpu.name,
        totalBytes,
        freeBytes: freeOf(gpu, totalBytes, shared ? memoryBytes : Infinity, shared),
      };
    }),
    shared,
    settled,
  };
}

/** What a model would give back. Files in memory count as free already, so that of the main memory only the rest is added. */
export function evictableOf(model: Model): Evictable | null {
  const { key, label, memoryBytes, vramBytes, sizeBytes } = model;
  if (model.loadState !== 'loaded' || memoryBytes === null) return null;
  const vram = Math.min(memoryBytes, vramBytes ?? 0);
  return { key, label, vramBytes: vram, memoryBytes: Math.max(0, memoryBytes - vram - (sizeBytes ?? 0)) };
}

/** The room once these models are gone. */
export function withoutModels(room: Room, evictable: readonly Evictable[]): Room {
  if (evictable.length === 0) return room;
  const vram = evictable.reduce((sum, each) => sum + each.vramBytes, 0);
  const memory = evictable.reduce((sum, each) => sum + each.memoryBytes, 0);
  const given = (gpu: GpuRoom): number => {
    if (room.gpus.length === 1) return vram;
    // Nobody tells on which of them a model lies: most likely where the least is free.
    const used = room.gpus.reduce(
      (sum, { totalBytes, freeBytes }) => sum + ((totalBytes ?? 0) - (freeBytes ?? 0)),
      0,
    );
    const own = (gpu.totalBytes ?? 0) - (gpu.freeBytes ?? 0);
    return used > 0 ? vram * (own / used) : vram / room.gpus.length;
  };
  return {
    ...room,
    memoryBytes: room.memoryBytes === null ? null : room.memoryBytes + memory + (room.shared ? vram : 0),
    gpus: room.gpus.map((gpu) => ({
      ...gpu,
      freeBytes:
        gpu.freeBytes === null
          ? null
          : Math.min(gpu.totalBytes ?? Infinity, gpu.freeBytes + given(gpu) + (room.shared ? memory : 0)),
    })),
  };
}

function sharedTotal(name: string, memoryTotal: number | null): number | null {
  if (memoryTotal === null) return null;
  return /\bapple\b/i.test(name) ? APPLE_SHARE * memoryTotal : memoryTotal;
}

function freeOf(gpu: GpuSample, total: number | null, most: number | null, shared: boolean): number | null {
  if (total === null || most === null) return null;
  if (gpu.memoryUsedBytes === null && !shared) return null;
  // The driver keeps a part for itself, of which some hundred megabytes are neither used nor free.
  const told = shared ? null : (gpu.memoryFreeBytes ?? null);
  return Math.max(0, Math.min(most, total - (gpu.memoryUsedBytes ?? 0), told ?? Infinity));
}
