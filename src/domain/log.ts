export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One line of a log; the text is sanitised and holds no line break. */
export interface LogLine {
  /** Epoch ms; null when the line has no time of its own that could be read. */
  readonly at: number | null;
  /** Null: the line does not say. */
  readonly level: LogLevel | null;
  /** `lmapp`, the name of a server, of a unit or container, or a file's base name. */
  readonly source: string;
  readonly text: string;
  /** As the server numbers its requests (`task 27`, `chatcmpl-a269`). Absent: the line names none. */
  readonly requestId?: string;
}

/**
 * What a source of lines does. following: what is written comes. waiting: there is nothing to read yet, and it is read as soon as it is
 * there. refused: the system or the other side does not let us. failed: something is broken. All but `starting` and `following` are
 * tried again and have a reason and a next step.
 */
export interface LogSourceState {
  readonly state: 'starting' | 'following' | 'waiting' | 'refused' | 'failed';
  /** One sentence without a stop. */
  readonly reason: string | null;
  /** What to do, as a sentence. */
  readonly hint: string | null;
  /** Epoch ms of the next try; null: none, or it is tried every second. */
  readonly nextTryMs: number | null;
}

export const STARTING: LogSourceState = { state: 'starting', reason: null, hint: null, nextTryMs: null };
export const FOLLOWING: LogSourceState = { state: 'following', reason: null, hint: null, nextTryMs: null };
