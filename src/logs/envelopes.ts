import type { LogLevel } from '../domain/log.js';

/** What a log service says about a line of a server. */
export interface Envelope {
  readonly at: number | null;
  readonly level: LogLevel | null;
  /** The line itself, not sanitised. */
  readonly text: string;
  /** Behind which line reading can go on. */
  readonly place: string | null;
}

/** By syslog priority: `err` and worse, `warning`, `notice` and `info`, `debug`. */
const PRIORITIES: readonly LogLevel[] = ['error', 'error', 'error', 'error', 'warn', 'info', 'info', 'debug'];

/** A line of `journalctl -o json`. The message is a text, or a list of bytes when it is not UTF-8. Null: it is none. */
export function journalEnvelope(raw: string): Envelope | null {
  if (!raw.startsWith('{')) return null;
  let fields: Readonly<Record<string, unknown>>;
  try {
    const read: unknown = JSON.parse(raw);
    if (typeof read !== 'object' || read === null) return null;
    fields = read as Readonly<Record<string, unknown>>;
  } catch {
    // A message longer than a line may be was cut in the middle.
    const message = /"MESSAGE"\s*:\s*"((?:[^"\\]|\\.)*)/.exec(raw)?.[1];
    return message === undefined ? null : { at: null, level: null, text: message, place: null };
  }
  const microseconds = Number(fields['__REALTIME_TIMESTAMP']);
  const cursor = fields['__CURSOR'];
  return {
    at: Number.isFinite(microseconds) && microseconds > 0 ? Math.floor(microseconds / 1000) : null,
    level: PRIORITIES[Number(fields['PRIORITY'] ?? NaN)] ?? null,
    text: textOf(fields['MESSAGE']),
    place: typeof cursor === 'string' && /^[\w=;]{1,400}$/.test(cursor) ? cursor : null,
  };
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return '';
  const bytes = message.filter((byte): byte is number => typeof byte === 'number');
  return Buffer.from(bytes).toString('utf8');
}

/** A line of `docker logs --timestamps`. Null: it is a message of docker itself. */
export function dockerEnvelope(raw: string): Envelope | null {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s.exec(raw);
  if (!found) return null;
  const [, stamp = '', text = ''] = found;
  const at = Date.parse(stamp);
  return { at: Number.isNaN(at) ? null : at, level: null, text, place: stamp };
}
