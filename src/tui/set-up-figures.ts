import { downloadFigures } from '../../widgets/text/download.js';
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
  return { figures: downloadFigures(pullFigures(job, mono)), words: job.progress?.status ?? 'begins' };
}
