import type { Clock } from '../ports.js';

/**
 * What makes ids of one run unique: the time, so that they sort by it, and a random part for two that start at once. It is no secret, and
 * node:crypto takes 4 ms to load, which the first frame would wait for.
 */
export function newIdSeed(clock: Clock): string {
  return `${clock.now().toString(36)}-${Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`;
}
