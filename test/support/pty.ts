/**
 * A program in a real pseudo terminal, read through a headless xterm whose answers (DSR, DA, DECRQM, ...) go back to the program, with
 * an optional slow link between the two.
 */
import nodePty from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import unicode11 from '@xterm/addon-unicode11';
import headless from '@xterm/headless';
import type { IBufferCell, Terminal as XtermTerminal } from '@xterm/headless';

/** A link with a rate, a one-way delay and a buffer (an SSH path swallows up to 2 MB before the sender notices). */
export interface SlowLink {
  readonly bytesPerSecond: number;
  /** One way, in each direction. */
  readonly latencyMs?: number;
  /** Bytes that wait in the link before the pty is no longer read. */
  readonly bufferBytes?: number;
}

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Replaces the environment, apart from PATH and HOME. TERM is xterm-256color unless set here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly link?: SlowLink;
  /** False: a terminal that answers nothing. */
  readonly answers?: boolean;
}

export interface PtyModes {
  readonly alternateScreen: boolean;
  readonly mouse: boolean;
  readonly bracketedPaste: boolean;
  readonly focusReports: boolean;
  readonly cursorVisible: boolean;
  readonly autoWrap: boolean;
}

export interface PtyExit {
  readonly exitCode: number;
  /** Number of the signal that killed it, 0 when it exited. */
  readonly signal: number;
}

export interface PtySession {
  readonly pid: number;
  readonly xterm: XtermTerminal;
  /** Bytes that reached the terminal so far. */
  readonly bytes: number;
  /** Everything that reached the terminal, as text. */
  readonly transcript: string;
  readonly exited: Promise<PtyExit>;
  /** Types raw characters: `'\r'` is Enter, `'\x03'` is Ctrl+C. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  signal(name: NodeJS.Signals): void;
  /** The visible screen, one line per row, right-trimmed. */
  screen(): string;
  line(y: number): string;
  cell(x: number, y: number): IBufferCell | undefined;
  cursor(): { readonly x: number; readonly y: number };
  modes(): PtyModes;
  /** Resolves when the screen shows it; rejects with the screen in the message when it does not in time. */
  waitFor(what: string | RegExp | (() => boolean), timeoutMs?: number): Promise<void>;
  /** Resolves when no byte came for so long. */
  quiet(forMs?: number, timeoutMs?: number): Promise<void>;
  /** Closes the master side, as a closed terminal window does: the program gets SIGHUP and EIO. */
  hangUp(): void;
  /** Kills what is left. Call it in afterEach. */
  close(): void;
}

const POLL_MS = 5;
const TICK_MS = 5;

