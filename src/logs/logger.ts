import type * as Winston from 'winston';
import { LOG_LEVELS, type LogLevel } from '../domain/log.js';
import type { TakeLines } from './bus-transport.js';
import { jsonOf, recordOf, type LogFields, type LogRecord } from './record.js';
import { createRedactor } from './redact.js';
import { openRotatingFile, type LogTrouble } from './rotating-file.js';

export interface LoggerOptions {
  /** `$XDG_STATE_HOME/lmapp/lmapp.log`; its folder is made when it is missing. */
  readonly file: string;
  /** Messages below this level are not written. */
  readonly level: LogLevel;
  /** Texts that must never be written, beside what looks like a secret. */
  readonly secrets?: readonly string[];
  readonly maxBytes?: number;
  /** Number of older files kept as FILE.1, FILE.2 … */
  readonly kept?: number;
  /** Our own lines for the log pane; not called before `start`. */
  readonly onLines?: TakeLines;
  /** The log cannot be written; the program goes on. Called once per trouble. */
  readonly onTrouble?: (trouble: LogTrouble) => void;
  readonly now?: () => number;
}

/** The log of lmapp itself. No method throws; what cannot be written is told once, by `onTrouble`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Put what was thrown into the field `error`: name, message, stack, code and causes are written. */
  error(message: string, fields?: LogFields): void;
  log(level: LogLevel, message: string, fields?: LogFields): void;
  /** Hides this text from now on. */
  addSecret(secret: string): void;
  /** Loads winston; call it after the first frame. Messages before it wait in memory. */
  start(): Promise<void>;
  /** Everything told so far is on the disk when this returns, with or without winston. Never throws. */
  flushSync(): void;
  close(): void;
}

/** What travels through winston: the finished record and the number under which it is pending. */
interface Carried extends Winston.LogEntry {
  readonly id: number;
  readonly record: LogRecord;
}

/** Messages that wait for winston; the oldest are counted and dropped beyond this. */
const MOST_EARLY = 2000;

/**
 * The program's own log: JSON lines through winston. Returns at once; winston, which takes some 50 ms to load, comes with `start`.
 * Until a message is known to be in the file it stays in `pending`, so a program that ends or crashes at any moment loses nothing.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redactor = createRedactor(options.secrets);
  const sink = openRotatingFile(options);
  const now = options.now ?? Date.now;
  const pending = new Map<number, LogRecord>();
  let seq = 0;
  let dropped = 0;
  let winston: Winston.Logger | null = null;
  let starting: Promise<void> | null = null;
  let closed = false;

  function log(at: LogLevel, message: string, fields: LogFields = {}): void {
    if (closed || !enabled(at)) return;
    // Made and redacted here, not later: fields may change, and a record must never wait with a secret in it.
    const record = recordOf({ at: now(), level: at, message, fields }, redactor);
    const id = seq++;
    pending.set(id, record);
    if (winston) winston.log({ level: at, message: '', id, record });
    else if (pending.size > MOST_EARLY) dropOldest();
  }

  function dropOldest(): void {
    for (const oldest of pending.keys()) {
      pending.delete(oldest);
      dropped++;
      return;
    }
  }

  /** The one way into the file; a message that is not pending any more has been written by `flushSync`. */
  function write(id: number, record: LogRecord): void {
    if (pending.delete(id)) sink.append(jsonOf(record));
  }

  async function load(): Promise<void> {
    const [{ default: library }, { default: TransportStream }, { BusTransport }] = await Promise.all([
      import('winston'),
      import('winston-transport'),
      import('./bus-transport.js'),
    ]);
    if (closed) return;
    const toFile = new TransportStream({
      log(info: Carried, next: () => void) {
        write(info.id, info.record);
        next();
      },
    });
    const toPane = options.onLines ? [new BusTransport(options.onLines)] : [];
    for (const transport of toPane)
      transport.format = library.format((info) => info['record'] as LogRecord)();
    winston = library.createLogger({
      // Whether a level is written is decided in log(), before a record is made.
      levels: { error: 0, warn: 1, info: 2, debug: 3 },
      level: 'debug',
      transports: [toFile, ...toPane],
    });
    // An error of a stream inside must not end the program; what it held is still pending.
    winston.on('error', () => undefined);
    if (dropped > 0) log('warn', `${dropped} early messages were dropped`);
    for (const [id, record] of [...pending]) winston.log({ level: record.level, message: '', id, record });
  }

  function enabled(at: LogLevel): boolean {
    return LOG_LEVELS.indexOf(at) >= LOG_LEVELS.indexOf(options.level);
  }

  function flushSync(): void {
    for (const [id, record] of [...pending]) write(id, record);
    sink.flush();
  }

  const onExit = (): void => flushSync();
  process.on('exit', onExit);

  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    log,
    addSecret: (secret) => redactor.add(secret),
    start: () => (starting ??= load()),
    flushSync,
    close() {
      if (closed) return;
      flushSync();
      closed = true;
      process.off('exit', onExit);
      winston?.close();
      sink.close();
    },
  };
}
