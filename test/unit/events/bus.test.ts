import { describe, expect, it } from '@jest/globals';
import { createBus } from '../../../src/events/bus.js';
import type { AppEvent, Stamped } from '../../../src/events/catalogue.js';
import { createManualClock } from '../../support/manual-clock.js';

const tick: AppEvent = { type: 'clock.ticked' };
const fired = (id: string): AppEvent => ({ type: 'model.remembered', key: id });

function setUp(options: { queueLimit?: number; depthLimit?: number } = {}) {
  const problems: { where: string; error: unknown }[] = [];
  const clock = createManualClock();
  const bus = createBus({ clock, onProblem: (where, error) => problems.push({ where, error }), ...options });
  return { bus, clock, problems };
}

describe('bus', () => {
  it('stamps events with a rising number and both clocks', () => {
    const { bus, clock } = setUp();
    const seen: Stamped[] = [];
    bus.subscribe('test', (e) => seen.push(e));
    bus.publish(tick);
    clock.advance(1500);
    clock.jump(-3_600_000);
    bus.publish(tick);
    expect(seen.map((e) => e.seq)).toEqual([1, 2]);
    expect(seen[1]!.mono - seen[0]!.mono).toBe(1500);
    expect(seen[1]!.at - seen[0]!.at).toBe(1500 - 3_600_000);
  });

  it('queues what is published during a delivery until all subscribers have the first event', () => {
    const { bus } = setUp();
    const order: string[] = [];
    bus.subscribe('first', (e) => {
      order.push(`first ${e.type}`);
      if (e.type === 'clock.ticked') bus.publish(fired('x'));
    });
    bus.subscribe('second', (e) => order.push(`second ${e.type}`));
    bus.publish(tick);
    expect(order).toEqual([
      'first clock.ticked',
      'second clock.ticked',
      'first model.remembered',
      'second model.remembered',
    ]);
  });

  it('reports a subscriber that throws and goes on with the others', () => {
    const { bus, problems } = setUp();
    let reached = 0;
    bus.subscribe('bad', () => {
      throw new Error('boom');
    });
    bus.subscribe('good', () => reached++);
    bus.publish(tick);
    bus.publish(tick);
    expect(reached).toBe(2);
    expect(problems.map((p) => p.where)).toEqual(['bad', 'bad']);
  });

  it('ends a feedback loop at the depth limit and says so', () => {
    const { bus, problems } = setUp({ depthLimit: 10 });
    let deliveries = 0;
    bus.subscribe('loop', () => {
      deliveries++;
      bus.publish(fired('again'));
    });
    bus.publish(fired('first'));
    expect(deliveries).toBe(11);
    expect(bus.lost).toBe(1);
    expect(String(problems[0]?.error)).toContain('model.remembered');
  });

  it('joins deltas and keeps only the newest sample when the queue is full, and loses nothing that must arrive', () => {
    const { bus } = setUp({ queueLimit: 3 });
    const seen: Stamped[] = [];
    let flooded = false;
    bus.subscribe('flood', (e) => {
      seen.push(e);
      if (flooded) return;
      flooded = true;
      bus.publish({ type: 'turn.text.delta', turnId: 't', text: 'a', pieces: 1 });
      bus.publish(fired('one'));
      bus.publish(tick);
      bus.publish({ type: 'turn.text.delta', turnId: 't', text: 'b', pieces: 1 });
      bus.publish({ type: 'turn.text.delta', turnId: 'other', text: 'c', pieces: 1 });
      bus.publish(fired('two'));
      bus.publish(tick);
    });
    bus.publish(fired('start'));
    expect(seen.filter((e) => e.type === 'model.remembered').map((e) => e.key)).toEqual([
      'start',
      'one',
      'two',
    ]);
    expect(seen.filter((e) => e.type === 'turn.text.delta').map((e) => [e.turnId, e.text, e.pieces])).toEqual(
      [
        ['t', 'ab', 2],
        ['other', 'c', 1],
      ],
    );
    expect(seen.filter((e) => e.type === 'clock.ticked')).toHaveLength(1);
    expect(bus.lost).toBe(1);
  });

  it('does not deliver to a subscriber that has left', () => {
    const { bus } = setUp();
    let count = 0;
    const leave = bus.subscribe('short', () => count++);
    bus.publish(tick);
    leave();
    bus.publish(tick);
    expect(count).toBe(1);
  });
});
