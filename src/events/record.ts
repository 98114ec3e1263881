import fs from 'node:fs';
import { LmappError, EXIT, messageOf } from '../errors.js';
import type { AppEvent, Stamped } from './catalogue.js';
import type { Subscriber } from './bus.js';

/**
 * A record is NDJSON: a header line `{"lmapp":1,…}`, then one stamped event a line. It holds everything that came from outside
 * (servers, hardware, keys), so that playing it back through the same store gives the same screens.
 */
export interface Recorder {
  readonly receive: Subscriber;
  close(): Promise<void>;
}

interface Header {
  readonly lmapp: 1;
  readonly width: number;
  readonly height: number;
}

const LONGEST_LINE_CHARS = 16 * 1024 * 1024;
const LONGEST_HEADER_BYTES = 4096;
const HINT = 'Give a file that was written by "lmapp tui --record FILE".';

/** Begins a record. Errors: LmappError when the file cannot be created. */
export function openRecorder(
  file: string,
  size: { width: number; height: number },
  onProblem: (error: unknown) => void,
): Recorder {
  let fd: number;
  try {
    fd = fs.openSync(file, 'w', 0o600);
  } catch (cause) {
    throw new LmappError('record', `cannot write the record ${file}`, {
      hint: 'Choose another file for --record.',
      exitCode: EXIT.usage,
      cause,
    });
  }
  const stream = fs.createWriteStream(file, { fd });
  let open = true;
  stream.on('error', (error) => {
    open = false;
    onProblem(error);
  });
  const header: Header = { lmapp: 1, ...size };
  stream.write(JSON.stringify(header) + '\n');
  return {
    receive(event) {
      if (open) stream.write(JSON.stringify(withoutSecret(event)) + '\n');
    },
    close: () => new Promise((done) => (open ? stream.end(() => done()) : done())),
  };
}

/**
 * Looks at the head of a record before anything is played. Errors: LmappError for a file that is not there or no record, and for one that
 * is to be written anew (`target`) while it is read. A pipe is only read once, later.
 */
export function checkRecord(file: string, target: string | null): void {
  let fd: number | null = null;
  try {
    const { dev, ino } = fs.statSync(file);
    const written = target === null ? undefined : fs.statSync(target, { throwIfNoEntry: false });
    if (written?.dev === dev && written.ino === ino)
      throw new LmappError('record', `${file} cannot be played and written at once`, {
        hint: 'Choose another file for --record.',
        exitCode: EXIT.usage,
      });
    fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    if (!fs.fstatSync(fd).isFile() && !fs.fstatSync(fd).isDirectory()) return;
    const head = Buffer.alloc(LONGEST_HEADER_BYTES);
    const [first = ''] = head.toString('utf8', 0, fs.readSync(fd, head)).split('\n');
    if (parse(first)?.['lmapp'] !== 1) throw noRecord(file, 1);
  } catch (error) {
    throw error instanceof LmappError ? error : unreadable(file, error);
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

/** An event of a record and where it stands. */
export interface RecordedEvent {
  /** Counted from 1; the header is the first. */
  readonly line: number;
  readonly event: Stamped;
}

/**
 * Reads a record. Errors: LmappError that names the line. Unknown event types of newer versions pass; the update ignores them. Of an event
 * only its name and its time are looked at.
 */
export async function* readRecord(file: string): AsyncGenerator<RecordedEvent> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (line === '') continue;
    const value = line === null ? null : parse(line);
    if (number === 1 && value?.['lmapp'] === 1) continue;
    if (number === 1 || !value || typeof value['type'] !== 'string' || typeof value['mono'] !== 'number')
      throw noRecord(file, number);
    yield { line: number, event: value as unknown as Stamped };
  }
}

/** Null for a line without end, which no record has: what comes behind it is not read. */
async function* linesOf(file: string): AsyncGenerator<string | null> {
  // Of the line that is not whole yet.
  let parts: string[] = [];
  let length = 0;
  try {
    for await (const chunk of fs.createReadStream(file, 'utf8') as AsyncIterable<string>) {
      const [first = '', ...more] = chunk.split('\n');
      parts.push(first);
      length += first.length;
      if (length > LONGEST_LINE_CHARS) {
        yield null;
        return;
      }
      const last = more.pop();
      if (last === undefined) continue;
      for (const line of [parts.join(''), ...more]) yield line.replace(/\r$/, '');
      parts = [last];
      length = last.length;
    }
  } catch (cause) {
    if (cause instanceof LmappError) throw cause;
    throw unreadable(file, cause);
  }
  if (length > 0) yield parts.join('');
}

function noRecord(file: string, line: number): LmappError {
  return new LmappError('record', `${file}:${line} is not a line of an lmapp record`, {
    hint: HINT,
    exitCode: EXIT.usage,
  });
}

function unreadable(file: string, cause: unknown): LmappError {
  return new LmappError('record', `cannot read the record ${file}: ${messageOf(cause)}`, {
    hint: HINT,
    exitCode: EXIT.usage,
    cause,
  });
}

/** A key that is typed leaves only its length, which is all that the screen shows of it. */
function withoutSecret(event: Stamped): Stamped {
  if (event.type !== 'secret.edited' || !('text' in event.edit)) return event;
  return { ...event, edit: { ...event.edit, text: '•'.repeat(event.edit.text.length) } };
}

/** The event without what the bus stamped on it. */
export function unstamped(event: Stamped): AppEvent {
  const { seq: _seq, at: _at, mono: _mono, ...rest } = event;
  return rest as AppEvent;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
