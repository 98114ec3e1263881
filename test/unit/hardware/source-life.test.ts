import { describe, expect, it } from '@jest/globals';
import type { SourceState } from '../../../src/domain/hardware.js';
import { createSourceLife, type SourceLifeOptions } from '../../../src/hardware/source-life.js';
import { createManualClock } from '../../support/manual-clock.js';

function lifeOn(more: Partial<SourceLifeOptions> = {}) {
  const clock = createManualClock(1_000_000);
  const told: SourceState[] = [];
  const tries: number[] = [];
  const life = createSourceLife({
    clock,
    tell: (state) => told.push(state),
    retry: () => tries.push(clock.monotonic()),
    random: () => 0,
    ...more,
  });
  return { clock, told, tries, life, names: () => told.map(({ state }) => state) };
}

describe('the life of a source', () => {
  it('is unknown until it is asked, and tells each change once', () => {
    const { life, told, names } = lifeOn();
    expect(life.state).toEqual({ state: 'unknown' });
    expect(told).toEqual([]);
    life.probing();
    life.probing();
    life.live();
    life.live();
    expect(names()).toEqual(['probing', 'live']);
  });

  it('turns stale when the next answer does not come in time, and live again with it', () => {
    const { life, clock, told } = lifeOn();
    life.probing();
    life.live(5000);
    clock.advance(4000);
    life.live(5000);
    clock.advance(4999);
    expect(told.at(-1)).toEqual({ state: 'live' });
    clock.advance(1);
    expect(told.at(-1)).toEqual({ state: 'stale', reason: 'no answer for 5 s' });
    life.live(5000);
    expect(told.at(-1)).toEqual({ state: 'live' });
  });

  it('is not stale before it ever answered', () => {
    const { life, names } = lifeOn();
    life.probing();
    life.stale('silent');
    expect(names()).toEqual(['probing']);
  });

  it('is tried again after 5, 10, 30, then every 60 s, and says when', () => {
    const { life, clock, told, tries } = lifeOn();
    const gaps: number[] = [];
    for (let i = 0; i < 6; i++) {
      const failedAt = clock.monotonic();
      life.probing();
      life.failed('broken', 'mend it');
      expect(told.at(-1)).toEqual({
        state: 'failed',
        reason: 'broken',
        hint: 'mend it',
        nextTryMs: clock.now() + ([5, 10, 30, 60, 60, 60][i] ?? 0) * 1000,
      });
      while (tries.length === i) clock.advance(1000);
      gaps.push((tries.at(-1) ?? 0) - failedAt);
    }
    expect(gaps).toEqual([5000, 10_000, 30_000, 60_000, 60_000, 60_000]);
  });

  it('spreads the tries by at most a fifth', () => {
    const { life, clock, tries } = lifeOn({ random: () => 0.999 });
    life.failed('broken');
    clock.advance(5900);
    expect(tries).toEqual([]);
    clock.advance(100);
    expect(tries).toHaveLength(1);
  });

  it('begins with the shortest pause again after a good life, but not after a short one', () => {
    const { life, clock, tries } = lifeOn();
    const failAndWait = (): number => {
      const from = clock.monotonic();
      const before = tries.length;
      life.failed('broken');
      while (tries.length === before) clock.advance(1000);
      return clock.monotonic() - from;
    };
    expect([failAndWait(), failAndWait()]).toEqual([5000, 10_000]);
    life.live();
    clock.advance(1000);
    expect(failAndWait()).toBe(30_000);
    life.live();
    clock.advance(60_000);
    expect(failAndWait()).toBe(5000);
  });

  it('takes what is not there for no fault and looks again after five minutes', () => {
    const { life, clock, tries, names } = lifeOn();
    life.probing();
    life.absent();
    clock.advance(299_999);
    expect(tries).toEqual([]);
    clock.advance(1);
    expect(tries).toHaveLength(1);
    expect(names()).toEqual(['probing', 'absent']);
  });

  it('does nothing more when it is stopped, and keeps how often it failed', () => {
    const { life, clock, tries, told } = lifeOn();
    life.failed('broken');
    life.stop();
    clock.advance(600_000);
    expect(tries).toEqual([]);
    expect(life.state).toEqual({ state: 'unknown' });
    expect(told).toHaveLength(1);
    life.live(5000);
    life.stop();
    clock.advance(600_000);
    expect(told.map(({ state }) => state)).toEqual(['failed', 'live']);
    life.failed('broken');
    clock.advance(10_000);
    expect(tries).toHaveLength(1);
  });
});
