import { randomBytes } from 'node:crypto';
import type { Clock } from '../ports.js';

/** What makes ids of one run unique: the time, so that they sort by it, and a random part for two that start at once. */
export function newIdSeed(clock: Clock): string {
  return `${clock.now().toString(36)}-${randomBytes(4).toString('hex')}`;
}
