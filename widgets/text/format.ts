/**
 * Figures as the screen shows them: a unit always, the same width from sample to sample. Null means that the source did not tell: it is
 * shown as `unknown`, never as 0.
 */

const UNKNOWN = '—';

/** Bytes with powers of ten, as Ollama shows sizes: `97 MB`, `0.3 GB`, `42.5 GB`, `212 GB`. */
export function formatBytes(bytes: number | null, unknown = UNKNOWN): string {
  if (!isKnown(bytes)) return unknown;
  const size = Math.abs(bytes);
  const sign = bytes < 0 ? '-' : '';
  if (size >= 999.5e9) return `${sign}${decimal(size / 1e12)} TB`;
  if (size >= 99.5e6) return `${sign}${decimal(size / 1e9)} GB`;
  if (size >= 1e6) return `${sign}${Math.round(size / 1e6)} MB`;
  if (size >= 1e3) return `${sign}${Math.round(size / 1e3)} kB`;
  return `${sign}${Math.round(size)} B`;
}

/** The same without decimals, of what is only likely: `5 GB`, `537 MB`. */
export function formatRoughBytes(bytes: number | null, unknown = UNKNOWN): string {
  if (!isKnown(bytes)) return unknown;
  const size = Math.abs(bytes);
  if (size < 950e6)
    return `${bytes < 0 ? '-' : ''}${size < 1e6 ? formatBytes(size) : `${Math.round(size / 1e6)} MB`}`;
  return formatBytes(
    size >= 999.5e9 ? Math.round(bytes / 1e12) * 1e12 : Math.round(bytes / 1e9) * 1e9,
  ).replace('.0', '');
}

/** Below a gigabyte by the megabyte, for what is watched while it grows: `139 MB`, `1.3 GB`. */
export function formatDownload(bytes: number | null, unknown = UNKNOWN): string {
  return isKnown(bytes) && bytes >= 1e6 && bytes < 999.5e6
    ? `${Math.round(bytes / 1e6)} MB`
    : formatBytes(bytes, unknown);
}

/** Used of total in the unit of the total: `19.1 / 24.0 GB`, `0 / 2.0 GB`. */
export function formatUsage(usedBytes: number | null, totalBytes: number | null, unknown = UNKNOWN): string {
  if (!isKnown(totalBytes)) return formatBytes(usedBytes, unknown);
  const [unit, name] = totalBytes >= 99.5e6 ? [1e9, 'GB'] : [1e6, 'MB'];
  const total = (totalBytes / unit).toFixed(1);
  if (!isKnown(usedBytes)) return `${unknown} / ${total} ${name}`;
  return `${usedBytes === 0 ? '0' : (usedBytes / unit).toFixed(1)} / ${total} ${name}`;
}

/** A fraction 0..1 as `41 %`. */
export function formatPercent(fraction: number | null, unknown = UNKNOWN): string {
  return isKnown(fraction) ? `${percent(fraction)} %` : unknown;
}

/** A fraction 0..1 as the bare number, for strips whose unit stands at the end. */
export function formatPercentNumber(fraction: number | null, unknown = UNKNOWN): string {
  return isKnown(fraction) ? String(percent(fraction)) : unknown;
}

/** `812 ms`, `2.1 s`, `4m 59s`, `3h 04m`, `2d 3h`. */
export function formatDuration(ms: number | null, unknown = UNKNOWN): string {
  if (!isKnown(ms)) return unknown;
  const span = Math.max(0, ms);
  if (span < 999.5) return `${Math.round(span)} ms`;
  if (span < 59_950) return `${(span / 1000).toFixed(1)} s`;
  const seconds = Math.round(span / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Time left or passed in whole seconds, which keeps its width: `59s`, `4m 59s`, `3h 04m`. */
export function formatCountdown(ms: number | null, unknown = UNKNOWN): string {
  if (!isKnown(ms)) return unknown;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000);
}

/** Local time of day: `12:03`. */
export function formatClock(at: number | null, unknown = UNKNOWN): string {
  if (!isKnown(at)) return unknown;
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Local time of day with seconds: `12:03:10`. */
export function formatClockSeconds(at: number | null, unknown = UNKNOWN): string {
  return isKnown(at) ? `${formatClock(at)}:${two(new Date(at).getSeconds())}` : unknown;
}

/** `1,204`. */
export function formatCount(count: number | null, unknown = UNKNOWN): string {
  if (!isKnown(count)) return unknown;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Tokens: `210`, `3.4k`, `12k`; sizes of contexts are powers of two, so 8192 is `8k`. */
export function formatTokens(tokens: number | null, unknown = UNKNOWN): string {
  if (!isKnown(tokens)) return unknown;
  const count = Math.max(0, Math.round(tokens));
  if (count > 0 && count % 1_048_576 === 0) return `${count / 1_048_576}M`;
  if (count > 0 && count % 1024 === 0) return `${count / 1024}k`;
  if (count < 1000) return String(count);
  if (count < 9950) return `${(count / 1000).toFixed(1)}k`;
  if (count < 999_500) return `${Math.round(count / 1000)}k`;
  return `${(count / 1e6).toFixed(1)}M`;
}

/** `41.2 tok/s`. */
export function formatSpeed(tokensPerSecond: number | null, unknown = UNKNOWN): string {
  return isKnown(tokensPerSecond) ? `${decimal(tokensPerSecond)} tok/s` : unknown;
}

/** NaN and infinities come of a division by nothing: not known either. */
function isKnown(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}

function percent(fraction: number): number {
  return Math.round(Math.min(1, Math.max(0, fraction)) * 100);
}

/** One decimal below 100, none above: three or four characters either way. */
function decimal(value: number): string {
  return value < 99.95 ? value.toFixed(1) : String(Math.round(value));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
