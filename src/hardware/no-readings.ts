import type { GpuSample } from '../domain/hardware.js';

/** Readings of a card of which nothing is known. */
export const NO_READINGS_OF_CARD = {
  utilization: null,
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  temperatureC: null,
  powerW: null,
  powerLimitW: null,
  fan: null,
} satisfies Partial<GpuSample>;

/** A card that is switched off to save power and was not asked: a question would wake it. */
export function asleepCard(id: string, index: number, name: string): GpuSample {
  return { id, index, name, ...NO_READINGS_OF_CARD, note: 'asleep' };
}
