import type { LogLevel } from '../domain/log.js';
import type { Redactor } from './redact.js';

export type LogFields = Readonly<Record<string, unknown>>;

/** One message before it is written. */
export interface LogEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** The object that stands in the file, see `recordOf`. */
export type LogRecord = {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
} & Record<string, unknown>;

/** The object that stands in the file as one JSON line: time, level and message first, secrets removed. */
export function recordOf(entry: LogEntry, redactor: Redactor): LogRecord {
  const fields = redactor.value(entry.fields);
  return {
    time: new Date(entry.at).toISOString(),
    level: entry.level,
    message: redactor.text(entry.message),
    // A field cannot overwrite what every line must have.
    ...withoutReserved(fields),
  };
}

/** `JSON.stringify` that always answers. */
export function jsonOf(record: LogRecord): string {
  try {
    return JSON.stringify(record);
  } catch {
    return JSON.stringify({ time: record.time, level: record.level, message: record.message });
  }
}

const MOST_FIELD_CHARS = 200;

/** A record as one row of the log pane: the message, then the fields as `name=value`. Not sanitised yet. */
export function textOfRecord(message: string, fields: Readonly<Record<string, unknown>>): string {
  let text = message;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    text += ` ${name}=${short(value)}`;
  }
  return text;
}

function short(value: unknown): string {
  if (isErrorRecord(value)) {
    const cause = value['cause'];
    const code = value['code'] === undefined ? '' : ` (${String(value['code'])})`;
    return `${String(value['message'])}${code}${isErrorRecord(cause) ? ` ← ${short(cause)}` : ''}`;
  }
  const text =
    typeof value === 'string'
      ? /[\s"]/.test(value)
        ? JSON.stringify(value)
        : value
      : (JSON.stringify(value) ?? '');
  return text.length > MOST_FIELD_CHARS ? `${text.slice(0, MOST_FIELD_CHARS)}…` : text;
}

function isErrorRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value;
}

function withoutReserved(fields: unknown): Readonly<Record<string, unknown>> {
  if (typeof fields !== 'object' || fields === null) return {};
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields))
    out[name === 'time' || name === 'level' || name === 'message' ? `${name}_` : name] = value;
  return out;
}
