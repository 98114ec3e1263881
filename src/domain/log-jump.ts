const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The time that somebody means who types `12:03`, `12:03:10`, `-5m` (also `-90s`, `-2h`, `-1d`), `11-23 20:48` or `2026-11-23 20:48`, in
 * local time; a time of day is the last one that has been. Null: it is none.
 * @param now epoch ms.
 */
export function readJump(text: string, now: number): number | null {
  const wanted = text.trim();
  const ago = /^-\s*(\d{1,6})\s*([smhd])$/.exec(wanted);
  if (ago) return now - Number(ago[1]) * (UNITS_MS[ago[2] ?? 's'] ?? 1000);
  const clock = /^(?:(?:(\d{4})-)?(\d{1,2})-(\d{1,2})[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(wanted);
  if (!clock) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0] = clock
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const at = new Date(now);
  at.setHours(hour, minute, second, 0);
  if (month !== undefined && day !== undefined) {
    if (month < 1 || month > 12 || day < 1 || day > 31) return null;
    at.setFullYear(year ?? at.getFullYear(), month - 1, day);
    if (year === undefined && at.getTime() > now) at.setFullYear(at.getFullYear() - 1);
  } else if (at.getTime() > now) at.setDate(at.getDate() - 1);
  const time = at.getTime();
  return Number.isFinite(time) ? time : null;
}
