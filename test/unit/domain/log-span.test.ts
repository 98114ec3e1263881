import { describe, expect, it } from '@jest/globals';
import { appendLines, EMPTY_RING, type LogRing } from '../../../src/domain/log-ring.js';
import { emptyView, extendView, viewNumberAt, viewLength } from '../../../src/domain/log-filter.js';
import { lineAt } from '../../../src/domain/log-ring.js';
import { isInSpan, otherRequests, SPAN_MARGIN_MS, type LogSpan } from '../../../src/domain/log-span.js';
import type { LogLine } from '../../../src/domain/log.js';

/** A line of a server, at a second; `id` as its request is numbered. */
const line = (at: number, text: string, id?: string, source = 'llama'): LogLine => ({
  at: at * 1000,
  level: 'info',
  source,
  text,
  ...(id === undefined ? {} : { requestId: id }),
});
const ringOf = (...lines: LogLine[]): LogRing => appendLines(EMPTY_RING, lines);
const span = (from: number, to: number | null, requestId: string | null = null): LogSpan => ({
  from: from * 1000,
  to: to === null ? null : to * 1000,
  requestId,
});
const shown = (ring: LogRing, of: LogSpan): string[] => {
  const filter = { level: 'debug' as const, source: null, pattern: null, inverse: false };
  const view = extendView(
    emptyView({ ...filter, span: { span: of, others: otherRequests(ring, of) } }),
    ring,
  );
  return Array.from(
    { length: viewLength(view, ring) },
    (_, i) => lineAt(ring, viewNumberAt(view, ring, i) ?? -1)?.text ?? '',
  );
};

describe('the log of one request', () => {
  it('takes what was logged in its time and a little beside it', () => {
    const of = span(100, 110);
    expect(isInSpan(of, 105_000)).toBe(true);
    expect(isInSpan(of, 100_000 - SPAN_MARGIN_MS)).toBe(true);
    expect(isInSpan(of, 100_000 - SPAN_MARGIN_MS - 1)).toBe(false);
    expect(isInSpan(of, 110_000 + SPAN_MARGIN_MS)).toBe(true);
    expect(isInSpan(of, 110_000 + SPAN_MARGIN_MS + 1)).toBe(false);
    expect(isInSpan(span(100, null), 9e9)).toBe(true);
  });

  it('leaves out requests that began before it', () => {
    const ring = ringOf(
      line(90, 'long one begins', 'task 1'),
      line(101, 'own begins', 'task 2'),
      line(103, 'long one goes on', 'task 1'),
      line(104, 'of none'),
      line(109, 'own ends', 'task 2'),
      line(120, 'later', 'task 3'),
    );
    expect(shown(ring, span(100, 110))).toEqual(['own begins', 'of none', 'own ends']);
  });

  it('leaves out the neighbours that only touch the margin', () => {
    const ring = ringOf(
      line(99, 'before, as quick as it was', 'task 1'),
      line(100.2, 'own', 'task 2'),
      line(101.1, 'next', 'task 3'),
    );
    expect(shown(ring, span(100, 101))).toEqual(['own']);
    // Whole seconds, rounded down: what alone is there is its own.
    expect(shown(ringOf(line(100, 'own', 'task 2')), span(100.9, 101))).toEqual(['own']);
  });

  it('shows of several that began meanwhile all, and only one where the server told its number', () => {
    const ring = ringOf(
      line(101, 'a', 'chatcmpl-aaaaaa'),
      line(102, 'b', 'chatcmpl-bbbbbb'),
      line(103, 'c', 'req-7', 'litellm'),
    );
    expect(shown(ring, span(100, 110))).toEqual(['a', 'b', 'c']);
    expect(shown(ring, span(100, 110, 'chatcmpl-bbbbbb'))).toEqual(['b', 'c']);
    // A server that logs other numbers than it tells.
    expect(shown(ring, span(100, 110, 'chatcmpl-cccccc'))).toEqual(['a', 'b', 'c']);
  });

  it('takes the time by which a line stands, not the one of another clock', () => {
    const ring = appendLines(EMPTY_RING, [line(5000, 'fast clock')], 0, [105_000]);
    expect(shown(ring, span(100, 110))).toEqual(['fast clock']);
  });
});
