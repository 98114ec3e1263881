/** The whole dashboard in this process: its own terminal layer on fake streams that a headless xterm reads, real sockets and files. */
import unicode11 from '@xterm/addon-unicode11';
import headless from '@xterm/headless';
import type { IBufferCell } from '@xterm/headless';
import type { TuiOptions } from '../../src/commands/tui-options.js';
import { directoriesOf, filesOf } from '../../src/config/paths.js';
import { defaultSettings } from '../../src/config/schema.js';
import type { Settings } from '../../src/domain/settings.js';
import { startTui } from '../../src/tui/start.js';
import { FakeStdin, FakeStdout } from './fake-streams.js';
import { makeHome, type Home } from './home.js';
import { createLiveClock, type LiveClock } from './live-clock.js';

export interface DashboardOptions {
  /** Cards are asked, too; false. */
  readonly gpu?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly settings?: Partial<Settings>;
  readonly urls?: readonly string[];
  readonly mock?: boolean;
  readonly embedded?: boolean;
  readonly continueLast?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Of an earlier run; it is not removed with the dashboard then. */
  readonly home?: Home;
  readonly problems?: readonly string[];
  /** File of --record. */
  readonly record?: string;
}

export interface TestDashboard {
  readonly clock: LiveClock;
  readonly home: Home;
  readonly exited: Promise<number>;
  /** Bytes written to the terminal so far. */
  readonly bytes: number;
  /** Lines on standard error after the terminal was left. */
  readonly told: readonly string[];
  /** All of them as text. */
  readonly written: string;
  /** Types raw characters: `'\r'` is Enter, `'\x03'` is Ctrl+C. */
  type(text: string): void;
  paste(text: string): void;
  /** A message and Enter. */
  send(text: string): void;
  resize(columns: number, rows: number): void;
  screen(): string;
  line(y: number): string;
  /** The bottom line. */
  phaseBar(): string;
  /** The row that holds the text; -1 when there is none. */
  rowOf(text: string): number;
  cellOf(text: string): IBufferCell | undefined;
  cursor(): { readonly x: number; readonly y: number; readonly visible: boolean };
  /** Rejects with the screen in the message when it does not come in time. */
  sees(what: string | RegExp | (() => boolean), timeoutMs?: number): Promise<void>;
  /** Waits until it is gone. */
  misses(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Ctrl+C until it is left; resolves to the exit code. */
  quit(): Promise<number>;
  /** The terminal is closed; what is open is let go. */
  close(): Promise<void>;
}

const POLL_MS = 4;
const open = new Set<TestDashboard>();

/** Starts it; resolves when the first frame is on the screen. */
export async function startDashboard(options: DashboardOptions = {}): Promise<TestDashboard> {
  const columns = options.columns ?? 120;
  const rows = options.rows ?? 40;
  const home = options.home ?? makeHome();
  const clock = createLiveClock();
  const xterm = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  xterm.loadAddon(new unicode11.Unicode11Addon());
  xterm.unicode.activeVersion = '11';
  let visible = true;
  const told: string[] = [];
  for (const [final, shows] of [
    ['h', true],
    ['l', false],
  ] as const)
    xterm.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
      if (params.includes(25)) visible = shows;
      return false;
    });
  const stdout = new FakeStdout(columns, rows, (chunk) => xterm.write(chunk));
  const stdin = new FakeStdin();
  xterm.onData((text) => stdin.send(text));

  const env = {
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    LANG: 'C.UTF-8',
    PATH: process.env['PATH'] ?? '',
    ...home.env,
    ...options.env,
  };
  const tui: TuiOptions = {
    version: '0.0.0-test',
    ports: { clock, env, platform: process.platform },
    files: filesOf(directoriesOf(env)),
    settings: { ...defaultSettings(), discovery: false, ...options.settings },
    tellStep: null,
    tellAtEnd: (words) => void told.push(words),
    settingsSources: { model: [{ from: 'default' }] } as unknown as TuiOptions['settingsSources'],
    problems: options.problems ?? [],
    keyOf: (backend) => backend.key ?? null,
    secrets: [],
    urls: options.urls ?? [],
    mock: options.mock ?? false,
    embedded: options.embedded ?? false,
    continueLast: options.continueLast ?? false,
    record: options.record ?? null,
    replay: null,
    speed: 0,
    gpu: options.gpu ?? false,
    debug: false,
  };

  const line = (y: number): string =>
    xterm.buffer.active.getLine(xterm.buffer.active.viewportY + y)?.translateToString(true) ?? '';
  const lines = (): string[] => Array.from({ length: xterm.rows }, (_, y) => line(y));
  const screen = (): string => lines().join('\n');
  const until = async (holds: () => boolean, timeoutMs: number, what: string): Promise<void> => {
    for (const end = performance.now() + timeoutMs; !holds();) {
      if (performance.now() > end)
        throw new Error(`not within ${timeoutMs} ms: ${what}\n--- screen ---\n${screen()}\n---`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  let ended = false;
  const exited = startTui(tui, { stdin, stdout }).finally(() => (ended = true));

  const dashboard: TestDashboard = {
    clock,
    home,
    exited,
    get bytes() {
      return stdout.bytes;
    },
    told,
    get written() {
      return stdout.chunks.join('');
    },
    type: (text) => stdin.send(text),
    paste: (text) => stdin.send(`\x1b[200~${text}\x1b[201~`),
    send: (text) => stdin.send(`${text}\r`),
    resize(newColumns, newRows) {
      xterm.resize(newColumns, newRows);
      stdout.resize(newColumns, newRows);
    },
    screen,
    line,
    phaseBar: () => line(xterm.rows - 1),
    rowOf: (text) => lines().findIndex((row) => row.includes(text)),
    cellOf(text) {
      const y = lines().findIndex((row) => row.includes(text));
      const x = line(y).indexOf(text);
      return xterm.buffer.active.getLine(xterm.buffer.active.viewportY + y)?.getCell(x);
    },
    cursor: () => ({ x: xterm.buffer.active.cursorX, y: xterm.buffer.active.cursorY, visible }),
    sees(what, timeoutMs = 4000) {
      const holds =
        typeof what === 'function'
          ? what
          : () => (typeof what === 'string' ? screen().includes(what) : what.test(screen()));
      return until(holds, timeoutMs, String(what));
    },
    misses: (what, timeoutMs = 4000) =>
      until(
        () => (typeof what === 'string' ? !screen().includes(what) : !what.test(screen())),
        timeoutMs,
        `gone: ${String(what)}`,
      ),
    async quit() {
      // Stops an answer, empties the message, and twice on an empty one quits.
      for (let i = 0; i < 5 && !ended; i++) {
        stdin.send('\x03');
        await new Promise((resolve) => setImmediate(resolve));
      }
      return exited;
    },
    async close() {
      open.delete(dashboard);
      if (!ended) stdin.end();
      await exited;
      clock.stop();
      xterm.dispose();
      if (!options.home) home.remove();
    },
  };
  open.add(dashboard);
  await dashboard.sees('lmapp');
  return dashboard;
}

/** For afterEach: also those that a failed test has left open. */
export async function closeDashboards(): Promise<void> {
  for (const dashboard of open) await dashboard.close();
}
