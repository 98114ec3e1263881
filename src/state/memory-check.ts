import { NO_DETAIL, NO_SAMPLE, type MachineDetail, type MemoryCheck } from '../domain/hardware.js';
import type { MachineReadings } from './state.js';

/** Readings in which the memory is that of a check; processes and cards may be others by now. */
export function readingsWith(readings: MachineReadings, check: MemoryCheck): MachineReadings {
  const { memoryUsedBytes, memoryTotalBytes, swapUsedBytes, pressure, oomKills, limitHits } = check;
  const detail: MachineDetail = { ...NO_DETAIL, pressure, oomKills, limitHits };
  return { ...readings, sample: { ...NO_SAMPLE, memoryUsedBytes, memoryTotalBytes, swapUsedBytes }, detail };
}
