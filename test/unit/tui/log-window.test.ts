import { describe, expect, it } from '@jest/globals';
import { appendLines, EMPTY_RING } from '../../../src/domain/log-ring.js';
import type { LogLevel, LogLine } from '../../../src/domain/log.js';
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

  it('says why nothing is shown', () => {
    expect(open().props(EMPTY, 3).empty).toBe('nothing logged yet');
    expect(open().props({ ...ten, filter: { pattern: 'nowhere', inverse: false } }, 3).empty).toBe(
      'no line passes the filter',
    );
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
