import type { GpuSample, MachineSample } from './hardware.js';
import type { Model } from './model.js';

export type Verdict = 'fits' | 'tight' | 'short' | 'unknown';

/** Whether a model's weights go into the memory that is free now. */
export interface Fit {
  readonly verdict: Verdict;
  readonly neededBytes: number | null;
  /** Free memory and free GPU memory together: servers split a model over both. */
  readonly freeBytes: number | null;
}

/** Above this share of the free memory it fits only barely: context and buffers come on top of the weights. */
const TIGHT_SHARE = 0.9;

/**
 * Compares the size of a model's file with the memory that is free now. `local` is false for a server on another machine, whose memory
 * is not known here. Unknown terms give `unknown`, never a guess.
 */
export function fitOf(
  model: Model,
  sample: MachineSample | null,
  gpus: readonly GpuSample[],
  local: boolean,
): Fit {
  const free = local ? freeMemory(sample, gpus) : null;
  const needed = model.remote ? null : model.sizeBytes;
  if (needed === null || free === null) return { verdict: 'unknown', neededBytes: needed, freeBytes: free };
  const verdict = needed > free ? 'short' : needed > free * TIGHT_SHARE ? 'tight' : 'fits';
  return { verdict, neededBytes: needed, freeBytes: free };
}

function freeMemory(sample: MachineSample | null, gpus: readonly GpuSample[]): number | null {
  if (!sample || sample.memoryTotalBytes === null || sample.memoryUsedBytes === null) return null;
  let free = Math.max(0, sample.memoryTotalBytes - sample.memoryUsedBytes);
  for (const gpu of gpus)
    // Memory that is a part of the machine's is counted already.
    if (gpu.shared !== true && gpu.memoryTotalBytes !== null && gpu.memoryUsedBytes !== null)
      free += Math.max(0, gpu.memoryTotalBytes - gpu.memoryUsedBytes);
  return free;
}

/** True for an address on this machine. */
export function isLoopback(url: string): boolean {
  if (url === '') return true;
  const host = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/]+)/i.exec(url)?.[1]?.toLowerCase() ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
