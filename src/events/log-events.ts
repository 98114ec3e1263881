import type { LogLine, LogSourceState } from '../domain/log.js';

/** Of the logs that are followed. */
export type LogEvent =
  /** `past`: they were written before their source was opened. */
  | {
      readonly type: 'logs.appended';
      readonly lines: readonly LogLine[];
      readonly skipped: number;
      readonly past?: true;
    }
  /**
   * `asked`: named by the user; else it was found to be the log of a server. `place` as it is written in the configuration. `backendIds`:
   * the servers whose log it is; absent: nobody told.
   */
  | {
      readonly type: 'logs.source';
      readonly source: string;
      readonly place: string;
      readonly asked: boolean;
      readonly backendIds?: readonly string[];
      readonly state: LogSourceState;
    }
  /** It is not followed any more. */
  | { readonly type: 'logs.closed'; readonly source: string }
  /** A line that is written over and over, a progress bar; null: it has ended, and came as a line. */
  | { readonly type: 'logs.progressed'; readonly source: string; readonly line: LogLine | null };
