import type { Fit, Verdict } from './fit.js';
import type { TermName } from './fit-terms.js';

/** What people read for the parts of an estimate. */
export const TERM_WORDS: Readonly<Record<TermName, string>> = {
  weights: 'weights',
  cache: 'keys and values',
  window: 'keys and values of windows',
  state: 'states',
  compute: 'buffers',
  runtime: 'runtime',
  projector: 'projector',
  learned: 'learned',
};

/** The verdict on a model that is still to be fetched. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  fits: 'fits',
  tight: 'tight',
  partly: 'partly',
  short: 'too large',
  unknown: '—',
};

type Bytes = (bytes: number | null) => string;

/** Why a model does not fit, in two lines: the sums, and the parts. `rough` writes a size that is only likely. */
export function fitLines(fit: Fit, label: string, exact: Bytes, rough: Bytes): readonly string[] {
  const { neededBytes, freeBytes, where, terms, context, probably } = fit;
  const bytes = probably ? rough : exact;
  const place = where === '' || where === 'memory' ? '' : ` (${where})`;
  const parts = terms.map((term) => `${TERM_WORDS[term.name]} ${bytes(term.bytes)}`);
  return [
    `${label} needs about ${bytes(neededBytes)}, free are ${exact(freeBytes)}${place}.`,
    `With a context of ${context.tokens.toLocaleString('en')} tokens (${context.source}): ${parts.join(', ')}.`,
  ];
}

/** The smaller context that is offered: a round figure. Null: none that is worth it. */
export function roundContext(tokens: number | null, below: number): number | null {
  if (tokens === null) return null;
  const round = Math.floor(tokens / 1024) * 1024;
  return round >= 1024 && round < below ? round : null;
}
