import type { Model } from './model.js';

/** What a name may be, the plainest first: key or exact name, label or `kind/name`, name without its tag, file name without its ending. */
const READINGS: readonly ((model: Model, wanted: string, lower: string) => boolean)[] = [
  (model, wanted) => model.key === wanted || model.name === wanted,
  (model, wanted) =>
    model.label === wanted || `${model.backendId.split('@')[0] ?? ''}/${model.name}` === wanted,
  (model, _wanted, lower) =>
    model.name.toLowerCase() === `${lower}:latest` || model.label.toLowerCase() === lower,
  (model, _wanted, lower) => model.label.toLowerCase().replace(/\.gguf$/, '') === lower,
];

/** All models that a name means in its plainest reading: several when several servers have it. */
export function findModels(all: readonly Model[], wanted: string): readonly Model[] {
  const found = readAs(all, wanted);
  if (found.length > 0) return found;
  // `llama.cpp/Qwen3-4B-Q4_K_M`, as it is shown: its name there is the path of a file.
  const [kind = '', ...rest] = wanted.split('/');
  const ofKind = all.filter(({ backendId }) => backendId.split('@')[0] === kind.toLowerCase());
  return readAs(ofKind, rest.join('/'));
}

function readAs(all: readonly Model[], wanted: string): readonly Model[] {
  if (wanted === '') return [];
  const lower = wanted.toLowerCase();
  for (const reads of READINGS) {
    const found = all.filter((model) => reads(model, wanted, lower));
    if (found.length > 0) return servedFirst(found);
  }
  return [];
}

/** A file that a server runs stands in the list of this machine as well, under the same name: the server is meant. */
function servedFirst(found: readonly Model[]): readonly Model[] {
  const served = found.filter(({ backendId }) => backendId !== 'embedded');
  return served.length > 0 ? served : found;
}

/** The first model that a name means. */
export function findModel(all: readonly Model[], wanted: string): Model | null {
  return findModels(all, wanted)[0] ?? null;
}
