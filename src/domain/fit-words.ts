import type { Fit, Verdict } from './fit.js';
import type { FitTerm, TermName } from './fit-terms.js';

/** What people read for the parts of an estimate. */
export const TERM_WORDS: Readonly<Record<TermName, string>> = {
  weights: 'weights',
  cache: 'keys and values',
  window: 'window keys and values',
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

/** What is smaller is written in megabytes. */
const SHOWN_IN_GB = 99.5e6;
const TENTH_OF_GB = 1e8;

/**
 * The terms rounded to the tenth of a gigabyte that they are shown with, so that they add up to the sum as it is shown: each for itself
 * they may be off by one or two tenths.
 */
export function roundedTerms({ terms, neededBytes, probably }: Fit): readonly FitTerm[] {
  if (probably || neededBytes === null || neededBytes < SHOWN_IN_GB) return terms;
  const isLarge = ({ bytes }: FitTerm): boolean => Math.abs(bytes ?? 0) >= SHOWN_IN_GB;
  const small = terms.reduce((sum, term) => sum + (isLarge(term) ? 0 : (term.bytes ?? 0)), 0);
  const large = terms.filter(isLarge).map((term) => {
    const tenths = (term.bytes ?? 0) / TENTH_OF_GB;
    return { term, tenths: Math.floor(tenths), rest: tenths - Math.floor(tenths) };
  });
  const wanted = Math.round(Math.round(neededBytes / TENTH_OF_GB) - small / TENTH_OF_GB);
  let left = wanted - large.reduce((sum, { tenths }) => sum + tenths, 0);
  const rounded = new Map<FitTerm, number>();
  for (const { term, tenths } of large.sort((a, b) => b.rest - a.rest))
    rounded.set(term, (tenths + (left-- > 0 ? 1 : 0)) * TENTH_OF_GB);
  return terms.map((term) => ({ ...term, bytes: rounded.get(term) ?? term.bytes }));
}

/** Why a model does not fit, in two lines: the sums, and the parts. `rough` writes a size that is only likely. */
export function fitLines(fit: Fit, label: string, exact: Bytes, rough: Bytes): readonly string[] {
  const { neededBytes, freeBytes, where, context, probably, evicts } = fit;
  const bytes = probably ? rough : exact;
  const place = where === '' || where === 'memory' ? '' : ` (${where})`;
  const gone = evicts.map((each) => each.label).join(', ');
  const once = gone === '' ? '' : ` once ${gone} is unloaded for it`;
  const parts = roundedTerms(fit).map((term) => `${TERM_WORDS[term.name]} ${bytes(term.bytes)}`);
  return [
    `${label} needs about ${bytes(neededBytes)}, free are ${exact(freeBytes)}${place}${once}.`,
    `With a context of ${context.tokens.toLocaleString('en')} tokens (${context.source}): ${parts.join(', ')}.`,
  ];
}

/** The smaller context that is offered: a round figure. Null: none that is worth it. */
export function roundContext(tokens: number | null, below: number): number | null {
  if (tokens === null) return null;
  const round = Math.floor(tokens / 1024) * 1024;
  return round >= 1024 && round < below ? round : null;
}
