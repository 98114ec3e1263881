import type { Usage } from './chat.js';
import type { Settings } from './settings.js';

/** How the next token is picked, and when an answer is cut off. Null: the server's own way; nothing is sent of it then. */
export interface Sampling {
  /** From 0 (always the likeliest token). */
  readonly temperature: number | null;
  /** A share above 0, at most 1. */
  readonly topP: number | null;
  /** A whole number from 0; the same one gives the same answer where the server can. */
  readonly seed: number | null;
  /** Tokens from 1, thinking included. */
  readonly maxTokens: number | null;
}

export const NO_SAMPLING: Sampling = { temperature: null, topP: null, seed: null, maxTokens: null };

export const SAMPLING_KEYS = ['temperature', 'topP', 'seed', 'maxTokens'] as const;

export function samplingOf({ temperature, topP, seed, maxTokens }: Settings): Sampling {
  return { temperature, topP, seed, maxTokens };
}

/** Checks what is told by a file or another process. What is no such number counts as not set. */
export function readSampling(told: unknown): Sampling {
  const raw = typeof told === 'object' && told !== null ? (told as Readonly<Record<string, unknown>>) : {};
  const number = (name: keyof Sampling, fits: (value: number) => boolean): number | null => {
    const value = raw[name];
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 && fits(value) ? value : null;
  };
  return {
    temperature: number('temperature', () => true),
    topP: number('topP', (value) => value > 0 && value <= 1),
    seed: number('seed', Number.isSafeInteger),
    maxTokens: number('maxTokens', (value) => Number.isSafeInteger(value) && value >= 1),
  };
}

/** Those that are set, under the names that a server has for them. */
export function samplingFields(
  sampling: Sampling,
  names: Readonly<Partial<Record<keyof Sampling, string>>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    SAMPLING_KEYS.flatMap((key) => {
      const name = names[key];
      const value = sampling[key];
      return name === undefined || value === null ? [] : [[name, value]];
    }),
  );
}

/** `temperature 0.7, seed 4`; empty when nothing is set. */
export function samplingText(sampling: Sampling): string {
  return SAMPLING_KEYS.flatMap((key) => (sampling[key] === null ? [] : [`${key} ${sampling[key]}`])).join(
    ', ',
  );
}

/** Whether an answer that ended at a length came to our limit; null: its tokens were not told. */
export function isOwnLimit({ maxTokens }: Sampling, { answerTokens = null }: Partial<Usage>): boolean | null {
  if (maxTokens === null) return false;
  return answerTokens === null ? null : answerTokens >= maxTokens;
}

/**
 * Why an answer ended at a length (`length` as the reason): no server tells whose limit it was. `goesOn`: these are not its first tokens.
 */
export function lengthText(sampling: Sampling, usage: Partial<Usage>, goesOn: boolean): string {
  const limit = (sampling.maxTokens ?? 0).toLocaleString('en');
  const own = isOwnLimit(sampling, usage);
  if (own === null) return `stopped at a length limit: maxTokens is ${limit}, or the context is full`;
  if (own) return `cut off ${goesOn ? `after ${limit} more` : `at ${limit}`} tokens, as maxTokens says`;
  const before = sampling.maxTokens === null ? '' : ` before maxTokens (${limit}):`;
  return `stopped${before} at the length limit of the server or at the end of the context`;
}
