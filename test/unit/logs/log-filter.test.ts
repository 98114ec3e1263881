import { describe, expect, it } from '@jest/globals';
import type { LogLevel, LogLine } from '../../../src/domain/log.js';
import {
  emptyView,
  extendView,
  isBehind,
  viewIndexAtTime,
  viewIndexOf,
  viewLength,
  viewNumberAt,
  type LogFilter,
  type LogView,
} from '../../../src/domain/log-filter.js';
import { compilePattern, marksOf, matchesPattern, type LogPattern } from '../../../src/domain/log-pattern.js';
import {
  appendLines,
  EMPTY_RING,
  emptyRing,
  lineAt,
  timeAt,
  type LogRing,
} from '../../../src/domain/log-ring.js';
import { bounded } from '../../support/bounded.js';

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

describe('lines of several sources', () => {
  const at = (time: number, text: string, source: string): LogLine => ({
    at: time,
    level: null,
    source,
    text,
  });
  const shown = (ring: LogRing, view: LogView): string[] =>
    Array.from(
      { length: viewLength(view, ring) },
      (_, i) => lineAt(ring, viewNumberAt(view, ring, i) ?? -1)?.text ?? '?',
    );

  it('stand by time, also when the older ones come later', () => {
    let ring = appendLines(EMPTY_RING, [at(10, 'a10', 'a'), at(30, 'a30', 'a')]);
    let view = extendView(emptyView(ALL), ring);
    expect(view.numbers).toBeNull();
    ring = appendLines(ring, [at(5, 'b5', 'b'), at(20, 'b20', 'b'), at(30, 'b30', 'b')]);
    view = extendView(view, ring);
    expect(shown(ring, view)).toEqual(['b5', 'a10', 'b20', 'a30', 'b30']);
    ring = appendLines(ring, [at(25, 'c25', 'c'), at(40, 'c40', 'c')]);
    view = extendView(view, ring);
    expect(shown(ring, view)).toEqual(['b5', 'a10', 'b20', 'c25', 'a30', 'b30', 'c40']);
    expect(shown(ring, extendView(emptyView(ALL), ring))).toEqual(shown(ring, view));
    expect(viewIndexOf(view, ring, 1)).toBe(4);
    expect(viewIndexOf(view, ring, 3)).toBe(2);
    expect([0, 6, 24, 26, 100].map((time) => viewIndexAtTime(view, ring, time))).toEqual([0, 1, 3, 4, 7]);
    const ofB = extendView(emptyView({ ...ALL, source: 'b' }), ring);
    expect(shown(ring, ofB)).toEqual(['b5', 'b20', 'b30']);
  });

  it('stay by time while they come and the oldest are dropped', () => {
    let ring = emptyRing(64 * 1024);
    let view = emptyView(ALL);
    for (let batch = 0; batch < 100; batch++) {
      const base = batch * 100;
      for (const [source, late] of [
        ['a', 0],
        ['b', 37],
      ] as const)
        ring = appendLines(
          ring,
          Array.from({ length: 50 }, (_, i) => at(base + 2 * i - late, `${source}${base + i}`, source)),
        );
      view = extendView(view, ring);
    }
    const times = (view.numbers ?? []).map((number) => timeAt(ring, number) ?? NaN);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times).toHaveLength(ring.end - ring.first);
    expect(view.numbers).toEqual(extendView(emptyView(ALL), ring).numbers);
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
    '(a?){30}a{30}',
    'a?'.repeat(40) + 'a'.repeat(40),
    'a?'.repeat(60) + '(?:' + 'a?'.repeat(60) + '){0}',
    '(a|a)'.repeat(30),
    '(a|ab|abc)?'.repeat(40),
    'a{0,16}'.repeat(8),
    '(?:a{0,9}){9}',
    '(\\w+\\.){5}x',
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
    '(?:\\d{1,3}\\.){3}\\d{1,3}',
    '(?:\\d+\\.){2}\\d+',
    'colou?r',
    '(error|warn|fatal|panic|oom|kill)s?',
    '\\d{40}',
    '.*',
  ])('accepts %s', (text) => expect(compilePattern(text)).toMatchObject({ ok: true }));

  it('says what is wrong while it is incomplete', () => {
    expect(compilePattern('(abc')).toEqual({
      ok: false,
      wrong: 'syntax',
      reason: 'it is not a regular expression: unterminated group',
    });
  });

  it('marks what it finds, within the part of a line that it looks at', () => {
    expect(marksOf(pattern('o+'), 'foo bo')).toEqual([
      [1, 3],
      [5, 6],
    ]);
    expect(marksOf(pattern('x*'), 'axa')).toEqual([[1, 2]]);
    const narrow = pattern('a.*b.*c.*d');
    const line = 'abcd'.padStart(narrow.lineLimit, '-') + 'abcd';
    expect(marksOf(narrow, line)).toEqual([[narrow.lineLimit - 4, narrow.lineLimit]]);
    expect(marksOf(pattern('a'), 'a'.repeat(5000)).length).toBe(100);
  });

  it('ends for the worst expressions that are accepted, however long the line is', () => {
    const long = 'a'.repeat(4 * 1024 * 1024);
    for (const text of [
      'a?'.repeat(15) + 'b',
      '(?:a|a)'.repeat(12) + 'b',
      'a{0,16}a{0,16}a{0,16}b',
      'a*b',
      'a*a*b',
      'a*a*a*b',
      '.*.*x',
      'a*a*a*a*b',
    ]) {
      const compiled = compilePattern(text);
      if (!compiled.ok) continue;
      expect(bounded(() => matchesPattern(compiled.pattern, long))).toBe(false);
    }
  });
});
