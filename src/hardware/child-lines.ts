import type { ChildProcess } from 'node:child_process';
import type { Environment } from '../ports.js';

/** How a child that tells lines ended. */
export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** ENOENT and the like, when it could not be started. */
  readonly code: string | null;
  /** The last lines that were told, of both outputs. */
  readonly lastLines: readonly string[];
}

export interface ChildLinesOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Environment;
  /** Given to it as its standard input, which ends then; absent: it has none. */
  readonly input?: string;
  readonly onLine: (line: string) => void;
  readonly onEnd: (end: ChildEnd) => void;
}

export interface ChildLines {
  /** Asks it to end, kills it 2 s later, and lets go of one that does not even die then. */
  stop(): void;
}

const LONGEST_LINE_CHARS = 64 * 1024;
const FORCE_KILL_MS = 2000;
const LAST_LINES = 12;

/** Those that this process has to end with itself, also when they do not heed a request to end. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/**
 * Runs one long-lived child and hands on its lines. Execa is loaded here, on the first child, and kills it when this process ends. The end is told on
 * `exit`, not on `close`: a grandchild may hold the pipes open for ever.
 */
export async function startChildLines(options: ChildLinesOptions): Promise<ChildLines> {
  const { execa } = await import('execa');
  const lastLines: string[] = [];
  let ended = false;
  const child = execa(options.file, options.args, {
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    buffer: false,
    reject: false,
    cleanup: true,
    windowsHide: true,
    forceKillAfterDelay: FORCE_KILL_MS,
    env: { ...options.env, LC_ALL: 'C' },
    extendEnv: false,
  });
  if (running.size === 0) process.on('exit', killAll);
  running.add(child);
  const end = (exitCode: number | null, signal: string | null, code: string | null): void => {
    if (ended) return;
    ended = true;
    running.delete(child);
    if (running.size === 0) process.off('exit', killAll);
    letGo(child);
    options.onEnd({ exitCode, signal, code, lastLines });
  };
  const take = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    if (!ended) options.onLine(line);
  };
  splitLines(child.stdout, take);
  // What it complains about is kept for the reason only.
  splitLines(child.stderr, (line) => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
  });
  // What it wrote just before its end is read in the same turn, so a moment is left for it.
  child.once('exit', (exitCode, signal) => void setImmediate(() => end(exitCode, signal, null)));
  child.once('error', (error: NodeJS.ErrnoException) => end(null, null, error.code ?? 'failed'));
  void child.then((result) => {
    if (result.failed && child.pid === undefined) end(null, null, result.code ?? 'failed');
  });
  return {
    stop() {
      if (ended) return;
      child.kill('SIGTERM');
      child.unref();
    },
  };
}

function splitLines(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    rest += chunk;
    let from = 0;
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      take(rest.slice(from, at).replace(/\r$/, ''));
      from = at + 1;
    }
    rest = rest.slice(from);
    // A line without an end must not grow for ever.
    if (rest.length > LONGEST_LINE_CHARS) rest = '';
  });
  stream?.on('error', () => undefined);
}

/** Nothing of an ended or abandoned child keeps this process alive. */
function letGo(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
