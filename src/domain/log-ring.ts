import type { LogLine } from './log.js';

/** Bytes of log lines that are kept unless told otherwise. */
export const RING_CAP_BYTES = 4 * 1024 * 1024;
/** A chunk is closed when it holds so many lines … */
const CHUNK_LINES = 256;
/** … or this share of the cap, so that dropping one never empties a ring of long lines. */
const CHUNK_SHARE = 16;
/** Cost of a line beside its text: the object, its slots and its numbers. */
const LINE_OVERHEAD_BYTES = 112;

interface LogChunk {
  /** Number of its first line. */
  readonly start: number;
  readonly lines: readonly LogLine[];
  /** Of each line: see `timeAt`. */
  readonly times: readonly number[];
  readonly bytes: number;
}

/**
 * The last lines of all logs, newest last. Immutable: appending shares every closed chunk with the ring before, so an append costs one
 * chunk and not the whole ring. Lines are numbered from 0 as they come; a number is never used again, so it may be held over appends.
 */
export interface LogRing {
  readonly chunks: readonly LogChunk[];
  /** Number of the oldest line that is still held. */
  readonly first: number;
  /** Number that the next line gets; `end - first` lines are held. */
  readonly end: number;
  readonly bytes: number;
  readonly capBytes: number;
  /** Lines that were held and had to go; equals `first`. */
  readonly dropped: number;
  /** Lines that never came in because their source skipped them. */
  readonly skipped: number;
  /** Time of the last line. */
  readonly lastTime: number;
  /** The lines stand by time as they came. */
  readonly inOrder: boolean;
}

export const EMPTY_RING: LogRing = emptyRing();

/** A ring with a cap of its own. */
export function emptyRing(capBytes: number = RING_CAP_BYTES): LogRing {
  return {
    chunks: [],
    first: 0,
    end: 0,
    bytes: 0,
    capBytes,
    dropped: 0,
    skipped: 0,
    lastTime: 0,
    inOrder: true,
  };
}

/**
 * Appends lines; drops whole chunks from the front when the cap is passed. The newest chunk is always kept. `times`: by which they
 * stand among those of other sources, epoch ms (domain/log-times.ts); without them a line stands by its own time.
 */
export function appendLines(
  ring: LogRing,
  lines: readonly LogLine[],
  skipped = 0,
  times?: readonly number[],
): LogRing {
  if (lines.length === 0) return skipped === 0 ? ring : { ...ring, skipped: ring.skipped + skipped };
  const chunks = ring.chunks.slice();
  const last = chunks.at(-1);
  const open = last && !isClosed(last, ring.capBytes) ? last : null;
  if (open) chunks.pop();

  let start = open ? open.start : ring.end;
  let held = open ? open.lines.slice() : [];
  let heldTimes = open ? open.times.slice() : [];
  let { lastTime, inOrder } = ring;
  let heldBytes = open ? open.bytes : 0;
  let bytes = ring.bytes;
  for (const [i, line] of lines.entries()) {
    const size = lineBytes(line);
    const time = times?.[i] ?? line.at ?? lastTime;
    if (time < lastTime) inOrder = false;
    lastTime = time;
    held.push(line);
    heldTimes.push(time);
    heldBytes += size;
    bytes += size;
    if (held.length < CHUNK_LINES && heldBytes * CHUNK_SHARE < ring.capBytes) continue;
    chunks.push({ start, lines: held, times: heldTimes, bytes: heldBytes });
    start += held.length;
    held = [];
    heldTimes = [];
    heldBytes = 0;
  }
  if (held.length > 0) chunks.push({ start, lines: held, times: heldTimes, bytes: heldBytes });

  let gone = 0;
  while (bytes > ring.capBytes && gone < chunks.length - 1) bytes -= chunks[gone++]?.bytes ?? 0;
  if (gone > 0) chunks.splice(0, gone);
  const first = chunks[0]?.start ?? 0;
  return {
    ...ring,
    chunks,
    first,
    end: ring.end + lines.length,
    bytes,
    dropped: first,
    skipped: ring.skipped + skipped,
    lastTime,
    inOrder,
  };
}

/** The line with this number; undefined when it was dropped or has not come yet. */
export function lineAt(ring: LogRing, number: number): LogLine | undefined {
  const at = chunkIndexOf(ring, number);
  const chunk = ring.chunks[at];
  return chunk?.lines[number - chunk.start];
}

/** The time by which this line stands among those of other sources, epoch ms; undefined as in `lineAt`. */
export function timeAt(ring: LogRing, number: number): number | undefined {
  const chunk = ring.chunks[chunkIndexOf(ring, number)];
  return chunk?.times[number - chunk.start];
}

/** Calls `visit` for the held lines from number `from`, oldest first, until it returns false. `time` as `timeAt` tells it. */
export function visitLines(
  ring: LogRing,
  from: number,
  visit: (line: LogLine, number: number, time: number) => boolean,
): void {
  let number = Math.max(from, ring.first);
  for (let c = chunkIndexOf(ring, number); c < ring.chunks.length; c++) {
    const chunk = ring.chunks[c];
    if (!chunk) return;
    for (let i = number - chunk.start; i < chunk.lines.length; i++) {
      const line = chunk.lines[i];
      if (line && !visit(line, number, chunk.times[i] ?? 0)) return;
      number++;
    }
  }
}

/** Number of lines held. */
export function ringLength(ring: LogRing): number {
  return ring.end - ring.first;
}

function isClosed(chunk: LogChunk, capBytes: number): boolean {
  return chunk.lines.length >= CHUNK_LINES || chunk.bytes * CHUNK_SHARE >= capBytes;
}

/** Two bytes per UTF-16 unit: what a text with anything beyond Latin-1 costs, so the cap holds for every log. */
function lineBytes(line: LogLine): number {
  return LINE_OVERHEAD_BYTES + 2 * line.text.length;
}

function chunkIndexOf(ring: LogRing, number: number): number {
  const { chunks } = ring;
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunks[middle]?.start ?? 0) <= number) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
