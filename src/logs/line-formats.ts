import type { LogLevel } from '../domain/log.js';
import { readTime } from './line-times.js';
import { textOfRecord } from './record.js';

/** What a line says about itself; `text` is the rest. */
export interface LineRead {
  readonly at: number | null;
  readonly level: LogLevel | null;
  readonly text: string;
  /** Milliseconds since the start of its server. */
  readonly sinceMs: number | null;
}

/**
 * Reads a sanitised line.
 * @param reference epoch ms by which it was written, for times without a year or a date.
 */
export function readLine(line: string, reference: number): LineRead {
  const found = line.startsWith('{')
    ? readJson(line)
    : line.startsWith('time=')
      ? readSlog(line)
      : line.startsWith('[GIN')
        ? readGin(line)
        : readLlama(line);
  return found ?? readGeneric(line, reference);
}

const TIME_NAMES: readonly string[] = ['time', 'timestamp', 'ts', '@timestamp', 't'];
const LEVEL_NAMES: readonly string[] = ['level', 'lvl', 'severity', 'levelname'];
const MESSAGE_NAMES: readonly string[] = ['message', 'msg', 'event'];

function readJson(line: string): LineRead | null {
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
  // llama.cpp with --log-jsonl tells lines of a log from other things that way.
  if (rest['type'] === 'log') Reflect.deleteProperty(rest, 'type');
  const text = textOfRecord(typeof message === 'string' ? message : '', rest).trim();
  return { at, level, text, sinceMs: null };
}

/** Seconds or milliseconds since 1970, or a text with a date. */
function timeOf(value: unknown): number | null {
  if (typeof value === 'string') return whenOrNull(Date.parse(value));
  if (typeof value !== 'number') return null;
  return whenOrNull(value < 1e11 ? value * 1000 : value);
}

/** Names, and the numbers of pino and bunyan. */
function levelOf(value: unknown): LogLevel | null {
  if (typeof value === 'string') return levelNamed(value);
  if (typeof value !== 'number') return null;
  return value >= 50 ? 'error' : value >= 40 ? 'warn' : value >= 30 ? 'info' : 'debug';
}

