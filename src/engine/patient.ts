import type { Clock } from '../ports.js';

/** A folder or file did not answer: a network drive that is away, a dying disk. */
export class Unanswered extends Error {}

/**
 * Waits for a question to the file system, but not for ever. One that hangs cannot be taken back and keeps one of the few threads of
 * Node busy, so whoever gets Unanswered must not ask the same place again.
 */
export function answered<T>(question: Promise<T>, clock: Pick<Clock, 'after'>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => reject(new Unanswered('no answer')));
    question.finally(cancel).then(resolve, reject);
  });
}
