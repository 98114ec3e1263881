import { describe, expect, it } from '@jest/globals';
import { LineCutter, LineTooLongError } from '../../../src/wire/lines.js';
import { NdjsonParser } from '../../../src/wire/ndjson.js';
import { SseParser } from '../../../src/wire/sse.js';
import { Watchdog } from '../../../src/wire/watchdog.js';
import { SteeredClock } from '../../contract/steered-clock.js';

describe('line streams', () => {
  it('cuts lines over packet borders, with and without CR', () => {
    const cutter = new LineCutter();
    expect(cutter.feed('a\r')).toEqual([]);
    expect(cutter.feed('\nb\n\nc')).toEqual(['a', 'b', '']);
    expect(cutter.end()).toBe('c');
    expect(cutter.end()).toBeNull();
  });

  it('refuses a line past its limit and lets go of it', () => {
    const cutter = new LineCutter(10);
    cutter.feed('123456');
    expect(() => cutter.feed('789012')).toThrow(LineTooLongError);
  });

  it('gives JSON values, and lines that are none', () => {
    const parser = new NdjsonParser();
    expect(parser.feed('{"a":1}\n\nx\n[2')).toEqual([
      { ok: true, value: { a: 1 } },
      { ok: false, line: 'x' },
    ]);
    expect(parser.feed(']')).toEqual([]);
    expect(parser.end()).toEqual([{ ok: true, value: [2] }]);
  });

  it('gives events, named events and stray fields, at the end also an open one', () => {
    const parser = new SseParser();
    expect(parser.feed('event: error\ndata: 1\n\nerror: {"a":1}\n\ndata: 2')).toEqual([
      { type: 'event', event: 'error', data: '1' },
      { type: 'stray', field: 'error', value: '{"a":1}' },
    ]);
    expect(parser.end()).toEqual([{ type: 'event', event: null, data: '2' }]);
  });
});

describe('the watchdog', () => {
  it('barks once after its limit, counted from the last word', () => {
    const clock = new SteeredClock();
    let barks = 0;
    const dog = new Watchdog(clock, () => (barks += 1));
    dog.watch(5000);
    clock.advance(4000);
    dog.heard();
    clock.advance(4000);
    expect(barks).toBe(0);
    clock.advance(2500);
    expect(barks).toBe(1);
    clock.advance(60_000);
    expect(barks).toBe(1);
  });

  it('does not count the time in which the machine slept', () => {
    const clock = new SteeredClock();
    let barks = 0;
    const dog = new Watchdog(clock, () => (barks += 1));
    dog.watch(5000);
    clock.sleep(3600_000);
    expect(barks).toBe(0);
    clock.advance(5000);
    expect(barks).toBe(1);
  });
});
