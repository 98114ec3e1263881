import { formatBytes, formatCount, formatPercent, formatRoughBytes } from '../../widgets/text/format.js';
import type { Fit } from '../domain/fit.js';
import type { FitTerm } from '../domain/fit-terms.js';
import { roundedTerms, TERM_WORDS } from '../domain/fit-words.js';
import type { Model } from '../domain/model.js';
import { nearestLoad } from '../domain/past-loads.js';
import { fitOfModel, largestContextOf } from '../state/fit.js';
import { machineOfBackend } from '../state/machines.js';
import { detailsId } from '../state/model-life.js';
import type { State } from '../state/state.js';

type Fact = readonly [name: string, value: string];

/** The check of the memory, term by term. */
export function fitFacts(state: State, model: Model): readonly Fact[] {
  const fit = fitOfModel(state, model);
  const { context, neededBytes, margin, probably } = fit;
  return [
    ['fits', verdictOf(state, model, fit)],
    ['with a context of', `${formatCount(context.tokens)} tokens, ${context.source}`],
    ['keys and values as', 'f16, assumed'],
    ['needs', neededBytes === null ? '—' : `${sizeOf(neededBytes, probably)}${marginOf(margin, probably)}`],
    ...roundedTerms(fit).map((term): Fact => [`  ${TERM_WORDS[term.name]}`, termOf(term, probably)]),
    ['free now', freeOf(fit)],
    ['largest that fits', largestOf(largestContextOf(state, model))],
    ['last time', lastTime(state, model, context.tokens)],
  ];
}

function termOf({ name, bytes, source }: FitTerm, probably: boolean): string {
  if (bytes === null) return `— (${source})`;
  const size = name === 'learned' ? `${bytes > 0 ? '+' : ''}${formatBytes(bytes)}` : sizeOf(bytes, probably);
  return `${size}, ${source}`;
}

function verdictOf(state: State, model: Model, { verdict, probably, missingBytes, freeBytes }: Fit): string {
  const likely = probably ? ', probably' : '';
  switch (verdict) {
    case 'fits':
      return `yes${likely}`;
    case 'tight':
      return `barely${likely}`;
    case 'partly':
      return `partly${likely}: the processor computes what does not go on the GPU, ${formatBytes(missingBytes)}`;
    case 'short':
      return `no: ${formatBytes(missingBytes)} are missing`;
    case 'unknown':
      if (model.remote) return '— (it runs elsewhere)';
      if (machineOfBackend(state, model.backendId) === null)
        return '— (the machine of its server is not known; "machine" of the server in the configuration names it)';
      return freeBytes === null ? '— (the free memory is not known)' : '— (its size is not told)';
  }
}

function freeOf({ freeBytes, where, evicts }: Fit): string {
  if (freeBytes === null) return '—';
  const gone = evicts.map(({ label }) => label).join(', ');
  return `${formatBytes(freeBytes)}, ${where}${gone === '' ? '' : `, once ${gone} is unloaded for it`}`;
}

function largestOf(tokens: number | null): string {
  if (tokens === null) return '—';
  return tokens === 0 ? 'none' : `≈ ${formatCount(tokens)} tokens`;
}

function lastTime(state: State, model: Model, contextTokens: number): string {
  const load = nearestLoad(state.models.loads, detailsId(model, model.key), contextTokens);
  if (!load) return '—';
  const context = `with a context of ${formatCount(load.contextTokens)}, told by ${load.source}`;
  return `${formatBytes(load.realBytes)}, estimated ${formatBytes(load.estimatedBytes)}, ${context}`;
}

function marginOf(margin: number | null, probably: boolean): string {
  if (probably) return ' at least, a part is not known';
  return margin === null ? '' : ` ± ${formatPercent(margin)}`;
}

function sizeOf(bytes: number, probably: boolean): string {
  return `≈ ${probably ? formatRoughBytes(bytes) : formatBytes(bytes)}`;
}
