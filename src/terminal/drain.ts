/** Takes answers of the terminal that are still on their way, so that the shell does not get them as typed text. */
import fs from 'node:fs';
import type { Clock } from '../ports.js';
import { sleepSync } from './output.js';

const WAIT_MS = 250;
const POLL_MS = 3;
const ANSWER = /\x1b\[0n/g;

/** Waits for so many answers, in raw mode still, at most for a moment. What is typed meanwhile is lost. */
export function drainAnswers(stdinFd: number, expected: number, clock: Pick<Clock, 'monotonic'>): void {
  let fd: number;
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    fd = fs.openSync(`/proc/self/fd/${stdinFd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return;
  }
  const end = clock.monotonic() + WAIT_MS;
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
