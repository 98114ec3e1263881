import { formatBytes } from '../../widgets/text/format.js';
import { offeredGpu } from '../engine/gpu-offer.js';
import { findNvidiaSmi } from '../hardware/nvidia-smi.js';
import type { CommandContext } from './command.js';

/** That a GPU is here whose part of the engine can be fetched, and how large that is; null: there is none. */
export function gpuOfferLine({ ports }: Pick<CommandContext, 'ports'>): string | null {
  const offer = offeredGpu(findNvidiaSmi(ports) !== null, ports.platform, process.arch);
  return (
    offer &&
    `a GPU is here (${offer.name}): --gpu ${offer.kind} fetches its part as well, ${formatBytes(offer.downloadBytes)} more`
  );
}
