import type { LogLevel, LogLine } from '../domain/log.js';
import { detached } from '../domain/text.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { textOfRecord } from './record.js';

/** A usual time stamp; what more is not shown of a line is not kept. */
const MOST_CUT_OFF_CHARS = 64;

/** What a line says about itself; `text` is the rest. */
interface Read {
  readonly at: number | null;
  readonly level: LogLevel | null;
  readonly text: string;
}

/**
 * Makes the reader of one source's lines: our own JSON, JSON of others, Ollama (slog), GIN, llama.cpp, Python, and anything that
 * begins with a time or names a level. Never throws; a line that is not understood is shown as it is. An indented line belongs to the
 * one before it (a stack trace) and takes its level.
 */
export function createLineParser(source: string): (raw: string) => LogLine {
  let level: LogLevel | null = null;
  return (raw) => {
    const line = sanitizeLine(raw);
    const read = readLine(line);
    const continues = read.level === null && read.at === null && /^(?:\s+\S|Traceback )/.test(line);
    if (!continues) level = read.level;
    // What stood escaped in JSON or quotes was not looked at yet.
    const text = read.text === line ? line : sanitizeLine(read.text);
    // The ring counts the text of a line; it must not hold 64 kB that stood before it.
    const own = line.length - text.length > MOST_CUT_OFF_CHARS ? detached(text) : text;
    return { at: read.at, level: read.level ?? (continues ? level : null), source, text: own };
  };
}

function readLine(line: string): Read {
  const found = line.startsWith('{')
    ? readJson(line)
    : line.startsWith('time=')
      ? readSlog(line)
      : line.startsWith('[GIN')
        ? readGin(line)
        : readLlama(line);
  return found ?? readGeneric(line);
}

const TIME_NAMES: readonly string[] = ['time', 'timestamp', 'ts', '@timestamp', 't'];
const LEVEL_NAMES: readonly string[] = ['level', 'lvl', 'severity', 'levelname'];
const MESSAGE_NAMES: readonly string[] = ['message', 'msg', 'event'];

function readJson(line: string): Read | null {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
  const rest: Record<string, unknown> = { ...read };
  const pick = (names: readonly string[]): unknown => {
    const name = names.find((candidate) => candidate in rest);
    if (name === undefined) return undefined;
    const value = rest[name];
    Reflect.deleteProperty(rest, name);
    return value;
  };
  const at = timeOf(pick(TIME_NAMES));
  const level = levelOf(pick(LEVEL_NAMES));
  const message = pick(MESSAGE_NAMES);
  return { at, level, text: textOfRecord(typeof message === 'string' ? message : '', rest).trim() };
}

/** Seconds or milliseconds since 1970, or a text with a date. */
function timeOf(value: unknown): number | null {
  if (typeof value === 'string') return whenOrNull(Date.parse(value));
  if (typeof value !== 'number') return null;
  return whenOrNull(value < 1e11 ? value * 1000 : value);
}

/** Names, and the numbers of pino and bunyan. */
function levelOf(value: unknown): LogLevel | null {
  if (typeof value === 'string') return LEVELS[value.toLowerCase()] ?? null;
  if (typeof value !== 'number') return null;
  return value >= 50 ? 'error' : value >= 40 ? 'warn' : value >= 30 ? 'info' : 'debug';
}

/** Go's log/slog as text, which Ollama writes; time and level have columns of their own, the place in its source says nothing to users. */
function readSlog(line: string): Read | null {
  const found =
    /^time=(\S+) level=([A-Z]+)(?:[+-]\d+)?(?: source=\S+)? msg=("(?:[^"\\]|\\.)*"|\S*)(.*)$/.exec(line);
  if (!found) return null;
  const [, time = '', level = '', message = '', rest = ''] = found;
  return {
    at: whenOrNull(Date.parse(time)),
    level: LEVELS[level.toLowerCase()] ?? null,
    text: unquoted(message) + rest,
  };
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'string' ? read : text;
  } catch {
    // Go also writes \x1b and \a, which JSON does not know.
    return text.slice(1, -1).replaceAll('\\"', '"');
  }
}

