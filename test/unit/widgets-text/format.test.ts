import { describe, expect, it } from '@jest/globals';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatCountdown,
  formatDuration,
  formatPercent,
  formatRoughBytes,
  formatSpeed,
  formatTokens,
  formatUsage,
} from '../../../widgets/text/format.js';

describe('figures', () => {
  it('shows bytes with powers of ten, as ollama does', () => {
    expect([97e6, 274e6, 5.2e9, 42.5e9, 212e9, 1.2e12, 900, 0].map((b) => formatBytes(b))).toEqual([
      '97 MB',
      '0.3 GB',
      '5.2 GB',
      '42.5 GB',
      '212 GB',
      '1.2 TB',
      '900 B',
      '0 B',
    ]);
  });

  it('shows bytes that are only likely without decimals, and small ones never as nothing', () => {
    expect(
      [5.2e9, 42.5e9, 537e6, 912.4e12, 1.6e12, 900, -3.4e9, null].map((b) => formatRoughBytes(b)),
    ).toEqual(['5 GB', '43 GB', '537 MB', '912 TB', '2 TB', '900 B', '-3 GB', '—']);
  });

  it('shows used of total in one unit', () => {
    expect(formatUsage(19.1e9, 24e9)).toBe('19.1 / 24.0 GB');
    expect(formatUsage(0, 2e9)).toBe('0 / 2.0 GB');
    expect(formatUsage(null, 24e9)).toBe('— / 24.0 GB');
  });

  it('shows what is not known as a dash and never as zero', () => {
    for (const format of [
      formatBytes,
      formatPercent,
      formatDuration,
      formatCountdown,
      formatClock,
      formatCount,
      formatTokens,
      formatSpeed,
    ]) {
      expect(format(null)).toBe('—');
      expect(format(Number.NaN)).toBe('—');
      expect(format(null, '-')).toBe('-');
    }
    expect(formatUsage(null, null)).toBe('—');
  });

  it('shows durations in two units at most', () => {
    expect(
      [812, 999.6, 2100, 59_949, 59_960, 299_000, 11_040_000, 183_600_000].map((ms) => formatDuration(ms)),
    ).toEqual(['812 ms', '1.0 s', '2.1 s', '59.9 s', '1m 00s', '4m 59s', '3h 04m', '2d 3h']);
  });

  it('shows the size of a context in powers of two and a count in thousands', () => {
    expect([8192, 32768, 131072, 1048576, 3400, 210, 12_345, 999_999].map((n) => formatTokens(n))).toEqual([
      '8k',
      '32k',
      '128k',
      '1M',
      '3.4k',
      '210',
      '12k',
      '1.0M',
    ]);
  });

  it('groups counts and clamps fractions', () => {
    expect(formatCount(1204)).toBe('1,204');
    expect(formatCount(1234567)).toBe('1,234,567');
    expect([0.41, -1, 2].map((f) => formatPercent(f))).toEqual(['41 %', '0 %', '100 %']);
    expect(formatSpeed(41.24)).toBe('41.2 tok/s');
  });
});
