import type { LogLine, LogSourceState } from '../domain/log.js';

/** Where lines of a source and what happens to it go. */
export interface LogSink {
  /**
   * Lines in order; `skipped` lines came before them and were not read because more came than can be shown. `past`: they were written
   * before the source was opened.
   */
  readonly onLines: (lines: readonly LogLine[], skipped: number, past: boolean) => void;
  /** Each state once. */
  readonly onState: (state: LogSourceState) => void;
  /** A line that is being written over and over, a progress bar; null: it has ended, and came as a line. */
  readonly onProgress?: (line: LogLine | null) => void;
  /** With `once`: all was read that is there. */
  readonly onDone?: () => void;
}

/** Something that is read until it is stopped. */
export interface LogSource {
  stop(): void;
}
