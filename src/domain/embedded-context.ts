import type { LocalModelFile } from './model-file.js';

const DEFAULT_TOKENS = 4096;

/** The context that the embedded engine gives a model for which none was chosen, in tokens. */
export function embeddedContext({ contextMax }: Pick<LocalModelFile, 'contextMax'>): number {
  return Math.min(DEFAULT_TOKENS, contextMax ?? DEFAULT_TOKENS);
}
