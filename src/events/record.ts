import fs from 'node:fs';
import readline from 'node:readline';
import { LmappError, EXIT } from '../errors.js';
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

/** Reads a record. Errors: LmappError that names the line. Unknown event types of newer versions pass; the update ignores them. */
export async function* readRecord(file: string): AsyncGenerator<Stamped> {
  const lines = readline.createInterface({ input: await openForReading(file), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    const value = parse(line);
    if (number === 1 && value?.['lmapp'] === 1) continue;
    if (number === 1 || !value || typeof value['type'] !== 'string' || typeof value['mono'] !== 'number')
      throw new LmappError('record', `${file}:${number} is not a line of an lmapp record`, {
        hint: 'Give a file that was written by "lmapp tui --record FILE".',
        exitCode: EXIT.usage,
      });
    yield value as unknown as Stamped;
  }
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

async function openForReading(file: string): Promise<fs.ReadStream> {
  const stream = fs.createReadStream(file, 'utf8');
  await new Promise<void>((ready, fail) => {
    stream.once('open', () => ready());
    stream.once('error', (cause) =>
      fail(new LmappError('record', `cannot read the record ${file}`, { exitCode: EXIT.usage, cause })),
    );
  });
  return stream;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
