import { formatBytes, formatCountdown, formatDownload, formatPercent } from '../../widgets/text/format.js';
import { pullFigures } from '../domain/pull-meter.js';
import type { SetUpJob } from '../state/state.js';

export interface JobLine {
  /** `41 %`, `60 MB of 139 MB`, `11.8 MB/s`, `0:07 left`: as far as known. */
  readonly figures: readonly string[];
  /** What is done now. */
  readonly words: string;
}

/** How far the engine and the model are, in words. `mono`: now. */
export function jobLine(job: SetUpJob, mono: number): JobLine {
  const figures = pullFigures(job, mono);
  const downloading = job.progress?.phase === 'downloading';
  const { fraction, bytesPerSecond: speed, leftMs } = figures;
  return {
    figures: [
      // A whole download that is being checked is not the end yet.
      ...(fraction === null ? [] : [formatPercent(downloading ? fraction : Math.min(fraction, 0.99))]),
      ...(figures.completedBytes === null
        ? []
        : [`${formatDownload(figures.completedBytes)} of ${formatDownload(figures.totalBytes)}`]),
      ...(downloading && speed !== null ? [`${formatBytes(speed)}/s`] : []),
      ...(downloading && leftMs !== null ? [`${formatCountdown(leftMs)} left`] : []),
    ],
    words: job.progress?.status ?? 'begins',
  };
}
