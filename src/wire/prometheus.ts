/** Prometheus text: metrics as a server exposes them at `/metrics`. */

/** One line of metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** NaN and infinities as they are told; sumOf and averageOf leave them out. */
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)\s*(\{)?/;
const LABEL = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /^\s*([^\s#]+)/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/**
 * Comments, timestamps and exemplars are left out, and lines that are not understood. `names`: only these are wanted; most of a long
 * text are the steps of histograms.
 */
export function parsePrometheus(text: string, names: ReadonlySet<string> | null = null): readonly Sample[] {
  return text.split(/\r\n|\n|\r/).flatMap((line) => parseLine(line.trimStart(), names) ?? []);
}

function parseLine(line: string, names: ReadonlySet<string> | null): Sample | null {
  const head = LINE.exec(line);
  if (head === null) return null;
  const [begin, name = '', brace] = head;
  if (names !== null && !names.has(name)) return null;
  const labels = new Map<string, string>();
  let at = begin.length;
  if (brace !== undefined) {
    const end = readLabels(line, at, labels);
    if (end === null) return null;
    at = end;
  }
  const told = VALUE.exec(line.slice(at))?.[1];
  const value = told === undefined ? null : numberOf(told);
  return value === null ? null : { name, labels, value };
}

/** Where the line goes on after the closing brace; null when they cannot be read. */
function readLabels(line: string, start: number, labels: Map<string, string>): number | null {
  let at = start;
  for (;;) {
    LABEL.lastIndex = at;
    const label = LABEL.exec(line);
    if (label === null) break;
    const [, name = '', value = ''] = label;
    labels.set(
      name,
      value.replace(/\\(.)/g, (whole, sign: string) => ESCAPES[sign] ?? whole),
    );
    at = LABEL.lastIndex;
  }
  const close = /^\s*\}/.exec(line.slice(at));
  return close === null ? null : at + close[0].length;
}

/** Null for what is no number at all. */
function numberOf(text: string): number | null {
  if (/^nan$/i.test(text)) return NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const value = Number(text);
  return Number.isNaN(value) ? null : value;
}

/** The finite values of one metric; `labels` are those that must have this value. */
function valuesOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): readonly number[] {
  const wanted = Object.entries(labels);
  return samples
    .filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels.get(key) === value),
    )
    .map((sample) => sample.value)
    .filter(Number.isFinite);
}

/** Counts of several engines, together. Null when there is none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const values = valuesOf(samples, name, labels);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** Shares of several engines. Null when there is none. */
export function averageOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const sum = sumOf(samples, name, labels);
  return sum === null ? null : sum / valuesOf(samples, name, labels).length;
}

/** Over a shorter time a speed is chance: counters move in steps. */
const MEASURE_MS = 1000;

interface Measure {
  readonly value: number;
  readonly atMs: number;
  readonly perSecond: number | null;
}

/** Speeds from the differences of counters: what servers average themselves says nothing about now. */
export class CounterRates {
  readonly #last = new Map<string, Measure>();

  /**
   * Per second since this counter was measured before, at least a second ago (until then the speed before); null the first time. A
   * counter that falls has begun anew at zero. `atMs` is monotonic.
   */
  perSecond(counter: string, value: number | null, atMs: number): number | null {
    const before = this.#last.get(counter);
    if (value === null) {
      this.#last.delete(counter);
      return null;
    }
    if (before !== undefined && atMs < before.atMs + MEASURE_MS) return before.perSecond;
    const perSecond = before === undefined ? null : speed(before, value, atMs);
    this.#last.set(counter, { value, atMs, perSecond });
    return perSecond;
  }

  clear(): void {
    this.#last.clear();
  }
}

function speed(before: Measure, value: number, atMs: number): number {
  const counted = value < before.value ? value : value - before.value;
  return (counted / (atMs - before.atMs)) * 1000;
}
