import { describe, expect, it } from '@jest/globals';
import { lineAt, timeAt } from '../../../src/domain/log-ring.js';
import { FOLLOWING, type LogLine } from '../../../src/domain/log.js';
import { createMachine, createReadyMachine } from '../../support/machine.js';

const line = (text: string, source = 'a', at: number | null = null): LogLine => ({
  at,
  level: null,
  source,
  text,
});
const refused = { state: 'refused', reason: 'not allowed', hint: 'Ask.', nextTryMs: null } as const;

describe('the log', () => {
  it('puts lines without a time where they came, in the order of their source', () => {
    const machine = createMachine();
    machine.send({
      type: 'logs.appended',
      lines: [line('a', 'a', 1000), line('b', 'b', 400)],
      skipped: 0,
      past: true,
    });
    machine.send({
      type: 'logs.appended',
      lines: [line('c')],
      skipped: 0,
    });
    const { ring, sources, lastTimes } = machine.state.logs;
    expect(sources).toEqual(['a', 'b']);
    const arrived = timeAt(ring, 2) ?? 0;
    expect([timeAt(ring, 0), timeAt(ring, 1)]).toEqual([1000, 400]);
    expect(arrived).toBeGreaterThan(1000);
    expect(lastTimes.get('a')).toBe(arrived);
    machine.send({ type: 'logs.appended', lines: [line('d', 'a', 2000)], skipped: 3 });
    expect(timeAt(machine.state.logs.ring, 3)).toBeGreaterThanOrEqual(arrived);
    expect(machine.state.logs.ring.skipped).toBe(3);
  });

  it('tells once of a source that the user named and that cannot be read, and only marks one that was found', () => {
    const machine = createMachine();
    machine.send({ type: 'logs.source', source: 'x', place: '/x', asked: true, state: refused });
    machine.send({ type: 'logs.source', source: 'y', place: '/y', asked: false, state: refused });
    expect(machine.state.notices).toMatchObject([
      { level: 'warn', text: 'log x: not allowed', hint: 'Ask.' },
    ]);
    const [first] = machine.state.notices;
    machine.send({
      type: 'logs.source',
      source: 'x',
      place: '/x',
      asked: true,
      state: { ...refused, nextTryMs: 5 },
    });
    expect(machine.state.notices).toEqual([first]);
    machine.send({ type: 'logs.source', source: 'y', place: '/y', asked: false, state: FOLLOWING });
    expect(machine.state.logs.opened.map(({ name, status }) => [name, status.state])).toEqual([
      ['x', 'refused'],
      ['y', 'following'],
    ]);
    machine.send({ type: 'logs.closed', source: 'y' });
    expect(machine.state.logs.opened).toHaveLength(1);
    expect(machine.state.logs.sources).toEqual(['x', 'y']);
  });

  it('keeps a line that is written over until it has ended', () => {
    const machine = createMachine();
    machine.send({ type: 'logs.progressed', source: 'a', line: line('10 %') });
    machine.send({ type: 'logs.progressed', source: 'a', line: line('20 %') });
    expect([...machine.state.logs.progress.values()].map(({ text }) => text)).toEqual(['20 %']);
    machine.send({ type: 'logs.progressed', source: 'a', line: null });
    expect(machine.state.logs.progress.size).toBe(0);
  });

  it('copies lines with time, level and source', () => {
    const machine = createMachine();
    machine.send({
      type: 'logs.appended',
      lines: [line('one'), { ...line('two', 'b', 0), level: 'warn' }],
      skipped: 0,
    });
    machine.send({ type: 'logs.picked', lines: [0, 1, 99] });
    const [copy] = machine.wanted('clipboard.copy');
    expect(copy).toMatchObject({ what: '2 lines of the log' });
    expect(copy && 'text' in copy ? copy.text.split('\n') : []).toEqual([
      expect.stringMatching(/^- +- +a {2}one$/),
      expect.stringMatching(/^19(70|69)-\d\d-\d\dT.*[+-]\d\d:\d\d WARN {2}b {2}two$/),
    ]);
    machine.send({ type: 'logs.picked', lines: [] });
    expect(machine.state.notices.at(-1)?.text).toBe('there is no line to copy');
    expect(lineAt(machine.state.logs.ring, 0)?.text).toBe('one');
  });

  it('looks for the log of a server when it is listed, when it comes back, and lets it go with it', () => {
    const machine = createReadyMachine();
    const [server] = machine.state.models.backends;
    if (!server) throw new Error('no server');
    const backendId = server.info.id;
    const wanted = (): number => machine.wanted('log.follow').length;
    const before = wanted();
    expect(before).toBe(1);
    machine.send({ type: 'backend.checked', backendId, check: server.check });
    expect(wanted()).toBe(before);
    const fault = { code: 'not-running' as const, message: 'away', hint: null, status: null };
    machine.send({ type: 'backend.lost', backendId, fault });
    machine.send({ type: 'backend.checked', backendId, check: server.check });
    expect(wanted()).toBe(before + 1);
    machine.send({ type: 'backend.removed', backendId });
    expect(machine.wanted('log.unfollow')).toEqual([{ type: 'log.unfollow', backendId }]);
  });

  it('takes a time in the line of the filter without touching the filter', () => {
    const machine = createMachine().command('log.filter');
    machine
      .send({ type: 'filter.edited', edit: { op: 'insert', text: 'abc' } })
      .send({ type: 'filter.closed' });
    machine.command('log.jump');
    machine.send({ type: 'filter.edited', edit: { op: 'insert', text: '12:03' } });
    expect(machine.state.logs.filter).toEqual({ pattern: 'abc', inverse: false });
    expect(machine.state.view.filtering).toMatchObject({ asksTime: true, prompt: { text: '12:03' } });
  });
});