/** Go's log/slog as text, which Ollama writes, and logrus, which quotes the time; time and level have columns of their own, the place in its source says nothing to users. */
function readSlog(line: string): LineRead | null {
  const found =
    /^time=("[^"]{1,64}"|\S+) level=([A-Za-z]+)(?:[+-]\d+)?(?: source=\S+)? msg=("(?:[^"\\]|\\.)*"|(?!")\S*)(.*)$/.exec(
      line,
    );
  if (!found) return null;
  const [, time = '', level = '', message = '', rest = ''] = found;
  return {
    at: whenOrNull(Date.parse(unquoted(time))),
    level: levelNamed(level),
    text: unquoted(message) + rest,
    sinceMs: null,
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
function readGin(line: string): LineRead | null {
  const found = /^\[GIN\] (\d{4})\/(\d\d)\/(\d\d) - (\d\d):(\d\d):(\d\d) \|\s*(\d{3}) \|(.*)$/.exec(line);
  if (!found) {
    const debug = /^\[GIN-debug\] (.*)$/.exec(line);
    if (!debug) return null;
    const level = /^\[(?:WARNING|ERROR)\]/.test(debug[1] ?? '') ? 'warn' : 'debug';
    return { at: null, level, text: line, sinceMs: null };
  }
  const [year, month, day, hour, minute, second, status] = found.slice(1, 8).map(Number);
  const at = new Date(year ?? 0, (month ?? 1) - 1, day, hour, minute, second).getTime();
  const level = (status ?? 0) >= 500 ? 'error' : (status ?? 0) >= 400 ? 'warn' : 'info';
  const text = `[GIN] ${status} |${(found[8] ?? '').replace(/ {2,}/g, ' ')}`;
  return { at: whenOrNull(at), level, text, sinceMs: null };
}

/** llama.cpp counts minutes.seconds.ms.µs since its start; it stays in the text. A router puts a port before. */
function readLlama(line: string): LineRead | null {
  const found = /^(\[\d+\] )?((\d+)\.(\d\d)\.(\d{3})\.\d{3}) ([DIWE]) (.*)$/.exec(line);
  if (!found) return null;
  const [, port = '', since = '', minutes, seconds, ms, letter = '', text = ''] = found;
  // Behind a router the time is that of one of several servers.
  const sinceMs = port === '' ? Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(ms) : null;
  return { at: null, level: levelNamed(letter), text: `${port}${since} ${text}`, sinceMs };
}

/** A level as others write it: in capitals near the beginning, in brackets, or as the first word before a colon. */
const LEVEL_WORD =
  /(?:^|[\s[(|<:-])(TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|FATAL|CRITICAL|PANIC|TRC|DBG|INF|WRN|ERR|FTL|PNC)(?=$|[\s\]):|>,-])|\[(trace|debug|info|notice|warning|warn|error|fatal|critical)\]|^(?:ggml_\w{1,30}: )?([Tt]race|[Dd]ebug|[Ii]nfo|[Ww]arning|[Ww]arn|[Ee]rror|[Ff]atal|[Pp]anic)\b/;
const FAILURE =
  /^(?:Traceback \(most recent call last\)|panic:|fatal error|[A-Za-z.]{0,60}(?:Error|Exception): )/;
/** A level stands near the beginning; further on it is a word of the message. */
const LEVEL_WITHIN_CHARS = 60;

function readGeneric(line: string, reference: number): LineRead {
  const stamp = readTime(line, reference);
  if (stamp?.inner !== undefined) {
    // A line of another program behind what the system's log put before it.
    const inner = readLine(stamp.inner, reference);
    return { ...inner, at: stamp.at };
  }
  const text = stamp ? stamp.rest : line;
  const word = LEVEL_WORD.exec(text.slice(0, LEVEL_WITHIN_CHARS));
  const named = word?.[1] ?? word?.[2] ?? word?.[3];
  const level =
    stamp?.level !== undefined
      ? levelNamed(stamp.level)
      : named === undefined
        ? FAILURE.test(text)
          ? 'error'
          : null
        : levelNamed(named);
  return { at: stamp?.at ?? null, level, text, sinceMs: null };
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  t: 'debug',
  trace: 'debug',
  trc: 'debug',
  d: 'debug',
  debug: 'debug',
  dbg: 'debug',
  i: 'info',
  info: 'info',
  inf: 'info',
  notice: 'info',
  information: 'info',
  w: 'warn',
  warn: 'warn',
  warning: 'warn',
  wrn: 'warn',
  e: 'error',
  err: 'error',
  error: 'error',
  fatal: 'error',
  ftl: 'error',
  critical: 'error',
  panic: 'error',
  pnc: 'error',
};

function levelNamed(name: string): LogLevel | null {
  return LEVELS[name.toLowerCase()] ?? null;
}

function whenOrNull(at: number): number | null {
  return Number.isFinite(at) ? at : null;
}

/** llama.cpp: a task of a slot. vLLM and other OpenAI servers: `chatcmpl-…`. Others: a field that is called so. */
const TASK = /\| (task \d{1,12}) \|/;
/** The same of lines that are about no slot: `send_error: task id = 38`, `stop: cancel task, id_task = 46`. */
const OTHER_TASK = /\b(?:task id|id_task) = (\d{1,12})\b/;
const COMPLETION = /\b((?:chat)?cmpl-[A-Za-z0-9]{6,64})/;
const FIELD =
  /\b(?:request|req|correlation|litellm_call|call|trace)[_-]?id["']?\s*[=:]\s*["']?([\w.:-]{4,64})/i;

/** The request that a line is about, as its server numbers it; null: it names none. */
export function requestIdOf(text: string): string | null {
  if (text.includes('| task ')) return TASK.exec(text)?.[1] ?? null;
  if (text.includes('task')) {
    const task = OTHER_TASK.exec(text)?.[1];
    if (task !== undefined) return `task ${task}`;
  }
  if (text.includes('cmpl-')) {
    const found = COMPLETION.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return /id["']?\s*[=:]/i.test(text) ? (FIELD.exec(text.slice(0, 4096))?.[1] ?? null) : null;
}
