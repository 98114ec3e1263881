import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LogLine } from '../domain/log.js';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { countLines, createLineCutter } from './line-cutter.js';
import { createLineParser } from './parse.js';

/** What happens to a followed file, in words for the user. */
export type TailState =
  | { readonly state: 'following' }
  /** It is not there (yet); it is followed as soon as it comes. */
  | { readonly state: 'waiting'; readonly reason: string; readonly hint: string }
  /** It cannot be read; it is tried again. */
  | { readonly state: 'failed'; readonly reason: string; readonly hint: string };

export interface TailOptions {
  readonly file: string;
  readonly clock: Clock;
  /** Lines in order; `skipped` lines came before them and were not read because the file grew too fast. */
  readonly onLines: (lines: readonly LogLine[], skipped: number) => void;
  readonly onState: (state: TailState) => void;
  /** The file's base name unless given. */
  readonly source?: string;
  readonly timing?: Partial<TailTiming>;
}

export interface TailTiming {
  /** Pause while the file grows: what comes in it is one batch. */
  readonly busyMs: number;
  /** Pause while it rests; a change wakes earlier where the system tells changes. */
  readonly idleMs: number;
}

export interface Tail {
  stop(): void;
}

const TIMING: TailTiming = { busyMs: 100, idleMs: 1000 };
/** So much of the end of a file is shown first. */
const FIRST_BYTES = 64 * 1024;
/** One read: parsing it takes some milliseconds, then others have their turn. */
const READ_BYTES = 64 * 1024;
/** What grows by more between two looks is skipped but for its end: the log pane would drop it unseen. */
const MOST_BEHIND_BYTES = 4 * 1024 * 1024;
const KEPT_BEHIND_BYTES = 1024 * 1024;
/** The beginning of a file tells whether it was written anew in place without having become shorter. */
const HEAD_BYTES = 128;

interface Opened {
  readonly handle: FileHandle;
  readonly dev: number;
  readonly ino: number;
  position: number;
  head: Buffer;
}

/**
 * Follows a file: its end first, then what is appended. Looks at it by `stat` and takes the system's change notices only as a hint: they
 * are lost on network disks and flood at thousands of lines a second, so a watcher is armed only while the file rests and for one notice.
 */
