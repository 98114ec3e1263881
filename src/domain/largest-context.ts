import { fitTerms, sumOfTerms, type RunOptions } from './fit-terms.js';
import type { ModelShape } from './model-shape.js';

/** Contexts are tried in steps of this. */
export const CONTEXT_STEP = 256;
/** Tried at most where the model does not tell its own maximum. */
const MOST_TOKENS = 1_048_576;

export interface LargestOptions extends RunOptions {
  /** Stands in for the weights where the tensors are not told. */
  readonly fileBytes?: number | null;
  /** Kept free; by default what `marginOf` says. */
  readonly marginBytes?: number;
}

/** Memory that stays free when a model is said to fit: at least 1 GiB, at least 8 %. */
export function marginOf(freeBytes: number): number {
  return Math.max(1024 ** 3, 0.08 * freeBytes);
}

/**
 * The largest context in tokens (a multiple of 256, at most what the model can) with which a model fits into so many free bytes. 0: not
 * even the smallest does. Null: a part of what it takes is not known.
 */
export function largestContext(
  shape: ModelShape,
  freeBytes: number,
  { fileBytes = null, marginBytes, ...run }: LargestOptions = {},
): number | null {
  const room = freeBytes - (marginBytes ?? marginOf(freeBytes));
  return largestThatFits(shape.contextMax, (tokens) => {
    const needed = sumOfTerms(fitTerms(shape, fileBytes, tokens, run));
    return needed === null ? null : needed <= room;
  });
}

/** The largest context that passes; more context never takes less memory. Null: it cannot be told. */
export function largestThatFits(
  contextMax: number | null,
  fits: (tokens: number) => boolean | null,
): number | null {
  const most = Math.max(CONTEXT_STEP, contextMax ?? MOST_TOKENS);
  const whole = fits(most);
  if (whole === null) return null;
  if (whole) return most;
  let below = 0;
  let above = Math.ceil(most / CONTEXT_STEP);
  while (above - below > 1) {
    const middle = (above + below) >> 1;
    if (fits(middle * CONTEXT_STEP) === true) below = middle;
    else above = middle;
  }
  return below * CONTEXT_STEP;
}
