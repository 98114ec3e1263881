import { describe, expect, it } from '@jest/globals';
import { answered, Unanswered } from '../../../src/engine/patient.js';
import { createManualClock } from '../../support/manual-clock.js';

describe('a question to the file system', () => {
  it('that hangs is waited for only so long', async () => {
    const clock = createManualClock();
    const waiting = answered(new Promise(() => undefined), clock, 4000);
    clock.advance(3999);
    const early = await Promise.race([waiting, Promise.resolve('waits')]);
    clock.advance(1);
    await expect(waiting).rejects.toBeInstanceOf(Unanswered);
    expect(early).toBe('waits');
  });

  it('gives its answer or its error', async () => {
    const clock = createManualClock();
    await expect(answered(Promise.resolve(7), clock, 1)).resolves.toBe(7);
    await expect(answered(Promise.reject(new Error('no')), clock, 1)).rejects.toThrow('no');
  });
});
