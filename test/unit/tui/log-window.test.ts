import { describe, expect, it } from '@jest/globals';
import { appendLines, EMPTY_RING, emptyRing } from '../../../src/domain/log-ring.js';
import { FOLLOWING, type LogLevel, type LogLine, type LogSourceState } from '../../../src/domain/log.js';
import { initialState, type LogsState } from '../../../src/state/state.js';
import { defaultSettings } from '../../../src/config/schema.js';
import { createLogWindow } from '../../../src/tui/log-window.js';

const line = (text: string, level: LogLevel | null = 'info', source = 'a'): LogLine => ({
  at: null,
  level,
  source,
  text,
});
const EMPTY: LogsState = { ...initialState(defaultSettings()).logs, ring: EMPTY_RING, level: 'debug' };
const withLines = (logs: LogsState, ...texts: string[]): LogsState => ({
  ...logs,
  ring: appendLines(
    logs.ring,
    texts.map((t) => line(t)),
    0,
  ),
});
const ten = withLines(EMPTY, ...Array.from({ length: 10 }, (_, i) => `line ${i}`));
const open = () => createLogWindow(() => 0);
const texts = (logs: LogsState, height = 3, window = open()): string[] =>
  window.props(logs, height).lines.map((l) => l.text);

describe('the window on the log', () => {
  it('shows the last lines', () => {
    expect(texts(ten)).toEqual(['line 7', 'line 8', 'line 9']);
  });

  it('stands still when it is held, and counts what is below', () => {
    const window = open();
    const held = { ...ten, held: 4 };
    expect(texts(held, 3, window)).toEqual(['line 2', 'line 3', 'line 4']);
    expect(window.title(held)).toMatchObject({ following: false, below: 5, lines: 10 });
    const more = withLines(held, 'line 10');
    expect(texts(more, 3, window)).toEqual(['line 2', 'line 3', 'line 4']);
    expect(window.title(more).below).toBe(6);
  });

  it('follows again when it is scrolled to the end', () => {
    const window = open();
    expect(window.scrolled(ten, -3)).toBe(6);
    expect(window.scrolled({ ...ten, held: 6 }, 2)).toBe(8);
    expect(window.scrolled({ ...ten, held: 6 }, 3)).toBeNull();
    expect(window.scrolled(ten, -1000)).toBe(0);
    expect(window.scrolled(ten, -1000, 3)).toBe(2);
    expect(window.scrolled({ ...ten, held: 2 }, 1, 3)).toBe(3);
  });

  it('shows what passes level, source and expression', () => {
    const ring = appendLines(
      EMPTY_RING,
      [line('broke', 'error'), line('care', 'warn', 'b'), line('fine'), line('unknown', null)],
      2,
    );
    const logs = { ...EMPTY, ring };
    expect(texts({ ...logs, level: 'warn' }, 9)).toEqual(expect.arrayContaining(['broke', 'care']));
    expect(texts({ ...logs, level: 'warn' }, 9)).not.toContain('fine');
    expect(texts({ ...logs, source: 'b' }, 9)).toEqual(['care']);
    expect(texts({ ...logs, filter: { pattern: 'b.o', inverse: false } }, 9)).toEqual(['broke']);
    expect(texts({ ...logs, filter: { pattern: 'b.o', inverse: true } }, 9)).toEqual([
      'care',
      'fine',
      'unknown',
    ]);
    expect(open().title(logs)).toMatchObject({ skipped: 2, lines: 4 });
  });

  it('holds its place while lines of all sources come, and stands at the oldest when that was dropped', () => {
    const window = open();
    const ring = appendLines(emptyRing(64 * 1024), [
      { ...line('a1'), at: 10 },
      { ...line('a2'), at: 20 },
      { ...line('a3'), at: 30 },
    ]);
    let logs: LogsState = { ...EMPTY, ring, held: 1 };
    expect(texts(logs, 2, window)).toEqual(['a1', 'a2']);
    logs = { ...logs, ring: appendLines(ring, [{ ...line('b', 'info', 'b'), at: 15 }]) };
    expect(texts(logs, 3, window)).toEqual(['a1', 'b', 'a2']);
    for (let i = 0; i < 50; i++)
      logs = {
        ...logs,
        ring: appendLines(
          logs.ring,
          Array.from({ length: 50 }, () => line('x'.repeat(50))),
        ),
      };
    expect(logs.ring.first).toBeGreaterThan(1);
    expect(window.props(logs, 3).lines).toHaveLength(3);
    expect(window.title(logs)).toMatchObject({
      following: false,
      below: logs.ring.end - logs.ring.first - 1,
    });
  });

  it('goes to a time with the first line at or behind it on top', () => {
    const timed = Array.from({ length: 20 }, (_, i) => ({ ...line(`t${i}`), at: 1000 * i }));
    const logs = { ...EMPTY, ring: appendLines(EMPTY_RING, timed) };
    const window = open();
    const held = window.atTime(logs, 4500, 3);
    expect(texts({ ...logs, held }, 3, window)).toEqual(['t5', 't6', 't7']);
    expect(texts({ ...logs, held: window.atTime(logs, 0, 3) }, 3, window)).toEqual(['t0', 't1', 't2']);
    expect(window.atTime(logs, 18_000, 3)).toBeNull();
  });

  it('tells the numbers of the lines in view', () => {
    const window = open();
    expect(window.numbers(ten, 3)).toEqual([7, 8, 9]);
    expect(window.numbers({ ...ten, held: 4 }, 1)).toEqual([4]);
    expect(window.numbers(EMPTY, 3)).toEqual([]);
  });

  it('shows a line that is still written over below the others while it follows', () => {
    const logs = { ...ten, progress: new Map([['b', line('load 40 %', null, 'b')]]) };
    expect(texts(logs)).toEqual(['line 8', 'line 9', 'load 40 %']);
    expect(open().numbers(logs, 3)).toEqual([8, 9]);
    expect(texts({ ...logs, held: 4 })).toEqual(['line 2', 'line 3', 'line 4']);
    expect(texts({ ...logs, source: 'a' })).toEqual(['line 7', 'line 8', 'line 9']);
  });

  it('marks only within what the expression may look at', () => {
    const logs = { ...ten, filter: { pattern: 'i.*n.*e', inverse: false } };
    const marks = open().props(logs, 3).marksOf;
    expect(marks?.('line 1')).toEqual([[1, 4]]);
    expect(marks?.(`${'-'.repeat(5000)}line`)).toEqual([]);
    expect(open().props({ ...logs, filter: { pattern: 'x', inverse: true } }, 3).marksOf).toBeNull();
  });

  it('tells of a source that cannot be read, and of the next step when it is the chosen one', () => {
    const status = {
      state: 'refused',
      reason: 'it may not be read',
      hint: 'Join the group.',
      nextTryMs: null,
    } as const;
    const opened = [
      { name: 'lmapp', place: '/l', asked: false, backendIds: [], status: FOLLOWING },
      { name: 'ollama', place: 'journald:ollama', asked: false, backendIds: [], status },
    ];
    const logs = { ...EMPTY, opened, sources: ['lmapp', 'ollama'] };
    expect(open().title(logs)).toMatchObject({ source: 'all 2 sources', trouble: 'ollama refused' });
    const chosen = { ...logs, source: 'ollama' };
    expect(open().title(chosen)).toMatchObject({ source: 'ollama', trouble: 'refused' });
    expect(open().props(chosen, 3).empty).toBe('it may not be read. Join the group.');
    expect(open().title({ ...logs, source: 'lmapp' }).trouble).toBeNull();
  });

  describe('of one answer', () => {
    const before = { held: null, source: null, filter: null, pane: 'message', zoomed: null } as const;
    const turn = (from: number, to: number | null) => ({
      turnId: 't',
      span: { from, to, requestId: null },
      backendId: 'ollama@a',
      backendTitle: 'ollama',
      before,
    });
    const source = (name: string, backendIds: string[], status: LogSourceState = FOLLOWING) => ({
      name,
      place: `/${name}`,
      asked: false,
      backendIds,
      status,
    });
    const waiting = {
      state: 'waiting',
      reason: 'it does not exist yet',
      hint: null,
      nextTryMs: null,
    } as const;
    const at = (seconds: number, text: string, from = 'ollama', requestId?: string): LogLine => ({
      ...line(text, 'info', from),
      at: seconds * 1000,
      ...(requestId === undefined ? {} : { requestId }),
    });
    const logs: LogsState = {
      ...EMPTY,
      opened: [source('lmapp', []), source('ollama', ['ollama@a'])],
      ring: appendLines(EMPTY_RING, [
        at(10, 'before'),
        at(20, 'begins', 'ollama', 'task 1'),
        at(21, 'goes on'),
        at(22, 'ours', 'lmapp'),
        at(40, 'after'),
      ]),
    };

    it('shows what was logged in its time, and takes in what comes while it runs', () => {
      const window = open();
      const running = { ...logs, turn: turn(20_000, null) };
      expect(texts(running, 9, window)).toEqual(['begins', 'goes on', 'ours', 'after']);
      const more = { ...running, ring: appendLines(running.ring, [at(41, 'more')]) };
      expect(texts(more, 2, window)).toEqual(['after', 'more']);
      const over = { ...more, turn: turn(20_000, 22_000) };
      expect(texts(over, 9, window)).toEqual(['begins', 'goes on', 'ours']);
      expect(window.title(over)).toMatchObject({
        turn: { from: 20_000, to: 22_000 },
        lines: 3,
        following: null,
      });
      expect(window.props(over, 9).note).toBeNull();
      expect(texts({ ...over, turn: null }, 9, window)).toHaveLength(6);
    });

    it('does not begin anew for requests of others that come', () => {
      const window = createLogWindow(() => 0);
      const told = {
        ...logs,
        turn: { ...turn(20_000, null), span: { from: 20_000, to: null, requestId: 'task 1' } },
      };
      expect(texts(told, 9, window)).toEqual(['begins', 'goes on', 'ours', 'after']);
      // So many that a view that begins anew takes several steps.
      const many = Array.from({ length: 5000 }, (_, i) =>
        at(50 + i, `other ${i}`, 'ollama', `task ${i + 10}`),
      );
      let more: LogsState = { ...told, ring: appendLines(told.ring, many.slice(0, 3000)) };
      texts(more, 9, window);
      more = {
        ...more,
        ring: appendLines(more.ring, [...many.slice(3000), at(9000, 'last', 'ollama', 'task 1')]),
      };
      expect(texts(more, 9, window)).toEqual(['begins', 'goes on', 'ours', 'after', 'last']);
      expect(window.behind).toBe(false);
    });

    it('leaves a request out as soon as it turns out not to be it', () => {
      const window = open();
      const running = { ...logs, turn: turn(25_000, null) };
      const late = { ...running, ring: appendLines(logs.ring, [at(41, 'ends', 'ollama', 'task 1')]) };
      expect(texts(late, 9, window)).toEqual(['after']);
    });

    it('says which sources were looked at when no server logged anything, and that one is not followed', () => {
      const quiet = {
        ...logs,
        ring: appendLines(EMPTY_RING, [at(22, 'ours', 'lmapp')]),
        turn: turn(20_000, 22_000),
      };
      expect(open().props(quiet, 9).note).toMatch(
        /^no server logged anything from \d\d:\d\d:20 to \d\d:\d\d:22; looked at lmapp, ollama$/,
      );
      const away = { ...quiet, opened: [source('lmapp', []), source('ollama', ['ollama@a'], waiting)] };
      expect(open().props(away, 9).note).toContain('ollama (waiting: it does not exist yet)');
      const nothing = { ...quiet, ring: EMPTY_RING, opened: [source('other', ['other@b'])] };
      expect(open().props(nothing, 9).empty).toMatch(
        /^nothing was logged from .*; looked at other; the log of ollama is not followed: name it with --follow/,
      );
      const narrow = { ...logs, turn: turn(20_000, 22_000), level: 'error' as const };
      expect(open().props(narrow, 9).empty).toMatch(/^no line passes from/);
    });

    it('says that nothing is left of an old one', () => {
      expect(open().props({ ...logs, turn: turn(1000, 3000) }, 9).empty).toMatch(
        /the lines that are kept begin at \d\d:\d\d:10, after it$/,
      );
    });
  });

  it('says why nothing is shown', () => {
    expect(open().props(EMPTY, 3).empty).toBe('nothing logged yet');
    expect(open().props({ ...ten, filter: { pattern: 'nowhere', inverse: false } }, 3).empty).toBe(
      'no line passes the filter',
    );
  });

  it('does not go on behind the rows of a frame: its title is of the same lines, and more is still to be drawn', () => {
    let now = 0;
    const window = createLogWindow(() => (now += 0.05));
    const many = withLines(EMPTY, ...Array.from({ length: 100 }, (_, i) => `line ${i}`));
    const filtered = { ...many, filter: { pattern: 'line', inverse: false } };
    const { lines } = window.props(filtered, 200);
    expect(lines.length).toBeLessThan(100);
    for (let i = 0; i < 10; i++) expect(window.title(filtered).lines).toBe(lines.length);
    expect(window.behind).toBe(true);
  });

  it('filters a long log in steps, so that no key waits for it', () => {
    let now = 0;
    const window = createLogWindow(() => (now += 0.05));
    const many = withLines(EMPTY, ...Array.from({ length: 20_000 }, (_, i) => `line ${i}`));
    const filtered = { ...many, filter: { pattern: '7$', inverse: false } };
    window.props(filtered, 3);
    expect(window.behind).toBe(true);
    for (let frame = 0; window.behind && frame < 10_000; frame++) window.props(filtered, 3);
    expect(texts(filtered, 1, window)).toEqual(['line 19997']);
  });
});
