export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One line of a log; the text is sanitised and holds no line break. */
export interface LogLine {
  /** Epoch ms; null when the line has no time of its own that could be read. */
  readonly at: number | null;
  /** Null: the line does not say. */
  readonly level: LogLevel | null;
  /** `lmapp`, or the file's base name. */
  readonly source: string;
  readonly text: string;
}
