import { formatBytes } from '../../widgets/text/format.js';
import type { Model } from '../domain/model.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { modelByKey, withModels, type DetailsEntry, type ModelsState, type State } from './state.js';

/** Details of so many models are kept; the oldest go first. */
const KEPT_DETAILS = 200;

type Ended = Stamped & { readonly type: 'model.load.ended' | 'model.unload.ended' | 'model.delete.ended' };

const VERBS: Readonly<Record<Ended['type'], string>> = {
  'model.load.ended': 'load',
  'model.unload.ended': 'unload',
  'model.delete.ended': 'delete',
};

/** Folds what happens to one model: load, unload, deletion, details. */
export function updateModel(state: State, event: Stamped, out: Effect[]): State {
  const { loading, unloading, details } = state.models;
  switch (event.type) {
    case 'model.load.started':
      return withModels(state, {
        loading: new Map(loading).set(event.key, { progress: null, source: null, sinceMono: event.mono }),
      });
    case 'model.load.progressed': {
      const load = loading.get(event.key);
      if (!load) return state;
      const { progress, source } = event;
      return withModels(state, { loading: new Map(loading).set(event.key, { ...load, progress, source }) });
    }
    case 'model.unload.started':
      return withModels(state, { unloading: new Map(unloading).set(event.key, event.mono) });
    case 'model.load.ended':
    case 'model.unload.ended':
    case 'model.delete.ended':
      return onEnded(state, event, out);
    case 'model.detailed': {
      const id = detailsId(modelByKey(state, event.key), event.key);
      // What failed does not take the place of what is known.
      const known = details.get(id)?.details ?? null;
      const entry: DetailsEntry = {
        asking: false,
        details: event.details ?? (event.fault ? known : null),
        fault: event.fault,
      };
      return withModels(state, { details: withDetails(details, id, entry) });
    }
    default:
      return state;
  }
}

/** Details belong to a file, not to a name: two names of one digest have the same. */
export function detailsId(model: Model | null, key: string): string {
  return model?.digest ?? key;
}

/** Asks for what only the server tells of a model, unless it is known for this very file or asked for already. */
export function askDetails(state: State, model: Model, out: Effect[]): State {
  const id = detailsId(model, model.key);
  const known = state.models.details.get(id);
  const settled =
    model.digest !== null && known !== undefined && known.details !== null && known.fault === null;
  if (settled || known?.asking === true) return state;
  out.push({ type: 'model.details', key: model.key });
  const entry = { asking: true, details: known?.details ?? null, fault: null };
  return withModels(state, { details: withDetails(state.models.details, id, entry) });
}

function withDetails(
  details: ModelsState['details'],
  id: string,
  entry: DetailsEntry,
): ModelsState['details'] {
  const next = new Map(details);
  next.delete(id);
  next.set(id, entry);
  for (const oldest of next.keys()) {
    if (next.size <= KEPT_DETAILS) break;
    next.delete(oldest);
  }
  return next;
}

function onEnded(state: State, event: Ended, out: Effect[]): State {
  const model = modelByKey(state, event.key);
  const label = model?.label ?? event.key.slice(event.key.indexOf('/') + 1);
  const next = withModels(state, over(state.models, event));
  if (model) out.push({ type: 'models.refresh', backendId: model.backendId });
  if (event.fault)
    return withNotice(
      next,
      event,
      'bad',
      `could not ${VERBS[event.type]} ${label}: ${event.fault.message}`,
      event.fault.hint,
    );
  if (event.type !== 'model.delete.ended') return next;
  const freed =
    (model?.sizeBytes ?? null) === null
      ? ''
      : `, ${formatBytes(model?.sizeBytes ?? null)} on its disk are free`;
  return withNotice(next, event, 'good', `${label} is deleted${freed}`, null);
}

/** An unload or a deletion that the server took is over when the server's list says so (model-list.ts). */
function over({ loading, unloading, deleting }: ModelsState, event: Ended): Partial<ModelsState> {
  if (event.type === 'model.load.ended') {
    const left = new Map(loading);
    left.delete(event.key);
    return { loading: left };
  }
  if (event.fault === null) return {};
  if (event.type === 'model.unload.ended') {
    const left = new Map(unloading);
    left.delete(event.key);
    return { unloading: left };
  }
  const left = new Set(deleting);
  left.delete(event.key);
  return { deleting: left };
}
