import { createInterface } from 'node:readline/promises';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';

interface Asking {
  readonly context: CommandContext;
  readonly signal: AbortSignal;
}

/** Asks on the terminal. Errors: LmappError with code 2 where there is none to ask on, with `hint` as the way to do without. */
export async function agreed({ context, signal }: Asking, question: string, hint: string): Promise<boolean> {
  const { stdin, stderr } = context;
  if (!stdin.isTTY || !stderr.isTTY)
    throw new LmappError('usage', 'there is no terminal to ask on', { hint, exitCode: EXIT.usage });
  const asking = createInterface({ input: stdin, output: stderr });
  // Ctrl+C comes here as a key, and not as a signal.
  asking.on('SIGINT', () => process.emit('SIGINT'));
  try {
    return /^y(es)?$/i.test((await asking.question(question, { signal })).trim());
  } catch {
    stderr.write('\n');
    return false;
  } finally {
    asking.close();
  }
}
