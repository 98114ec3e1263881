import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FOLLOWING, type LogSourceState } from '../domain/log.js';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { countLines, createLineCutter } from './line-cutter.js';
import type { LogSink, LogSource } from './log-source.js';
import { createLineParser } from './parse.js';

export interface TailOptions extends LogSink {
  readonly file: string;
  readonly clock: Clock;
  /** The file's base name unless given. */
  readonly source?: string;
  /** So many lines of its end are read first, as far as `mostFirstBytes` has them, and at least the lines of the last 64 kB. */
  readonly firstLines?: number;
  readonly mostFirstBytes?: number;
  /** Reads what is there and ends. */
  readonly once?: boolean;
  readonly timing?: Partial<TailTiming>;
}

export interface TailTiming {
  /** Pause while the file grows: what comes in it is one batch. */
  readonly busyMs: number;
  /** Pause while it rests; a change wakes earlier where the system tells changes. */
  readonly idleMs: number;
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
export function followFile(options: TailOptions): LogSource {
  const { file, clock } = options;
  const timing = { ...TIMING, ...options.timing };
  const cutter = createLineCutter();
  const source = sanitizeLine(options.source ?? path.basename(file));
  const parser = createLineParser(source);
  const progressParser = createLineParser(source);
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let opened: Opened | null = null;
  let first = true;
  /** What is read was there before. */
  let past = true;
  let stopped = false;
  let told = '';
  let shownProgress: string | null = null;
  /** Epoch ms of the last change of the file when it was opened. */
  let writtenBy = 0;
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
    if (options.once === true) return finish();
    cancelTimer = clock.after(grew ? timing.busyMs : timing.idleMs, () => void look());
    if (!grew) arm();
  }

  function finish(): void {
    emit((take) => cutter.end(take), 0);
    stopped = true;
    void letGo();
    options.onDone?.();
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
        tell(trouble('waiting', `${file} was moved or removed`, 'It is followed again when it comes back.'));
        return grew;
      }
      emit((take) => cutter.end(take), 0);
      await letGo();
    }
    if (!now) {
      tell(trouble('waiting', `${file} does not exist yet`, 'It is followed as soon as it is written.'));
      first = false;
      past = false;
      return false;
    }
    if (!opened) opened = await open();
    tell(FOLLOWING);
    const grew = await readOn(opened);
    past = false;
    return grew;
  }

  async function open(): Promise<Opened> {
    const handle = await fs.promises.open(file, 'r');
    const stat = await handle.stat();
    const start = first ? await firstStart(handle, stat.size) : 0;
    first = false;
    cutter.reset(start > 0);
    writtenBy = stat.mtimeMs;
    const fresh: Opened = { handle, dev: stat.dev, ino: stat.ino, position: start, head: Buffer.alloc(0) };
    fresh.head = await readHead(fresh);
    return fresh;
  }

  /** From where the lines are shown that were there before: back from the end until there are enough. */
  async function firstStart(handle: FileHandle, size: number): Promise<number> {
    const { firstLines = 0, mostFirstBytes = FIRST_BYTES } = options;
    let start = Math.max(0, size - FIRST_BYTES);
    let lines = 0;
    for (let end = size; ; end = start, start = Math.max(0, end - READ_BYTES)) {
      const { bytesRead } = await handle.read(buffer, 0, end - start, start);
      lines += countLines(buffer.subarray(0, bytesRead));
      // The first line is only a part of one.
      if (lines > firstLines || start === 0 || size - start >= mostFirstBytes || stopped) return start;
    }
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
    const tooMuch = !past && size - at.position > MOST_BEHIND_BYTES;
    const skipped = tooMuch ? await skipTo(at, size - KEPT_BEHIND_BYTES) : 0;
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
    const raws: string[] = [];
    cut((line) => raws.push(line));
    if (stopped) return;
    // What has ended is not shown beside its end.
    if (cutter.progress() === null) tellProgress();
    const lines = parser.parse(raws, past ? writtenBy : clock.now(), true);
    if (lines.length > 0 || skipped > 0) options.onLines(lines, skipped, past);
    tellProgress();
  }

  function tellProgress(): void {
    const text = cutter.progress();
    if (text === shownProgress) return;
    shownProgress = text;
    const [line] = text === null ? [] : progressParser.parse([text], clock.now(), true);
    options.onProgress?.(line ?? null);
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
  function tell(state: LogSourceState): void {
    const words = `${state.state} ${state.reason ?? ''}`;
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

function trouble(state: 'waiting' | 'refused' | 'failed', reason: string, hint: string): LogSourceState {
  return { state, reason, hint, nextTryMs: null };
}

function troubleOf(error: unknown, file: string): LogSourceState {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const [state, words, hint] = TROUBLES[code] ?? [];
  if (state === undefined)
    return trouble(
      'failed',
      `${file} cannot be read: ${messageOf(error)}`,
      'It is tried again every second.',
    );
  return trouble(state, `${file} ${words ?? ''}`, (hint ?? '').replaceAll('FILE', file));
}

const TROUBLES: Readonly<Record<string, readonly ['refused' | 'failed', string, string]>> = {
  EACCES: [
    'refused',
    'may not be read by you',
    'Ask for read permission (for example: sudo setfacl -m u:$USER:r FILE); it is tried again every second.',
  ],
  EPERM: ['refused', 'may not be read by you', 'Ask for read permission; it is tried again every second.'],
  EISDIR: ['failed', 'is a folder', 'Name a file in it.'],
  ENOTFILE: ['failed', 'is no regular file', 'Name a file that a server writes its log to.'],
  ENOTDIR: ['failed', 'does not exist: a part of its path is a file', 'Check the path.'],
  EMFILE: ['failed', 'cannot be opened: too many files are open', 'Raise the limit (ulimit -n).'],
};
