import { formatBytes } from '../../widgets/text/format.js';
import { offeredGpu } from '../engine/gpu-offer.js';
import { findExecutable } from '../hardware/executable.js';
import type { Ports } from '../ports.js';
import type { CommandContext } from './command.js';

/** That a GPU is here whose part of the engine can be fetched, and how large that is; null: there is none. */
export function gpuOfferLine({ ports }: Pick<CommandContext, 'ports'>): string | null {
  const offer = offeredGpu(hasNvidia(ports), ports.platform, process.arch);
  return (
    offer &&
    `a GPU is here (${offer.name}): --gpu ${offer.kind} fetches its part as well, ${formatBytes(offer.downloadBytes)} more`
  );
}

/** The tool of its driver is installed. */
export function hasNvidia({ env, platform }: Pick<Ports, 'env' | 'platform'>): boolean {
  return findExecutable('nvidia-smi', env, platform) !== null;
}