export function followFile(options: TailOptions): Tail {
  const { file, clock } = options;
  const timing = { ...TIMING, ...options.timing };
  const cutter = createLineCutter();
  const parse = createLineParser(sanitizeLine(options.source ?? path.basename(file)));
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let opened: Opened | null = null;
  let first = true;
  let stopped = false;
  let told = '';
  let watcher: fs.FSWatcher | null = null;
  let cancelTimer: (() => void) | null = null;

  async function look(): Promise<void> {
    cancelTimer?.();
    disarm();
    let grew = false;
    try {
      grew = await step();
    } catch (error) {
      await letGo();
      tell(troubleOf(error, file));
    }
    if (stopped) return void letGo();
    cancelTimer = clock.after(grew ? timing.busyMs : timing.idleMs, () => void look());
    if (!grew) arm();
  }

  /** One look at the file; true when there was something new. */
  async function step(): Promise<boolean> {
    const now = await fs.promises.stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (now && !now.isFile())
      throw Object.assign(new Error('not a file'), { code: now.isDirectory() ? 'EISDIR' : 'ENOTFILE' });
    // A program may go on for a while in the file that was set aside.
    if (opened && (!now || now.ino !== opened.ino || now.dev !== opened.dev)) {
      const grew = await readOn(opened);
      if (!now) {
        tell({
          state: 'waiting',
          reason: `${file} was moved or removed`,
          hint: 'It is followed again when it comes back.',
        });
        return grew;
      }
      emit((take) => cutter.end(take), 0);
      await letGo();
    }
    if (!now) {
      tell({
        state: 'waiting',
        reason: `${file} does not exist yet`,
        hint: 'It is followed as soon as it is written.',
      });
      first = false;
      return false;
    }
    if (!opened) opened = await open();
    tell({ state: 'following' });
    return readOn(opened);
  }

  async function open(): Promise<Opened> {
    const handle = await fs.promises.open(file, 'r');
    const stat = await handle.stat();
    const start = Math.max(0, stat.size - (first ? FIRST_BYTES : stat.size));
    first = false;
    cutter.reset(start > 0);
    const fresh: Opened = { handle, dev: stat.dev, ino: stat.ino, position: start, head: Buffer.alloc(0) };
    fresh.head = await readHead(fresh);
    return fresh;
  }

  /** Reads from where the last look ended up to the end as it is now. */
  async function readOn(at: Opened): Promise<boolean> {
    const { size } = await at.handle.stat();
    if (size === at.position) return false;
    if (size < at.position || (await wasRewritten(at))) {
      at.position = 0;
      cutter.reset(false);
    }
    at.head = await readHead(at);
    const skipped = size - at.position > MOST_BEHIND_BYTES ? await skipTo(at, size - KEPT_BEHIND_BYTES) : 0;
    let owed = skipped;
    while (at.position < size && !stopped) {
      const { bytesRead } = await at.handle.read(
        buffer,
        0,
        Math.min(buffer.length, size - at.position),
        at.position,
      );
      // Truncated while it was read; the next look sees it.
      if (bytesRead === 0) break;
      at.position += bytesRead;
      emit((take) => cutter.push(buffer.subarray(0, bytesRead), take), owed);
      owed = 0;
    }
    return true;
  }

  /** Counts the lines on the way instead of taking them; only one buffer is held. */
  async function skipTo(at: Opened, target: number): Promise<number> {
    let lines = 0;
    while (at.position < target && !stopped) {
      const { bytesRead } = await at.handle.read(
        buffer,
        0,
        Math.min(buffer.length, target - at.position),
        at.position,
      );
      if (bytesRead === 0) break;
      at.position += bytesRead;
      lines += countLines(buffer.subarray(0, bytesRead));
    }
    // The line in which it stopped is skipped to its end.
    cutter.reset(true);
    return lines + 1;
  }

  function emit(cut: (take: (line: string) => void) => void, skipped: number): void {
    const lines: LogLine[] = [];
    cut((line) => lines.push(parse(line)));
    if (!stopped && (lines.length > 0 || skipped > 0)) options.onLines(lines, skipped);
  }

  async function wasRewritten(at: Opened): Promise<boolean> {
    const head = await readHead(at);
    return !head.subarray(0, at.head.length).equals(at.head);
  }

  async function readHead(at: Opened): Promise<Buffer> {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await at.handle.read(head, 0, HEAD_BYTES, 0);
    return head.subarray(0, bytesRead);
  }

  /** Every state once, not with every look. */
  function tell(state: TailState): void {
    const words = state.state === 'following' ? state.state : `${state.state} ${state.reason}`;
    if (words === told || stopped) return;
    told = words;
    options.onState(state);
  }

  function arm(): void {
    try {
      watcher = fs.watch(opened ? file : path.dirname(file), { persistent: false }, () => {
        disarm();
        cancelTimer?.();
        // Not at once: what is being written now comes along.
        cancelTimer = clock.after(timing.busyMs, () => void look());
      });
      watcher.on('error', disarm);
    } catch {
      // No watchers left, or a file system without them: the timer does it.
    }
  }

  function disarm(): void {
    watcher?.close();
    watcher = null;
  }

  async function letGo(): Promise<void> {
    const closing = opened;
    opened = null;
    await closing?.handle.close().catch(() => undefined);
  }

  void look();
  return {
    stop() {
      stopped = true;
      cancelTimer?.();
      disarm();
      // A look under way lets go itself when it ends.
      void letGo();
    },
  };
}

function troubleOf(error: unknown, file: string): TailState {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const told = TROUBLES[code];
  return told
    ? { state: 'failed', reason: `${file} ${told[0]}`, hint: told[1] }
    : {
        state: 'failed',
        reason: `${file} cannot be read: ${messageOf(error)}`,
        hint: 'It is tried again every second.',
      };
}

const TROUBLES: Readonly<Record<string, readonly [string, string]>> = {
  EACCES: [
    'may not be read by you',
    'Ask for read permission (for example: sudo setfacl -m u:$USER:r FILE); it is tried again every second.',
  ],
  EPERM: ['may not be read by you', 'Ask for read permission; it is tried again every second.'],
  EISDIR: ['is a folder', 'Name a file in it.'],
  ENOTFILE: ['is no regular file', 'Name a file that a server writes its log to.'],
  ENOTDIR: ['does not exist: a part of its path is a file', 'Check the path.'],
  EMFILE: ['cannot be opened: too many files are open', 'Raise the limit (ulimit -n).'],
};
