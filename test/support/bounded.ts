import vm from 'node:vm';

/** Far more than any of these takes on a slow and busy machine, far less than the same with time that grows as the square of its input. */
const KILL_MS = 60_000;

/**
 * Runs `work`, which is synchronous, and throws when it had to be killed, even in the middle of a regular expression. For work on so much
 * input that a wrong order of growth would take hours: how fast the machine is then does not matter.
 */
export function bounded<T>(work: () => T): T {
  return vm.runInNewContext('work()', { work }, { timeout: KILL_MS }) as T;
}
