import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from '../backends/backend.js';
import type { Fault } from '../domain/fault.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { WireError } from '../wire/wire-error.js';
import type { CommandContext } from './command.js';
import { failureAsJson, markAsTold } from './failure-as-json.js';
import { isOn, type Arguments } from './options.js';
import { settingsFor } from './settings.js';
import { statusLine, type StatusLine } from './status-line.js';

/** What a command that takes its time works with. */
export interface Work {
  readonly context: CommandContext;
  readonly args: Arguments;
  readonly settings: Settings;
  /** Ended by Ctrl+C. */
  readonly signal: AbortSignal;
  readonly status: StatusLine;
  /** With --json: an object on a line of its own; nothing otherwise. */
  tell(event: Readonly<Record<string, unknown>>): void;
  /** Without --json: a line for people; nothing otherwise. */
  say(text: string): void;
}

/**
 * Runs the work. Ctrl+C ends it and gives 130, with `interrupted` on stderr. Faults become LmappError with their next step; with --json
 * they are told as the last object, too.
 */
export async function withWork(
  context: CommandContext,
  args: Arguments,
  run: (work: Work) => Promise<number>,
  interrupted: () => string | null,
): Promise<number> {
  const { stdout, stderr } = context;
  const { settings, problems } = settingsFor(context, args);
  for (const problem of problems) stderr.write(`lmapp: ${problem}\n`);
  const json = isOn(args, 'json');
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.once('SIGINT', onInterrupt);
  const status = statusLine(stderr);
  const tell = (event: Readonly<Record<string, unknown>>): void => {
    if (json) stdout.write(`${JSON.stringify(event)}\n`);
  };
  const say = (text: string): void => {
    status.clear();
    if (!json) stdout.write(`${sanitizeLine(text)}\n`);
  };
  const onCancelled = (): number => {
    status.clear();
    const text = interrupted();
    if (text !== null) stderr.write(`lmapp: ${text}\n`);
    tell({ type: 'ended', outcome: 'cancelled', fault: null });
    return EXIT.interrupted;
  };
  try {
    const code = await run({ context, args, settings, signal: abort.signal, status, tell, say });
    return abort.signal.aborted ? onCancelled() : code;
  } catch (error) {
    if (abort.signal.aborted) return onCancelled();
    status.clear();
    const fault = error instanceof BackendError || error instanceof WireError ? error.fault : null;
    const told =
      fault ??
      (error instanceof LmappError
        ? { code: error.code, message: error.message, hint: error.hint, status: null }
        : null);
    const failure = fault ? toLmappError(fault) : error;
    if (told) {
      tell(failureAsJson(told));
      markAsTold(failure);
    }
    throw failure;
  } finally {
    status.clear();
    process.off('SIGINT', onInterrupt);
  }
}

export function toLmappError(fault: Fault): LmappError {
  return new LmappError(
    fault.code,
    sanitizeLine(fault.message),
    fault.hint === null ? {} : { hint: fault.hint },
  );
}
