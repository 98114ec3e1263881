import { formatBytes, formatCountdown, formatDownload, formatPercent } from './format.js';

/** A download, as far as it is known. Bytes, bytes a second, milliseconds; `fraction` 0..1. */
export interface Download {
  readonly fraction: number | null;
  readonly completedBytes: number | null;
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
}

/** What is all here and still being checked is not the end yet. */
const MOST_BEFORE_END = 0.99;

/** `41 %`, `60 MB of 139 MB`, `11.8 MB/s`, `0:07 left`: what is known of it, before its end. */
export function downloadFigures(download: Download): readonly string[] {
  const { fraction, completedBytes, totalBytes, bytesPerSecond, leftMs } = download;
  return [
    ...(fraction === null ? [] : [formatPercent(Math.min(fraction, MOST_BEFORE_END))]),
    ...(completedBytes === null
      ? []
      : [`${formatDownload(completedBytes)} of ${formatDownload(totalBytes)}`]),
    ...(bytesPerSecond === null ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(leftMs === null ? [] : [`${formatCountdown(leftMs)} left`]),
  ];
}
