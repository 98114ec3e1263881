import { LmappError, messageOf } from '../errors.js';

/** A fault of a server, or an LmappError in the same form. */
export interface ToldFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Of HTTP. */
  readonly status: number | null;
}

/** Failures that a program has read already. */
const told = new WeakSet<object>();

/** For programs: the object that ends what a command prints with --json. */
export function failureAsJson(fault: ToldFailure): Readonly<Record<string, unknown>> {
  return { type: 'ended', outcome: 'failed', fault };
}

/** The command has told it by itself, with more than the error holds. */
export function markAsTold(error: unknown): void {
  if (typeof error === 'object' && error !== null) told.add(error);
}

/** Tells a failure on standard output, once, as a line of JSON. */
export function tellFailure(stdout: NodeJS.WritableStream, error: unknown): void {
  if (typeof error === 'object' && error !== null && told.has(error)) return;
  markAsTold(error);
  const fault =
    error instanceof LmappError
      ? { code: error.code, message: error.message, hint: error.hint, status: null }
      : { code: 'unexpected', message: messageOf(error), hint: null, status: null };
  stdout.write(`${JSON.stringify(failureAsJson(fault))}\n`);
}
