import type { MachineDetail, MachineSample, MemoryCheck } from '../domain/hardware.js';
import type { MachineReadings } from './state.js';

/** A machine of which nothing is told. */
export const NO_SAMPLE: MachineSample = {
  cpu: null,
  cores: null,
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  memoryLimited: false,
  swapUsedBytes: null,
  swapTotalBytes: null,
  load1: null,
  diskFreeBytes: null,
  netReceivedPerSecond: null,
  netSentPerSecond: null,
};

/** Readings in which the memory is that of a check; processes and cards may be others by now. */
export function readingsWith(readings: MachineReadings, check: MemoryCheck): MachineReadings {
  const { memoryUsedBytes, memoryTotalBytes, swapUsedBytes, pressure, oomKills, limitHits } = check;
  const detail: MachineDetail = {
    pressure,
    load5: null,
    load15: null,
    ioWait: null,
    coresAllowed: null,
    temperatures: [],
    battery: null,
    disks: [],
    processes: null,
    oomKills,
    limitHits,
  };
  return { ...readings, sample: { ...NO_SAMPLE, memoryUsedBytes, memoryTotalBytes, swapUsedBytes }, detail };
}
