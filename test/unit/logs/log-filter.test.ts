import { describe, expect, it } from '@jest/globals';
import type { LogLevel, LogLine } from '../../../src/domain/log.js';
import {
  emptyView,
  extendView,
  isBehind,
  viewIndexOf,
  viewLength,
  viewNumberAt,
  type LogFilter,
} from '../../../src/domain/log-filter.js';
import { compilePattern, matchesPattern, type LogPattern } from '../../../src/domain/log-pattern.js';
import { appendLines, EMPTY_RING, emptyRing } from '../../../src/domain/log-ring.js';

const line = (text: string, level: LogLevel | null = null, source = 'x'): LogLine => ({
  at: null,
  level,
  source,
  text,
});
const ALL: LogFilter = { level: 'debug', source: null, pattern: null, inverse: false };
function pattern(text: string): LogPattern {
  const compiled = compilePattern(text);
  if (!compiled.ok) throw new Error(compiled.reason);
  return compiled.pattern;
}

describe('the filter of the log', () => {
  it('shows every line without any work when nothing is filtered', () => {
    const ring = appendLines(EMPTY_RING, [line('a'), line('b')]);
    const view = extendView(emptyView(ALL), ring);
    expect([view.numbers, viewLength(view, ring), viewNumberAt(view, ring, 1), isBehind(view)]).toEqual([
      null,
      2,
      1,
      false,
    ]);
  });

  it('hides what is below the level; a line without a level counts as info', () => {
    const ring = appendLines(EMPTY_RING, [
      line('d', 'debug'),
      line('n'),
      line('w', 'warn'),
      line('e', 'error'),
    ]);
    expect(extendView(emptyView({ ...ALL, level: 'info' }), ring).numbers).toEqual([1, 2, 3]);
    expect(extendView(emptyView({ ...ALL, level: 'warn' }), ring).numbers).toEqual([2, 3]);
  });

  it('matches an expression, or what does not match it, of one source', () => {
    const ring = appendLines(EMPTY_RING, [line('GET /a'), line('POST /b'), line('GET /c', null, 'y')]);
    const wanted = { ...ALL, pattern: pattern('get') };
    expect(extendView(emptyView(wanted), ring).numbers).toEqual([0, 2]);
    expect(extendView(emptyView({ ...wanted, inverse: true }), ring).numbers).toEqual([1]);
    expect(extendView(emptyView({ ...wanted, source: 'y' }), ring).numbers).toEqual([2]);
  });

  it('looks at each line once as lines come, and forgets those that were dropped', () => {
    let ring = emptyRing(64 * 1024);
    let view = emptyView({ ...ALL, pattern: pattern('odd') });
    for (let from = 0; from < 5000; from += 100) {
      ring = appendLines(
        ring,
        Array.from({ length: 100 }, (_, i) => line(i % 2 ? `odd ${from + i}` : `even ${from + i}`)),
      );
      view = extendView(view, ring);
    }
    const afresh = extendView(emptyView(view.filter), ring);
    expect(view.numbers).toEqual(afresh.numbers);
    expect(view.numbers?.every((n) => n >= ring.first)).toBe(true);
    expect(extendView(view, ring)).toBe(view);
  });

  it('takes a long log in steps and says that it is behind', () => {
    const ring = appendLines(
      EMPTY_RING,
      Array.from({ length: 5000 }, (_, i) => line(`n${i}`)),
    );
    let view = extendView(emptyView({ ...ALL, pattern: pattern('7$') }), ring, 2000);
    expect([view.scanned, isBehind(view), viewLength(view, ring)]).toEqual([2000, true, 200]);
    view = extendView(view, ring, 2000);
    view = extendView(view, ring, 2000);
    expect([isBehind(view), viewLength(view, ring)]).toEqual([false, 500]);
    expect(extendView(emptyView(view.filter), ring, 2000, () => true).scanned).toBe(0);
  });

  it('finds the place of a held line', () => {
    const ring = appendLines(
      EMPTY_RING,
      Array.from({ length: 50 }, (_, i) => line(i % 10 === 0 ? 'hit' : 'miss')),
    );
    const view = extendView(emptyView({ ...ALL, pattern: pattern('hit') }), ring);
    expect([viewIndexOf(view, ring, 25), viewIndexOf(view, ring, 20), viewIndexOf(view, ring, 1000)]).toEqual(
      [2, 2, 4],
    );
    expect(viewIndexOf(emptyView(ALL), ring, 25)).toBe(25);
  });
});

describe('an expression typed as a filter', () => {
  it('ignores case unless it has a capital letter', () => {
    expect(matchesPattern(pattern('error'), 'An ERROR')).toBe(true);
    expect(matchesPattern(pattern('Error'), 'an error')).toBe(false);
    expect(matchesPattern(pattern('\\S+ERR|x'), 'err')).toBe(false);
  });

  it.each([
    '(a+)+b',
    '(a*)*',
    '(a|a)*b',
    '(?:a|ab)+c',
    '([a-z]+)*$',
    '(\\w+\\s?)+$',
    '((ab)+c)+',
    '(a{1,50}){2,}',
    '(.)\\1',
    'a*b*c*d*e*',
    'x'.repeat(501),
  ])('refuses %s, which may never end', (text) => {
    const compiled = compilePattern(text);
    expect(compiled.ok).toBe(false);
  });

  it.each([
    'error|warn',
    '(GET|POST) /api',
    'a.*b.*c',
    '[(+*]+x',
    '\\(a+\\)+',
    '(abc)+',
    '(?:a+)?b',
    '(?<=id )\\d+',
    '^\\d{4}-\\d\\d',
    'slot.*release',
    '(\\d{1,3}\\.)',
    '.*',
  ])('accepts %s', (text) => expect(compilePattern(text)).toMatchObject({ ok: true }));

  it('says what is wrong while it is incomplete', () => {
    expect(compilePattern('(abc')).toEqual({
      ok: false,
      reason: expect.stringContaining('not a regular expression'),
    });
  });

  it('ends in a blink for the worst expressions that are accepted', () => {
    const long = 'a'.repeat(64 * 1024);
    for (const text of ['a*b', 'a*a*b', 'a*a*a*b', '.*.*x', 'a*a*a*a*b']) {
      const compiled = compilePattern(text);
      if (!compiled.ok) continue;
      const start = performance.now();
      matchesPattern(compiled.pattern, long);
      expect(performance.now() - start).toBeLessThan(1500);
    }
  });
});