/** `[GIN] 2026/11/23 - 20:49:00 | 200 | 131.9µs | 127.0.0.1 | POST "/api/chat"`, in local time. */
function readGin(line: string): Read | null {
  const found = /^\[GIN\] (\d{4})\/(\d\d)\/(\d\d) - (\d\d):(\d\d):(\d\d) \|\s*(\d{3}) \|(.*)$/.exec(line);
  if (!found) {
    const debug = /^\[GIN-debug\] (.*)$/.exec(line);
    return debug
      ? { at: null, level: /^\[(?:WARNING|ERROR)\]/.test(debug[1] ?? '') ? 'warn' : 'debug', text: line }
      : null;
  }
  const [year, month, day, hour, minute, second, status] = found.slice(1, 8).map(Number);
  const at = new Date(year ?? 0, (month ?? 1) - 1, day, hour, minute, second).getTime();
  const level = (status ?? 0) >= 500 ? 'error' : (status ?? 0) >= 400 ? 'warn' : 'info';
  return { at: whenOrNull(at), level, text: `[GIN] ${status} |${(found[8] ?? '').replace(/ {2,}/g, ' ')}` };
}

/** llama.cpp counts minutes.seconds.ms.µs since its start, which is no time of day: it stays in the text. A router puts a port before. */
function readLlama(line: string): Read | null {
  const found = /^(\[\d+\] )?(\d+\.\d\d\.\d{3}\.\d{3}) ([DIWE]) (.*)$/.exec(line);
  if (!found) return null;
  const [, port = '', since = '', letter = '', text = ''] = found;
  return { at: null, level: LEVELS[letter.toLowerCase()] ?? null, text: `${port}${since} ${text}` };
}

/** Date and time at the beginning of a line, perhaps in brackets; without a zone it is local time. */
const STAMP =
  /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:([.,]\d{1,3})\d*)?\s?(Z|[+-]\d\d:?\d\d)?\]?[\s:|,-]*/;
/** A level as others write it: in capitals near the beginning, in brackets, or as the first word before a colon. */
const LEVEL_WORD =
  /(?:^|[\s[(|<-])(TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|FATAL|CRITICAL|PANIC)(?=$|[\s\]):|>,-])|\[(trace|debug|info|notice|warning|warn|error|fatal|critical)\]|^(?:ggml_\w{1,30}: )?([Tt]race|[Dd]ebug|[Ii]nfo|[Ww]arning|[Ww]arn|[Ee]rror|[Ff]atal|[Pp]anic)\b/;
const FAILURE =
  /^(?:Traceback \(most recent call last\)|panic:|fatal error|[A-Za-z.]{0,60}(?:Error|Exception): )/;
/** A level stands near the beginning; further on it is a word of the message. */
const LEVEL_WITHIN_CHARS = 60;

function readGeneric(line: string): Read {
  const stamp = STAMP.exec(line);
  const at = stamp
    ? whenOrNull(
        Date.parse(
          `${stamp[1]?.replace(' ', 'T') ?? ''}${(stamp[2] ?? '').replace(',', '.')}${stamp[3] ?? ''}`,
        ),
      )
    : null;
  const text = at === null ? line : line.slice(stamp?.[0].length);
  const word = LEVEL_WORD.exec(text.slice(0, LEVEL_WITHIN_CHARS));
  const named = word?.[1] ?? word?.[2] ?? word?.[3];
  const level =
    named === undefined ? (FAILURE.test(text) ? 'error' : null) : (LEVELS[named.toLowerCase()] ?? null);
  return { at, level, text };
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  t: 'debug',
  trace: 'debug',
  d: 'debug',
  debug: 'debug',
  i: 'info',
  info: 'info',
  notice: 'info',
  information: 'info',
  w: 'warn',
  warn: 'warn',
  warning: 'warn',
  e: 'error',
  err: 'error',
  error: 'error',
  fatal: 'error',
  critical: 'error',
  panic: 'error',
};

function whenOrNull(at: number): number | null {
  return Number.isFinite(at) ? at : null;
}
