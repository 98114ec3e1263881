/** A time at the beginning of a line. */
export interface LineTime {
  readonly at: number;
  readonly rest: string;
  /** The word of a level that stood before or in the time, and is not in the rest. */
  readonly level?: string;
  /** What a program said, of a line of the system's log. */
  readonly inner?: string;
}

/** A time may be ahead of ours by so much before it is taken for one of the year or day before. */
const MOST_AHEAD_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Date and time, perhaps in brackets; without a zone it is local time. Go's usual log and nginx have slashes in the date. */
const ISO =
  /^\[?(\d{4})([-/])(\d\d)\2(\d\d)[T ](\d\d:\d\d:\d\d)(?:([.,]\d{1,3})\d*)?\s?(Z|[+-]\d\d:?\d\d(?: UTC)?)?\]?[\s:|,-]*/;
/** vLLM: `(APIServer pid=7) INFO 11-23 20:48:41 [api.py:12] up`. */
const VLLM =
  /^((?:\([\w =-]{1,40}\) ){0,3})([A-Z]{4,8}) (\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:[.,](\d{1,3})\d*)? /;
/** syslog and LocalAI: `Nov 23 20:48:41 INFO …`. */
const MONTH = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) /;
/** journalctl and syslog go on with host, program and number of its process. */
const PROGRAM = /^[\w.-]{1,64} [\w./@-]{1,64}(?:\[\d+\])?: (.*)$/s;
/** LocalAI until 2025: `8:48PM INF …`. */
const HALF_DAY = /^(\d{1,2}):(\d\d)(AM|PM) /;
/** LiteLLM: `20:48:41 - LiteLLM Proxy:INFO: …`. */
const TIME_ONLY = /^\[?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,3})\d*)?\]?[\s:|,-]+/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** @param reference epoch ms by which the line was written. */
export function readTime(line: string, reference: number): LineTime | null {
  const first = line.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  if (!isDigit && line[0] !== '[' && line[0] !== '(' && !(first >= 65 && first <= 90)) return null;
  return isDigit || line[0] === '[' ? readDigits(line, reference) : readWords(line, reference);
}

function readDigits(line: string, reference: number): LineTime | null {
  const iso = ISO.exec(line);
  if (iso) {
    const [all, year, , month, day, time = '', fraction = '', zone = ''] = iso;
    const at = Date.parse(
      `${year}-${month}-${day}T${time}${fraction.replace(',', '.')}${zone.replace(' UTC', '')}`,
    );
    return Number.isFinite(at) ? { at, rest: line.slice(all.length) } : null;
  }
  const half = HALF_DAY.exec(line);
  if (half) {
    const [all, hour, minute, part] = half;
    const hours = (Number(hour) % 12) + (part === 'PM' ? 12 : 0);
    return told(timeOfDay(reference, hours, Number(minute), 0, 0), line.slice(all.length));
  }
  const time = TIME_ONLY.exec(line);
  if (!time) return null;
  const [all, hour, minute, second, ms = '0'] = time;
  const at = timeOfDay(reference, Number(hour), Number(minute), Number(second), fractionMs(ms));
  return told(at, line.slice(all.length));
}

function readWords(line: string, reference: number): LineTime | null {
  const vllm = VLLM.exec(line);
  if (vllm) {
    const [all, prefix = '', level = '', month, day, hour, minute, second, ms = '0'] = vllm;
    const at = inYear(reference, Number(month) - 1, Number(day), [hour, minute, second].map(Number));
    if (at === null) return null;
    return { at: at + fractionMs(ms), rest: prefix + line.slice(all.length), level };
  }
  const named = MONTH.exec(line);
  if (!named) return null;
  const [all, name = '', day, hour, minute, second] = named;
  const month = MONTHS.indexOf(name) / 3;
  if (!Number.isInteger(month) || month < 0) return null;
  const at = inYear(reference, month, Number(day), [hour, minute, second].map(Number));
  if (at === null) return null;
  const rest = line.slice(all.length);
  const inner = PROGRAM.exec(rest)?.[1];
  return inner === undefined ? { at, rest } : { at, rest, inner };
}

function told(at: number | null, rest: string): LineTime | null {
  return at === null ? null : { at, rest };
}

/** `5`, `50` and `500` are tenths, hundredths and thousandths. */
function fractionMs(digits: string): number {
  return Number(digits.padEnd(3, '0'));
}

/** The last such day that has been, in local time. */
function inYear(
  reference: number,
  month: number,
  day: number,
  [hour = 0, minute = 0, second = 0]: readonly number[],
): number | null {
  if (month > 11 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  const year = new Date(reference).getFullYear();
  const at = new Date(year, month, day, hour, minute, second).getTime();
  return at > reference + DAY_MS ? new Date(year - 1, month, day, hour, minute, second).getTime() : at;
}

/** The last such time that has been, in local time. */
function timeOfDay(
  reference: number,
  hour: number,
  minute: number,
  second: number,
  ms: number,
): number | null {
  if (hour > 23 || minute > 59 || second > 60) return null;
  const at = new Date(reference);
  at.setHours(hour, minute, second, ms);
  if (at.getTime() > reference + MOST_AHEAD_MS) at.setDate(at.getDate() - 1);
  return at.getTime();
}
