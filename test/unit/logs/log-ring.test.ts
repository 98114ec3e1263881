import { describe, expect, it } from '@jest/globals';
import type { LogLine } from '../../../src/domain/log.js';
import {
  appendLines,
  EMPTY_RING,
  emptyRing,
  lineAt,
  ringLength,
  visitLines,
  type LogRing,
} from '../../../src/domain/log-ring.js';

const line = (text: string): LogLine => ({ at: null, level: null, source: 'x', text });
const lines = (from: number, count: number): LogLine[] =>
  Array.from({ length: count }, (_, i) => line(`line ${from + i}`));

describe('the ring of log lines', () => {
  it('numbers lines from 0 and finds each by its number', () => {
    let ring = EMPTY_RING;
    for (let from = 0; from < 1000; from += 7)
      ring = appendLines(ring, lines(from, Math.min(7, 1000 - from)));
    expect([ring.first, ring.end, ringLength(ring)]).toEqual([0, 1000, 1000]);
    for (const n of [0, 1, 255, 256, 257, 511, 999]) expect(lineAt(ring, n)?.text).toBe(`line ${n}`);
    expect(lineAt(ring, 1000)).toBeUndefined();
    expect(lineAt(ring, -1)).toBeUndefined();
  });

  it('leaves the ring before an append as it was', () => {
    const before = appendLines(EMPTY_RING, lines(0, 3));
    const after = appendLines(before, lines(3, 2));
    expect([before.end, lineAt(before, 3)]).toEqual([3, undefined]);
    expect(lineAt(after, 4)?.text).toBe('line 4');
  });

  it('shares closed chunks with the ring before', () => {
    const before = appendLines(EMPTY_RING, lines(0, 600));
    const after = appendLines(before, lines(600, 1));
    expect(after.chunks[0]).toBe(before.chunks[0]);
    expect(after.chunks[1]).toBe(before.chunks[1]);
  });

  it('keeps under the cap, counts what it dropped and keeps the numbers', () => {
    let ring = emptyRing(64 * 1024);
    for (let from = 0; from < 10_000; from += 50) ring = appendLines(ring, lines(from, 50));
    expect(ring.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(ring.dropped).toBe(ring.first);
    expect(ring.first).toBeGreaterThan(9000);
    expect(lineAt(ring, ring.first)?.text).toBe(`line ${ring.first}`);
    expect(lineAt(ring, ring.first - 1)).toBeUndefined();
    expect(lineAt(ring, 9999)?.text).toBe('line 9999');
  });

  it('keeps the newest lines of a flood of very long ones', () => {
    let ring = emptyRing(1024 * 1024);
    for (let i = 0; i < 100; i++) ring = appendLines(ring, [line(`${i} ${'x'.repeat(64 * 1024)}`)]);
    expect(ring.bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(ringLength(ring)).toBeGreaterThan(3);
    expect(lineAt(ring, 99)?.text.startsWith('99 ')).toBe(true);
  });

  it('counts skipped lines without giving them numbers', () => {
    const ring = appendLines(appendLines(EMPTY_RING, [], 5), lines(0, 1), 7);
    expect([ring.skipped, ring.end]).toEqual([12, 1]);
    expect(appendLines(ring, [])).toBe(ring);
  });

  it('visits from a number until told to stop', () => {
    const ring = appendLines(EMPTY_RING, lines(0, 600));
    const seen: number[] = [];
    visitLines(ring, 254, (_, n) => seen.push(n) < 5);
    expect(seen).toEqual([254, 255, 256, 257, 258]);
  });

  it('stays flat over a million lines', () => {
    let ring: LogRing = emptyRing(1024 * 1024);
    let most = 0;
    for (let from = 0; from < 1_000_000; from += 500) {
      ring = appendLines(ring, lines(from, 500));
      most = Math.max(most, ring.bytes, ring.chunks.length);
    }
    expect(ring.end).toBe(1_000_000);
    expect(most).toBeLessThanOrEqual(1024 * 1024);
    expect(ring.chunks.length).toBeLessThan(64);
  });
});
