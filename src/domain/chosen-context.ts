import type { BackendInfo, Model } from './model.js';

/**
 * The context in tokens that the configuration chooses for a model (`contexts`, by key, `kind/name`, name or label), at most what the
 * model can; null where nothing is chosen or the server does not let it be chosen.
 */
export function chosenContext(
  contexts: Readonly<Record<string, number>>,
  { kind, features }: Pick<BackendInfo, 'kind' | 'features'>,
  model: Model,
): number | null {
  if (!features.contextChoice) return null;
  const names = [model.key, `${kind}/${model.name}`, `${kind}/${model.label}`, model.name, model.label];
  const chosen = names.map((name) => contexts[name]).find((tokens) => tokens !== undefined) ?? null;
  return chosen === null || model.contextMax === null ? chosen : Math.min(chosen, model.contextMax);
}
