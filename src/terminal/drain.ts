/** Takes answers of the terminal that are still on their way, so that the shell does not get them as typed text. */
import fs from 'node:fs';
import type { Clock } from '../ports.js';
import { sleepSync } from './output.js';

const LEAST_WAIT_MS = 250;
/** A line that was cut off a moment ago answers nothing any more. */
const MOST_WAIT_MS = 1500;
const POLL_MS = 3;
const ANSWER = /\x1b\[0n/g;

/**
 * Waits for so many answers, in raw mode still, at most for a moment: longer on a line whose answers took long (`answerMs`). What is typed
 * meanwhile is lost.
 */
export function drainAnswers(
  stdinFd: number,
  expected: number,
  answerMs: number,
  clock: Pick<Clock, 'monotonic'>,
): void {
  let fd: number;
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    fd = fs.openSync(`/proc/self/fd/${stdinFd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return;
  }
  const end = clock.monotonic() + Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, 2 * answerMs));
  const chunk = Buffer.alloc(4096);
  let received = '';
  try {
    while ((received.match(ANSWER)?.length ?? 0) < expected && clock.monotonic() < end) {
      try {
        const length = fs.readSync(fd, chunk);
        if (length === 0) return;
        received += chunk.toString('latin1', 0, length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        sleepSync(POLL_MS);
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}
