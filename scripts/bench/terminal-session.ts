import pty from '@lydell/node-pty';
import xterm from '@xterm/headless';
import unicode11 from '@xterm/addon-unicode11';
import type { Terminal } from '@xterm/headless';
import { slowLink, type LinkOptions } from './slow-link.js';

export interface SessionOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
  /** Added to a plain environment: nothing of the caller's own but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A line between program and terminal; absent: none. */
  readonly link?: LinkOptions;
}

/** A program in a real pseudo terminal, seen through a terminal emulator. Times are `performance.now()` of this process. */
export interface TerminalSession {
  readonly pid: number;
  readonly startedAt: number;
  readonly terminal: Terminal;
  /** Bytes that the program wrote. */
  readonly bytes: number;
  /** Frames that it wrote: one asks for one acknowledgement (DSR). */
  readonly frames: number;
  /** Read calls that had something. */
  readonly chunks: number;
  /** Null while it runs. */
  readonly exit: { readonly code: number; readonly signal: number; readonly at: number } | null;
  /** Types this at once. */
  type(keys: string): void;
  screen(): string[];
  text(): string;
  /** Waits until the condition holds on the screen and returns when it did; fails after `timeoutMs`, or when the program ends first. */
  until(what: string | RegExp | ((session: TerminalSession) => boolean), timeoutMs?: number): Promise<number>;
  /** Waits until the program has written this text, in one piece, and returns when it came, before the emulator gets to it. */
  untilWritten(text: string, timeoutMs?: number): Promise<number>;
  untilExit(
    timeoutMs?: number,
  ): Promise<{ readonly code: number; readonly signal: number; readonly at: number }>;
  resize(columns: number, rows: number): void;
  kill(signal?: string): void;
  /** Ends the program if it still runs, and frees the terminal. */
  close(): Promise<void>;
}

/** What a full-screen program ends each of its frames with to be told when the terminal has them. */
const ACKNOWLEDGE = Buffer.from('\x1b[5n');

export function openSession(options: SessionOptions): TerminalSession {
  const [columns, rows] = [options.columns ?? 120, options.rows ?? 40];
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  terminal.loadAddon(new unicode11.Unicode11Addon());
  terminal.unicode.activeVersion = '11';

  const startedAt = performance.now();
  const program = pty.spawn(options.command, [...options.args], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd: options.cwd ?? process.cwd(),
    env: {
      PATH: process.env['PATH'] ?? '',
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      LANG: 'C.UTF-8',
      ...options.env,
    },
    encoding: null,
  });

  const watchers = new Set<() => void>();
  const readers = new Set<(bytes: Buffer) => void>();
  const look = (): void => watchers.forEach((watcher) => watcher());
  const counts = { bytes: 0, frames: 0, chunks: 0 };
  let exit: TerminalSession['exit'] = null;
  let tail = Buffer.alloc(0);

  const link =
    options.link === undefined
      ? null
      : slowLink(
          options.link,
          (bytes) => terminal.write(bytes, look),
          (full) => (full ? program.pause() : program.resume()),
        );
  const write = (keys: string): void => {
    if (exit !== null) return;
    if (link === null) program.write(keys);
    else link.back(() => exit === null && program.write(keys));
  };

  // With `encoding: null` node-pty hands over Buffers; its types know strings only.
  program.onData((chunk) => {
    const bytes = chunk as unknown as Buffer;
    for (const read of readers) read(bytes);
    counts.bytes += bytes.length;
    counts.chunks += 1;
    const searched = Buffer.concat([tail, bytes]);
    for (let at = searched.indexOf(ACKNOWLEDGE); at >= 0; at = searched.indexOf(ACKNOWLEDGE, at + 1))
      counts.frames += 1;
    tail = searched.subarray(Math.max(0, searched.length - ACKNOWLEDGE.length + 1));
    if (link === null) terminal.write(bytes, look);
    else link.send(bytes);
  });
  terminal.onData(write);
  program.onExit(({ exitCode, signal }) => {
    exit = { code: exitCode, signal: signal ?? 0, at: performance.now() };
    // What it wrote last may still be on its way through the emulator.
    terminal.write('', look);
  });

  const line = (y: number): string =>
    terminal.buffer.active.getLine(terminal.buffer.active.viewportY + y)?.translateToString(true) ?? '';
  const screen = (): string[] => Array.from({ length: terminal.rows }, (_, y) => line(y));

  function wait(
    holds: () => boolean,
    failure: () => string,
    mayEnd: boolean,
    timeoutMs: number,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const finish = (run: () => void): void => {
        clearTimeout(timer);
        watchers.delete(watcher);
        run();
      };
      const watcher = (): void => {
        if (holds()) finish(() => resolve(performance.now()));
        else if (exit !== null && !mayEnd)
          finish(() => reject(new Error(`the program ended (${exit?.code}) before ${failure()}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${timeoutMs} ms passed before ${failure()}`))),
        timeoutMs,
      );
      watchers.add(watcher);
      watcher();
    });
  }

  const session: TerminalSession = {
    pid: program.pid,
    startedAt,
    terminal,
    get bytes() {
      return counts.bytes;
    },
    get frames() {
      return counts.frames;
    },
    get chunks() {
      return counts.chunks;
    },
    get exit() {
      return exit;
    },
    type: write,
    screen,
    text: () => screen().join('\n'),
    until(what, timeoutMs = 15_000) {
      const holds = (): boolean => {
        if (typeof what === 'function') return what(session);
        return typeof what === 'string' ? session.text().includes(what) : what.test(session.text());
      };
      const shown = (): string =>
        `${typeof what === 'function' ? 'the condition held' : `${what} was there`}; the screen:\n${session.text()}`;
      return wait(holds, shown, false, timeoutMs);
    },
    untilWritten(text, timeoutMs = 15_000) {
      let written = '';
      let at: number | null = null;
      const read = (bytes: Buffer): void => {
        written += bytes.toString('latin1');
        if (written.includes(text)) at ??= performance.now();
      };
      readers.add(read);
      return wait(
        () => at !== null,
        () => `${text} was written`,
        false,
        timeoutMs,
      )
        .then((seen) => at ?? seen)
        .finally(() => readers.delete(read));
    },
    async untilExit(timeoutMs = 5_000) {
      await wait(
        () => exit !== null,
        () => 'the program ended',
        true,
        timeoutMs,
      );
      return exit ?? { code: -1, signal: 0, at: 0 };
    },
    resize(newColumns, newRows) {
      terminal.resize(newColumns, newRows);
      if (exit === null) program.resize(newColumns, newRows);
    },
    kill: (signal = 'SIGTERM') => void (exit === null && program.kill(signal)),
    async close() {
      if (exit === null) program.kill('SIGKILL');
      await session.untilExit().catch(() => undefined);
      link?.close();
      terminal.dispose();
    },
  };
  return session;
}
