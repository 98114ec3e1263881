import { LineCutter } from './lines.js';
import { parseJson } from './read.js';

/** A line of a newline-delimited JSON stream. */
export type NdjsonLine =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly line: string };

/** Parses newline-delimited JSON as it arrives. Blank lines are left out. */
export class NdjsonParser {
  readonly #cutter: LineCutter;

  constructor(limitChars?: number) {
    this.#cutter = new LineCutter(limitChars);
  }

  /** Throws LineTooLongError. */
  feed(text: string): NdjsonLine[] {
    const parsed: NdjsonLine[] = [];
    for (const line of this.#cutter.feed(text)) if (isNotBlank(line)) parsed.push(parseLine(line));
    return parsed;
  }

  end(): NdjsonLine[] {
    const last = this.#cutter.end();
    return last !== null && isNotBlank(last) ? [parseLine(last)] : [];
  }
}

function isNotBlank(line: string): boolean {
  return line.trim() !== '';
}

function parseLine(line: string): NdjsonLine {
  const value = parseJson(line);
  return value === undefined ? { ok: false, line } : { ok: true, value };
}
