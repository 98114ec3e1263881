import fs from 'node:fs';
import type { GpuKind, GpuOffer } from '../domain/set-up.js';
import { gpuKindsOf, installPlan } from './install-plan.js';

/**
 * The part for the GPU of this machine, offered beside the one for the processor; null when there is none, or none that is known. `nvidia`:
 * the tool of its driver is installed.
 */
export function offeredGpu(
  nvidia: boolean,
  platform: NodeJS.Platform,
  arch: string,
  driFolder = '/dev/dri',
): GpuOffer | null {
  const kinds = gpuKindsOf(platform, arch);
  const offer = (kind: GpuKind, name: string): GpuOffer | null => {
    const plain = installPlan(platform, arch, null);
    const whole = installPlan(platform, arch, kind);
    return (
      plain &&
      whole && {
        kind,
        name,
        downloadBytes: whole.downloadBytes - plain.downloadBytes,
        diskBytes: whole.diskBytes - plain.diskBytes,
      }
    );
  };
  if (nvidia && kinds.includes('cuda')) return offer('cuda', 'NVIDIA');
  // A node to render with is what Vulkan works on; Windows has no such sign.
  return kinds.includes('vulkan') && platform === 'linux' && hasRenderNode(driFolder)
    ? offer('vulkan', 'Vulkan')
    : null;
}

function hasRenderNode(folder: string): boolean {
  try {
    return fs.readdirSync(folder).some((name) => name.startsWith('renderD'));
  } catch {
    return false;
  }
}
