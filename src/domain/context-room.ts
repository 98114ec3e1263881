/** What is left for the answer, at least: an eighth of the context, up to this. */
export const MOST_RESERVED_TOKENS = 1024;

/** Tokens that are kept free for the answer in a context of this size. `maxTokens`: the answer is cut off there; null: nowhere. */
export function reserveIn(contextTokens: number, maxTokens: number | null): number {
  return Math.min(MOST_RESERVED_TOKENS, Math.floor(contextTokens / 8), maxTokens ?? Infinity);
}

/** Whether a prompt leaves the answer its room. */
export function fits(promptTokens: number, contextTokens: number, maxTokens: number | null): boolean {
  return promptTokens + reserveIn(contextTokens, maxTokens) <= contextTokens;
}

/** Code and other scripts take twice the tokens of what an estimate was learned from. */
const MOST_OFF = 2;

/** Whether a message is so near to the end of the context that it is worth a request to have it counted. */
export function mayOverflow(
  estimatedTokens: number,
  contextTokens: number,
  maxTokens: number | null,
): boolean {
  return !fits(estimatedTokens * MOST_OFF, contextTokens, maxTokens);
}
