import type { Files } from '../config/paths.js';
import type { Ports } from '../ports.js';
import type { Arguments, OptionSpec } from './options.js';

/** What a command works with. */
export interface CommandContext {
  readonly ports: Ports;
  readonly files: Files;
  readonly version: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * A command of lmapp: one file in this folder and one line in registry.ts. The file holds the description and loads what it needs
 * inside `run`, so that the help and the completions stay quick.
 */
export interface Command {
  readonly name: string;
  /** Words after the name: `[TEXT..]`. */
  readonly words?: {
    readonly name: string;
    readonly does: string;
    readonly choices?: readonly string[];
    /** What a shell completes them with. */
    readonly completes?: 'model';
  };
  /** Commands of its own: `lmapp models pull NAME`. Without one of their names the command itself is run. */
  readonly commands?: readonly Command[];
  readonly does: string;
  readonly options: readonly OptionSpec[];
  /** Command line → what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Resolves to the exit code. Errors: LmappError for what the user should be told. */
  run(context: CommandContext, args: Arguments): Promise<number>;
}
