import type { LogLine } from './log.js';

/** A line as it is copied, saved and printed: `2026-11-23T20:49:52.123+01:00 WARN  ollama  text`. What is not known is `-`. */
export function formatLogLine({ at, level, source, text }: LogLine): string {
  const time = at === null ? '-'.padEnd(29) : localStamp(at);
  return `${time} ${(level ?? '-').toUpperCase().padEnd(5)} ${source}  ${text}`;
}

/** Local time with its distance from UTC, so that lines of several machines can be compared. */
function localStamp(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}T${time}.${String(date.getMilliseconds()).padStart(3, '0')}${zone}`;
}
