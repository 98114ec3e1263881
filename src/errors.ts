/** Exit codes of every command. 128 + n stands for an end by signal n, as in a shell. */
export const EXIT = {
  ok: 0,
  /** The work could not be done: server away, answer broken, file unreadable. */
  failure: 1,
  /** Wrong usage: unknown option, invalid value, not a terminal. */
  usage: 2,
  interrupted: 130,
} as const;

export interface LmappErrorOptions {
  /** What to do next, as a sentence. */
  readonly hint?: string;
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/** An error that is told to the user: one sentence what happened, one what to do. Anything else that is thrown is a defect. */
export class LmappError extends Error {
  readonly code: string;
  readonly hint: string | null;
  readonly exitCode: number;

  constructor(code: string, message: string, options: LmappErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LmappError';
    this.code = code;
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? EXIT.failure;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
