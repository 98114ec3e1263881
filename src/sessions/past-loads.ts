import { isPlausibleLoad, KEPT_LOADS, type PastLoad } from '../domain/past-loads.js';
import { openCache, type CacheFile } from './cache.js';

const LONGEST_TEXT = 300;

/** `loads.json`: what models really took when they were loaded. What is damaged in it is left out. */
export function openPastLoads(file: string): CacheFile<readonly PastLoad[]> {
  const cache = openCache(file, (value): value is readonly unknown[] => Array.isArray(value));
  return {
    read: () => cache.read()?.filter(isPastLoad).slice(-KEPT_LOADS) ?? null,
    write: (loads) => cache.write(loads.slice(-KEPT_LOADS)),
  };
}

function isPastLoad(value: unknown): value is PastLoad {
  if (typeof value !== 'object' || value === null) return false;
  const load = value as Readonly<Record<keyof PastLoad, unknown>>;
  const isText = (text: unknown): boolean => typeof text === 'string' && text.length <= LONGEST_TEXT;
  const figures = [load.contextTokens, load.estimatedBytes, load.realBytes, load.at];
  return (
    isText(load.model) &&
    isText(load.source) &&
    figures.every((figure) => typeof figure === 'number') &&
    isPlausibleLoad(value as PastLoad)
  );
}
