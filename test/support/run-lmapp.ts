import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';

/** The built program (scripts/test builds it first). */
export const LMAPP = path.resolve('dist/main.js');

export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment, apart from PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Standard input; empty when absent. Null leaves it open and silent. */
  readonly input?: string | null;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs lmapp without a terminal, to its end. */
export function runLmapp(
  args: readonly string[],
  { env, input = '', onStart }: RunOptions,
): Promise<RunResult> {
  const child = spawn(process.execPath, [LMAPP, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // It may end without reading.
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);
  onStart?.(child);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      child.stdin.destroy();
      resolve({ code, signal, stdout, stderr });
    });
  });
}
