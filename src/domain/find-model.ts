import type { Model } from './model.js';

/** The model that a name means: by key, exact name, label, `kind/name`, name without its tag, or file name without its ending. */
export function findModel(all: readonly Model[], wanted: string): Model | null {
  const lower = wanted.toLowerCase();
  return (
    all.find((model) => model.key === wanted || model.name === wanted) ??
    all.find(
      (model) => model.label === wanted || `${model.backendId.split('@')[0] ?? ''}/${model.name}` === wanted,
    ) ??
    all.find(
      (model) => model.name.toLowerCase() === `${lower}:latest` || model.label.toLowerCase() === lower,
    ) ??
    all.find((model) => model.label.toLowerCase().replace(/\.gguf$/, '') === lower) ??
    null
  );
}
