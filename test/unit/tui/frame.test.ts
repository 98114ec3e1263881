import { describe, expect, it } from '@jest/globals';
import { createFrames } from '../../../src/tui/frame.js';
import { HandClock } from '../../support/fake-streams.js';

function open(takes: () => boolean = () => true) {
  const clock = new HandClock();
  const painted: { at: number; urgent: boolean }[] = [];
  const frames = createFrames({
    clock,
    framesPerSecond: 25,
    paint(urgent) {
      painted.push({ at: clock.monotonic(), urgent });
      return takes();
    },
  });
  return { clock, frames, painted };
}

describe('frames', () => {
  it('come at once after a rest, and no more than so many a second', () => {
    const { clock, frames, painted } = open();
    for (let ms = 0; ms < 1000; ms += 2) {
      frames.request(false);
      clock.pass(2);
    }
    expect(painted[0]?.at).toBe(0);
    expect(painted.length).toBeGreaterThan(23);
    // One may come ahead of its time.
    expect(painted.length).toBeLessThanOrEqual(27);
  });

  it('stay in step with what comes at their own pace, also after one in between', () => {
    const { clock, frames, painted } = open();
    for (let round = 0; round < 50; round++) {
      frames.request(false);
      clock.pass(11);
      if (round === 10) frames.request(false);
      clock.pass(29);
    }
    const late = painted.filter(({ at }) => at % 40 !== 0);
    expect(late.map(({ at }) => at)).toEqual([411]);
    expect(painted).toHaveLength(51);
  });

  it('one shows all that came together', () => {
    const { clock, frames, painted } = open();
    for (let piece = 0; piece < 5; piece++) frames.request(false);
    expect(painted).toEqual([]);
    clock.pass(0);
    expect(painted).toEqual([{ at: 0, urgent: false }]);
  });

  it('a key is painted once, at once and as urgent, with all that it caused', () => {
    const { frames, painted } = open();
    frames.urgently(() => {
      frames.request(false);
      frames.request(false);
    });
    expect(painted).toEqual([{ at: 0, urgent: true }]);
  });

  it('a key goes to the link also while a frame waits for it', () => {
    let free = false;
    const { clock, frames, painted } = open(() => free);
    frames.request(false);
    clock.pass(500);
    frames.request(false);
    clock.pass(500);
    expect(painted).toHaveLength(1);
    frames.urgently(() => frames.request(false));
    expect(painted.at(-1)).toEqual({ at: 1000, urgent: true });
    free = true;
    frames.resume();
    expect(painted).toHaveLength(3);
    frames.resume();
    clock.pass(500);
    expect(painted).toHaveLength(3);
  });

  it('what is asked for while painting comes with the next frame', () => {
    const clock = new HandClock();
    let painted = 0;
    const frames = createFrames({
      clock,
      framesPerSecond: 25,
      paint() {
        painted++;
        if (painted < 3) frames.request(false);
        return true;
      },
    });
    frames.request(false);
    clock.pass(0);
    expect(painted).toBe(1);
    clock.pass(1000);
    expect(painted).toBe(3);
  });
});
