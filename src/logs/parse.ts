import type { LogLevel, LogLine } from '../domain/log.js';
import { detached } from '../domain/text.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { dockerEnvelope, journalEnvelope, type Envelope } from './envelopes.js';
import { readLine, requestIdOf } from './line-formats.js';

/** A usual time stamp; what more is not shown of a line is not kept. */
const MOST_CUT_OFF_CHARS = 64;

export interface LineParserOptions {
  /** What the lines are wrapped in. */
  readonly envelope?: 'journald' | 'docker';
}

export interface LineParser {
  /**
   * Lines of one source, in order. `writtenBy`: epoch ms by which the last of them was written; `exactly`: at about that time, not long
   * before.
   */
  parse(raws: readonly string[], writtenBy: number, exactly: boolean): readonly LogLine[];
  /** From where the envelopes go on behind the last line that was parsed; null: it is not told. */
  readonly place: string | null;
}

/**
 * Makes the reader of one source's lines: our own JSON, JSON of others, Ollama (slog), GIN, llama.cpp, vLLM, LocalAI, LiteLLM, LM Studio,
 * and anything that begins with a time or names a level. Never throws; a line that is not understood is shown as it is. An indented
 * line belongs to the one before it (a stack trace) and takes its level.
 */
export function createLineParser(source: string, options: LineParserOptions = {}): LineParser {
  const open =
    options.envelope === 'journald' ? journalEnvelope : options.envelope === 'docker' ? dockerEnvelope : null;
  let level: LogLevel | null = null;
  let place: string | null = null;
  /** llama.cpp tells the time since its start; when that was follows from the lines themselves. */
  let startedAt: number | null = null;
  let lastSince = 0;

  function one(raw: string, reference: number): { line: LogLine; since: number | null } {
    const outer: Envelope | null = open?.(raw) ?? null;
    const line = sanitizeLine(outer ? outer.text : raw);
    const read = readLine(line, reference);
    place = outer?.place ?? place;
    const at = outer?.at ?? read.at;
    const told = read.level ?? outer?.level ?? null;
    const continues = read.level === null && read.at === null && /^(?:\s+\S|Traceback )/.test(line);
    if (!continues) level = told;
    // What stood escaped in JSON or quotes was not looked at yet.
    const text = read.text === line ? line : sanitizeLine(read.text);
    // The ring counts the text of a line; it must not hold 64 kB that stood before it.
    const own = raw.length - text.length > MOST_CUT_OFF_CHARS ? detached(text) : text;
    const requestId = requestIdOf(own);
    return {
      line: {
        at,
        level: told ?? (continues ? level : null),
        source,
        text: own,
        ...(requestId === null ? {} : { requestId: detached(requestId) }),
      },
      since: at === null ? read.sinceMs : null,
    };
  }

  /**
   * Gives lines that only tell the time since the start of their server a time of day. From the end, where it is known; a number that is
   * larger than the next one is of a server that ran before, of which nothing is known.
   */
  function dated(
    read: readonly { readonly line: LogLine; readonly since: number | null }[],
    writtenBy: number | null,
  ): readonly LogLine[] {
    const lines = read.map(({ line }) => line);
    const newest = read.findLast(({ since }) => since !== null)?.since ?? 0;
    if (newest < lastSince) startedAt = null;
    lastSince = newest;
    // Every line comes some time after it was written: the earliest start that fits is the nearest to the truth.
    if (writtenBy !== null) startedAt = Math.min(startedAt ?? Infinity, writtenBy - newest);
    if (startedAt === null) return lines;
    let later = newest;
    for (let i = read.length - 1; i >= 0; i--) {
      const { line, since } = read[i] ?? {};
      if (!line || since === null || since === undefined) continue;
      if (since > later) break;
      later = since;
      lines[i] = { ...line, at: Math.round(startedAt + since) };
    }
    return lines;
  }

  return {
    parse(raws, writtenBy, exactly) {
      const read = raws.map((raw) => one(raw, writtenBy));
      if (!read.some(({ since }) => since !== null)) return read.map(({ line }) => line);
      return dated(read, exactly ? writtenBy : null);
    },
    get place() {
      return place;
    },
  };
}
