import type { LogLevel, LogLine, LogSourceState } from '../domain/log.js';
import type { LogRing } from '../domain/log-ring.js';
import type { LogSpan } from '../domain/log-span.js';
import type { LogWarningKind } from '../domain/log-warnings.js';
import type { ViewState } from './view-state.js';

/** A place that lines of the log come from. */
export interface LogSourceEntry {
  readonly name: string;
  /** As it is written in the configuration. */
  readonly place: string;
  /** Named by the user; else found. */
  readonly asked: boolean;
  /** The servers whose log it is; empty: nobody told. */
  readonly backendIds: readonly string[];
  readonly status: LogSourceState;
}

/** The log of one answer is looked at. */
export interface TurnLog {
  readonly turnId: string;
  readonly span: LogSpan;
  /** Null: the server is not in the list any more. */
  readonly backendId: string | null;
  readonly backendTitle: string;
  /** What was shown before, and is shown again behind it. */
  readonly before: Pick<LogsState, 'held' | 'source' | 'filter'> & Pick<ViewState, 'pane' | 'zoomed'>;
}

/** A load, now or a moment ago, that lines of the log may be about. Epoch ms. */
export interface LoggedLoad {
  readonly key: string;
  readonly backendId: string;
  readonly from: number;
  readonly to: number | null;
  /** What was warned of. */
  readonly told: readonly LogWarningKind[];
}

export interface LogsState {
  readonly ring: LogRing;
  readonly level: LogLevel;
  readonly filter: { readonly pattern: string; readonly inverse: boolean } | null;
  /** Null: all sources. */
  readonly source: string | null;
  /** Names, in the order in which they were first seen. */
  readonly sources: readonly string[];
  readonly opened: readonly LogSourceEntry[];
  /** Time of the last line of each source, by which the next ones are put among those of the others. */
  readonly lastTimes: ReadonlyMap<string, number>;
  /** By source: a line that is still being written over. */
  readonly progress: ReadonlyMap<string, LogLine>;
  /** Null follows the end; else the number of the last visible line. */
  readonly held: number | null;
  readonly wrap: boolean;
  readonly turn: TurnLog | null;
  /** The latest few, the newest last. */
  readonly loads: readonly LoggedLoad[];
}
