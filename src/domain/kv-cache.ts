import type { ModelDetails } from './model.js';

/** Keys and values are kept as 16 bit floats unless the server was told otherwise. */
const BYTES_PER_NUMBER = 2;

/**
 * Memory in bytes that one token of context takes, by the shape of the model as its server tells it: layers, heads of keys and values, and
 * the size of a head. Null when a part is missing. An upper bound: sliding windows and quantized caches take less.
 */
export function kvBytesPerToken(facts: ModelDetails['facts']): number | null {
  const count = (name: string): number | null => {
    const value = Number(facts.find(([each]) => each === name)?.[1].replace(/,/g, '') ?? NaN);
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  };
  const layers = count('layers');
  const heads = count('heads');
  const kvHeads = count('heads of keys and values');
  const embedding = count('embedding');
  const headSize = count('head size') ?? (embedding !== null && heads !== null ? embedding / heads : null);
  if (layers === null || kvHeads === null || headSize === null) return null;
  return 2 * layers * kvHeads * headSize * BYTES_PER_NUMBER;
}