/** Starts a program in a pty. */
export function openPty(file: string, args: readonly string[], options: PtyOptions = {}): PtySession {
  const columns = options.columns ?? 80;
  const rows = options.rows ?? 24;
  const child: IPty = nodePty.spawn(file, [...args], {
    name: options.env?.['TERM'] ?? 'xterm-256color',
    cols: columns,
    rows,
    cwd: options.cwd ?? process.cwd(),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      LANG: 'C.UTF-8',
      ...options.env,
    },
    encoding: null,
  });
  const xterm = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  xterm.loadAddon(new unicode11.Unicode11Addon());
  xterm.unicode.activeVersion = '11';

  let cursorVisible = true;
  let bytes = 0;
  let lastByteAt = performance.now();
  const chunks: Buffer[] = [];
  let running = true;
  for (const [final, visible] of [
    ['h', true],
    ['l', false],
  ] as const) {
    xterm.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
      if (params.includes(25)) cursorVisible = visible;
      return false;
    });
  }

  const write = (text: string): void => {
    if (running) child.write(text);
  };
  const latencyMs = options.link?.latencyMs ?? 0;
  const send = (text: string): void => {
    if (latencyMs > 0) setTimeout(() => write(text), latencyMs);
    else write(text);
  };
  if (options.answers !== false) xterm.onData(send);
  const show = (chunk: Buffer): void => {
    bytes += chunk.length;
    lastByteAt = performance.now();
    chunks.push(chunk);
    xterm.write(chunk);
  };
  const link = options.link === undefined ? null : slowLink(options.link, child, show);
  // With `encoding: null` node-pty hands out Buffers, which its types do not know.
  child.onData((data: string | Buffer) => {
    const chunk = typeof data === 'string' ? Buffer.from(data) : data;
    if (link === null) show(chunk);
    else link.push(chunk);
  });
  const exited = new Promise<PtyExit>((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      running = false;
      // The last bytes may still be on their way through xterm's own queue.
      setTimeout(() => xterm.write('', () => resolve({ exitCode, signal: signal ?? 0 })), 20);
    });
  });

  const line = (y: number): string =>
    xterm.buffer.active.getLine(xterm.buffer.active.viewportY + y)?.translateToString(true) ?? '';
  const screen = (): string => Array.from({ length: xterm.rows }, (_, y) => line(y)).join('\n');
  const until = async (holds: () => boolean, timeoutMs: number, what: string): Promise<void> => {
    const end = performance.now() + timeoutMs;
    while (!holds()) {
      if (performance.now() > end)
        throw new Error(`not within ${timeoutMs} ms: ${what}\n--- screen ---\n${screen()}\n---`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const kill = (name: string): void => {
    if (!running) return;
    try {
      child.kill(name);
    } catch {
      // It ended in between.
    }
  };

  return {
    pid: child.pid,
    xterm,
    exited,
    get bytes() {
      return bytes;
    },
    get transcript() {
      return Buffer.concat(chunks).toString();
    },
    type: send,
    resize(newColumns, newRows) {
      xterm.resize(newColumns, newRows);
      child.resize(newColumns, newRows);
    },
    signal: (name) => void process.kill(child.pid, name),
    screen,
    line,
    cell: (x, y) => xterm.buffer.active.getLine(xterm.buffer.active.viewportY + y)?.getCell(x),
    cursor: () => ({ x: xterm.buffer.active.cursorX, y: xterm.buffer.active.cursorY }),
    modes: () => ({
      alternateScreen: xterm.buffer.active.type === 'alternate',
      mouse: xterm.modes.mouseTrackingMode !== 'none',
      bracketedPaste: xterm.modes.bracketedPasteMode,
      focusReports: xterm.modes.sendFocusMode,
      cursorVisible,
      autoWrap: xterm.modes.wraparoundMode,
    }),
    waitFor(what, timeoutMs = 5000) {
      const holds =
        typeof what === 'function'
          ? what
          : typeof what === 'string'
            ? () => screen().includes(what)
            : () => what.test(screen());
      return until(holds, timeoutMs, String(what));
    },
    quiet: (forMs = 100, timeoutMs = 5000) =>
      until(() => performance.now() - lastByteAt >= forMs, timeoutMs, `quiet for ${forMs} ms`),
    hangUp() {
      // node-pty's own destroy closes the master, which is what a closed window does.
      (child as unknown as { destroy(): void }).destroy();
    },
    close() {
      link?.stop();
      kill('SIGKILL');
      xterm.dispose();
    },
  };
}

interface Link {
  push(chunk: Buffer): void;
  stop(): void;
}

/** A token bucket in front of the terminal; a full buffer stops reading, so that the pty fills up and the program feels it. */
function slowLink(link: SlowLink, child: IPty, show: (chunk: Buffer) => void): Link {
  const bufferBytes = link.bufferBytes ?? 0;
  const latencyMs = link.latencyMs ?? 0;
  const queue: Buffer[] = [];
  let queued = 0;
  let allowance = 0;
  let last = performance.now();
  let paused = false;
  const timer = setInterval(() => {
    const now = performance.now();
    allowance = Math.min(
      allowance + ((now - last) * link.bytesPerSecond) / 1000,
      Math.max(64, link.bytesPerSecond / 20),
    );
    last = now;
    while (queue.length > 0 && allowance >= 1) {
      const head = queue[0] as Buffer;
      const part = head.subarray(0, Math.floor(allowance));
      if (part.length === head.length) queue.shift();
      else queue[0] = head.subarray(part.length);
      queued -= part.length;
      allowance -= part.length;
      if (latencyMs > 0) setTimeout(() => show(part), latencyMs);
      else show(part);
    }
    if (paused && queued <= bufferBytes) {
      paused = false;
      child.resume();
    }
  }, TICK_MS);
  return {
    push(chunk) {
      queue.push(chunk);
      queued += chunk.length;
      if (!paused && queued > bufferBytes) {
        paused = true;
        child.pause();
      }
    },
    stop: () => clearInterval(timer),
  };
}
