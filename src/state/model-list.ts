import type { Model } from '../domain/model.js';
import { isSameModelName } from '../domain/pull-names.js';
import type { Stamped } from '../events/catalogue.js';
import { withNotice } from './notices.js';
import { modelByKey, type BackendEntry, type ModelsState, type State } from './state.js';

/** After so long an unload that the server took has not freed the model: somebody uses it. */
const UNLOAD_PATIENCE_MS = 30_000;

/** One line for each name. Entries that are there more than once (deployments behind a proxy) are counted in the label. */
export function withoutRepeats(models: readonly Model[]): readonly Model[] {
  const counts = new Map<string, number>();
  for (const { key } of models) counts.set(key, (counts.get(key) ?? 0) + 1);
  if (counts.size === models.length) return models;
  const seen = new Set<string>();
  return models.flatMap((model) => {
    if (seen.has(model.key)) return [];
    seen.add(model.key);
    const count = counts.get(model.key) ?? 1;
    return count > 1 ? { ...model, label: `${model.label} ×${count}` } : model;
  });
}

/** Models that came, changed or went since the list was last confirmed are said once; what we did ourselves was said before. */
export function tellChanges(
  state: State,
  event: Stamped,
  entry: BackendEntry,
  models: readonly Model[],
): State {
  if (entry.cached) return state;
  const { title, kind, id } = entry.info;
  const pulled = (model: Model): boolean =>
    state.models.pulls.some(
      (pull) =>
        pull.backendId === id && pull.state === 'done' && isSameModelName(kind, pull.name, model.name),
    );
  const before = new Map(entry.models.map((model) => [model.name, model]));
  const now = new Set(models.map(({ name }) => name));
  const came = models.filter((model) => !before.has(model.name) && !pulled(model));
  const changed = models.filter((model) => hasChanged(before.get(model.name), model) && !pulled(model));
  const went = entry.models.filter(({ name, key }) => !now.has(name) && !state.models.deleting.has(key));
  let next = state;
  if (came.length > 0) next = withNotice(next, event, 'info', `${title}: new ${listed(came)}`, null);
  if (changed.length > 0)
    next = withNotice(
      next,
      event,
      'info',
      `${title}: ${listed(changed)} changed`,
      'The name holds another file now.',
    );
  if (went.length > 0) next = withNotice(next, event, 'warn', `${title}: ${listed(went)} gone`, null);
  return next;
}

/** What was under way on a server and is over now that it told its list: pulls that it lists, unloads and deletions that are done. */
export function settled(models: ModelsState, backendId: string, list: readonly Model[]): ModelsState {
  const byKey = new Map(list.map((model) => [model.key, model]));
  const ours = (key: string): boolean => key.startsWith(`${backendId}/`);
  const isUnloaded = (key: string): boolean => {
    const state = byKey.get(key)?.loadState;
    return state === undefined || state === 'unloaded';
  };
  const unloading = [...models.unloading].filter(([key]) => !ours(key) || !isUnloaded(key));
  const deleting = [...models.deleting].filter((key) => !ours(key) || byKey.has(key));
  const pulls = models.pulls.filter((pull) => pull.backendId !== backendId || pull.state !== 'done');
  if (
    unloading.length === models.unloading.size &&
    deleting.length === models.deleting.size &&
    pulls.length === models.pulls.length
  )
    return models;
  return {
    ...models,
    unloading: unloading.length === models.unloading.size ? models.unloading : new Map(unloading),
    deleting: deleting.length === models.deleting.size ? models.deleting : new Set(deleting),
    pulls: pulls.length === models.pulls.length ? models.pulls : pulls,
  };
}

/** The row under the cursor is gone: the one that took its place, else the last of its server. */
export function keptCursor(state: State, entry: BackendEntry, list: readonly Model[]): string | null {
  const { cursor } = state.models;
  const at = entry.models.findIndex(({ key }) => key === cursor);
  if (at < 0 || list.some(({ key }) => key === cursor)) return cursor;
  return list[Math.min(at, list.length - 1)]?.key ?? entry.info.id;
}

/** An unload that does not end is told, and the model is shown as what it is. */
export function tellStuckUnloads(state: State, event: Stamped): State {
  const stuck = [...state.models.unloading].filter(
    ([, sinceMono]) => event.mono - sinceMono >= UNLOAD_PATIENCE_MS,
  );
  if (stuck.length === 0) return state;
  const unloading = new Map(state.models.unloading);
  let next = state;
  for (const [key] of stuck) {
    unloading.delete(key);
    const model = modelByKey(state, key);
    if (model?.loadState === 'loaded' || model?.loadState === 'unloading')
      next = withNotice(
        next,
        event,
        'warn',
        `${model.label} is still loaded (in use?)`,
        'It goes when its last request has ended; u asks again.',
      );
  }
  return { ...next, models: { ...next.models, unloading } };
}

/** Both digests are known and differ; a server that tells none says nothing about it. */
function hasChanged(before: Model | undefined, now: Model): boolean {
  return (
    before !== undefined && before.digest !== null && now.digest !== null && before.digest !== now.digest
  );
}

function listed(models: readonly Model[]): string {
  const labels = models.map(({ label }) => label);
  return labels.length <= 3
    ? labels.join(', ')
    : `${labels.slice(0, 2).join(', ')} and ${labels.length - 2} more`;
}
