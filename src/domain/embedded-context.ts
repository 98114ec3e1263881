import { largestContext } from './largest-context.js';
import type { LocalModelFile } from './model-file.js';

/**
 * Chats seldom get longer, and what is reserved for a context is taken whether it is used or not. More is chosen with the setting
 * `contexts`, or when a message would not fit.
 */
const DEFAULT_TOKENS = 8192;
/** Where nothing is known of what the model takes. */
const CAUTIOUS_TOKENS = 4096;
/** Smaller ones are no use: whether there is the memory is found out by the load then. */
const LEAST_TOKENS = 2048;

/** The context in tokens that the embedded engine gives a model for which none was chosen: it fits, and is at most what the model can. */
export function embeddedContext(
  {
    contextMax,
    shape,
    sizeBytes,
  }: Pick<LocalModelFile, 'contextMax' | 'shape'> & { readonly sizeBytes: number | null },
  freeBytes: number | null,
): number {
  const most = Math.min(DEFAULT_TOKENS, contextMax ?? DEFAULT_TOKENS);
  const fits =
    shape && freeBytes !== null ? largestContext(shape, freeBytes, { fileBytes: sizeBytes, gpus: 0 }) : null;
  return Math.min(most, Math.max(LEAST_TOKENS, fits ?? CAUTIOUS_TOKENS));
}
