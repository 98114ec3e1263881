#!/usr/bin/env node
import fs from 'node:fs';
import type { CommandContext } from './commands/command.js';
import { readFastArguments } from './commands/fast-arguments.js';
import { TUI_OPTIONS } from './commands/options.js';
import { directoriesOf, filesOf } from './config/paths.js';
import { EXIT, LmappError, messageOf } from './errors.js';
import type { Ports } from './ports.js';
import { systemClock } from './ports.js';
import { preloadDashboard } from './preload.js';
import { version } from './version.js';

// The only file that ends the process. The usual ways in (the dashboard, --version, completions) load no more than they need; all
// other command lines go through yargs in cli.ts.

let errorsOpen = false;
// Timers of the program do not hold the process, and a socket whose reading is paused does not either: this does, until main is done.
const alive = setInterval(() => undefined, 2 ** 30);

void main(process.argv.slice(2)).then(async (exitCode) => {
  process.exitCode = exitCode;
  clearInterval(alive);
  // Kept sockets and timers of libraries must not hold back a command that is done. What is written to pipes is waited for.
  await Promise.all([written(process.stdout), ...(errorsOpen ? [written(process.stderr)] : [])]);
  // A full disk may be known already and its event still be on the way.
  if (process.stdout.errored) onOutputError(process.stdout.errored);
  process.exit();
});

async function main(words: readonly string[]): Promise<number> {
  process.stdout.on('error', onOutputError);
  const ports: Ports = { clock: systemClock, env: process.env, platform: process.platform };
  const files = filesOf(directoriesOf(process.env));
  const { stdin, stdout } = process;
  // The dashboard restores the terminal before this (uncaughtExceptionMonitor).
  process.on('uncaughtException', (error) => process.exit(tell(error, files.log)));
  try {
    if (words.length === 1 && words[0] === '--version') {
      stdout.write(`${version}\n`);
      return EXIT.ok;
    }
    process.on('exit', closeLostTerminal);
    const context: CommandContext = {
      ports,
      files,
      version,
      stdin,
      stdout,
      get stderr() {
        return errorOutput();
      },
    };
    const fast = await runFast(context, words);
    if (fast !== null) return fast;
    const { runCommandLine } = await import('./cli.js');
    return await runCommandLine(context, words);
  } catch (error) {
    return tell(error, files.log);
  }
}

/** Standard error, opened when something is said on it: the dashboard's start needs none. */
function errorOutput(): NodeJS.WriteStream {
  if (!errorsOpen) process.stderr.on('error', onOutputError);
  errorsOpen = true;
  return process.stderr;
}

/** The dashboard and the completions without yargs; null for every other command line. */
async function runFast(context: CommandContext, words: readonly string[]): Promise<number | null> {
  if (words[0] === '__complete') {
    const { printCompletions } = await import('./commands/complete.js');
    return printCompletions(context, words.slice(1));
  }
  if (words[0] !== undefined && words[0] !== 'tui' && !words[0].startsWith('-')) return null;
  const args = readFastArguments(words[0] === 'tui' ? words.slice(1) : words, TUI_OPTIONS);
  if (args === null) return null;
  // Before the dashboard's code is loaded: what is typed meanwhile is a key already, and the shell's screen does not echo it.
  const { stdin } = context;
  if (stdin.isTTY) takeKeys(stdin);
  try {
    preloadDashboard(__dirname);
    const { tui } = await import('./commands/tui.js');
    return await tui.run(context, args);
  } catch (error) {
    if (stdin.isTTY) stdin.setRawMode(false);
    throw error;
  }
}

/**
 * Raw mode, given back whatever ends the program before the dashboard's session listens (src/terminal/session.ts). Node does that by
 * itself when it exits, and on SIGINT and SIGTERM that nobody listens to.
 */
function takeKeys(stdin: NodeJS.ReadStream): void {
  for (const signal of ['SIGHUP', 'SIGQUIT'] as const)
    process.on(signal, (_name: NodeJS.Signals, number: number) => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  stdin.setRawMode(true);
}

/**
 * At its exit Node gives a terminal its line settings back, and aborts with a core dump when that fails, as it does on one that is gone
 * (a dropped connection). Descriptors that are closed it leaves alone. A lost terminal is a device that is no terminal any more.
 */
function closeLostTerminal(): void {
  for (const fd of [0, 1, 2])
    try {
      // Loaded already where there is a terminal.
      if (fs.fstatSync(fd).isCharacterDevice() && !process.getBuiltinModule('node:tty').isatty(fd))
        fs.closeSync(fd);
    } catch {
      // Closed already.
    }
}

/** Says on stderr what went wrong. An LmappError is for the user; anything else is a defect, and the log knows more. */
function tell(error: unknown, log: string): number {
  if (error instanceof LmappError) {
    errorOutput().write(`lmapp: ${error.message}\n${error.hint === null ? '' : `${error.hint}\n`}`);
    return error.exitCode;
  }
  errorOutput().write(`lmapp: unexpected error: ${messageOf(error)}\nThe log is ${log}\n`);
  if (process.env['LMAPP_DEBUG'] && error instanceof Error) errorOutput().write(`${error.stack ?? ''}\n`);
  return EXIT.failure;
}

/** A reader that has left (`lmapp chat … | head -1`) is no error: there is nobody to tell anything. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || error.code === 'EIO') process.exit(EXIT.ok);
  process.stderr.write(`lmapp: the output could not be written: ${messageOf(error)}\n`);
  process.exit(EXIT.failure);
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => {
    if (stream.writableLength === 0) done();
    else stream.write('', () => done());
  });
}
