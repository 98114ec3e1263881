import { describe, expect, it } from '@jest/globals';
import { untilBeat } from '../../src/ports.js';
import { HandClock } from '../support/fake-streams.js';

/** When something runs that is done once in `periodMs`, begun at `atMs`. */
function beats(atMs: number, periodMs: number, count: number): number[] {
  const clock = new HandClock();
  clock.pass(atMs);
  const ran: number[] = [];
  const turn = (): void => {
    ran.push(clock.monotonic());
    clock.after(untilBeat(clock, periodMs), turn);
  };
  turn();
  clock.pass(count * periodMs);
  return ran;
}

describe('a beat', () => {
  it('is the same for all that have its period, whenever they began', () => {
    expect(beats(130, 1000, 3)).toEqual([130, 1000, 2000, 3000]);
    expect(beats(400, 1000, 3)).toEqual([400, 1000, 2000, 3000]);
  });

  it('that is close is left out: nothing is done twice in a row', () => {
    expect(beats(640, 1000, 3)).toEqual([640, 2000, 3000]);
    expect(beats(990, 1000, 3)).toEqual([990, 2000, 3000]);
  });

  it('of two seconds is every second one of a second', () => {
    expect(beats(300, 2000, 2)).toEqual([300, 2000, 4000]);
  });
});
