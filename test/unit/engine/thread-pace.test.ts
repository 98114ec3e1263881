import { describe, expect, it } from '@jest/globals';
import { createThreadPace, type ThreadPace } from '../../../src/engine/thread-pace.js';

/** A stretch in which so many cores were used here, and so many by nobody. */
const used = (own: number, idle: number, wallMs = 200) => ({
  wallMs,
  ownMs: own * wallMs,
  idleMs: idle * wallMs,
});

function worked(pace: ThreadPace, own: number, idle: number, stretches: number): readonly number[] {
  return Array.from({ length: stretches }, () => {
    pace.worked(used(own, idle));
    return pace.threads;
  });
}

describe('the number of threads', () => {
  it('begins with the most, and stays there while each has a core', () => {
    const pace = createThreadPace(4);
    expect(worked(pace, 3.9, 0, 5)).toEqual([4, 4, 4, 4, 4]);
  });

  it('falls to what they get when somebody else works, and never below one', () => {
    const pace = createThreadPace(4);
    expect(worked(pace, 2, 0, 1)).toEqual([2]);
    expect(worked(pace, 0.3, 0, 1)).toEqual([1]);
    expect(worked(pace, 0.1, 0, 1)).toEqual([1]);
  });

  it('rises by one where a core has nothing to do for a while', () => {
    const pace = createThreadPace(4);
    worked(pace, 2, 0, 1);
    expect(worked(pace, 2, 1, 2)).toEqual([2, 3]);
    expect(worked(pace, 3, 0, 3)).toEqual([3, 3, 3]);
  });

  it('that was too much is tried again later and later', () => {
    const pace = createThreadPace(2);
    const waits: number[] = [];
    worked(pace, 1, 0, 1);
    for (let round = 0; round < 7; round++) {
      let stretches = 0;
      while (pace.threads === 1) stretches += worked(pace, 1, 1, 1).length;
      waits.push(stretches);
      // Two threads for one core.
      worked(pace, 1, 0, 1);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 64]);
  });

  it('is not judged by a moment', () => {
    const pace = createThreadPace(4);
    expect(pace.worked(used(0, 0, 50))).toBe(false);
    expect(pace.worked(used(0, 0, 50))).toBe(false);
    expect(pace.worked(used(0, 0, 100))).toBe(true);
  });

  it('of new work is what was free before it', () => {
    const pace = createThreadPace(4);
    expect(pace.begins(used(0, 2))).toBe(true);
    expect(pace.threads).toBe(2);
    expect(pace.begins(used(0, 8))).toBe(true);
    expect(pace.threads).toBe(4);
    expect(pace.begins(used(0, 0, 100))).toBe(false);
    expect(pace.threads).toBe(4);
  });
});
