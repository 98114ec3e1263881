import { findModel } from '../domain/find-model.js';
import { sameModels, type Model } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import type { Stamped } from '../events/catalogue.js';
import { contextTokensOf } from './context.js';
import type { Effect } from './effect.js';
import { fitOfModel } from './fit.js';
import { listIsTold, onListFailed } from './list-fault.js';
import { keptCursor, settled, tellChanges, withoutRepeats } from './model-list.js';
import { updateModel } from './model-life.js';
import { updatePulls, withoutPullsOf } from './pull-events.js';
import {
  allModels,
  backendById,
  modelByKey,
  type BackendEntry,
  type State,
  withEntry,
  withModels,
} from './state.js';
import { withNewsOver, withNotice } from './notices.js';
import { serverOfSameFile } from './preferred-server.js';

/** Folds what servers say about themselves and their models. */
export function updateModels(state: State, event: Stamped, out: Effect[]): State {
  switch (event.type) {
    case 'backends.searched':
      return preloadOnce(
        pickModel(tellUnknownModel(withModels(state, { searched: true }), event)),
        event,
        out,
      );
    case 'backend.found':
      return onFound(state, event);
    case 'backend.checked':
      return tellUnknownModel(onChecked(state, event), event);
    case 'backend.removed':
      return withModels(withNewsOver(withoutPullsOf(state, event.backendId, out), event.backendId), {
        backends: state.models.backends.filter((b) => b.info.id !== event.backendId),
      });
    case 'backend.lost':
      return tellUnknownModel(onLost(state, event), event);
    case 'models.listed':
      return onListed(listIsTold(state, event), event, out);
    case 'models.failed':
      return onListFailed(state, event);
    case 'model.remembered':
      return withModels(state, { recent: [event.key] });
    case 'loads.remembered':
      return withModels(state, { loads: event.loads });
    case 'pull.started':
    case 'pull.progressed':
    case 'pull.ended':
      return updatePulls(state, event, out);
    default:
      return updateModel(state, event, out);
  }
}

function onFound(state: State, event: Stamped & { type: 'backend.found' }): State {
  const known = backendById(state, event.backend.id);
  const entry: BackendEntry = {
    info: event.backend,
    rank: event.rank,
    origin: event.origin ?? (event.fixed ? 'run' : 'found'),
    nextTryMs: known?.nextTryMs ?? null,
    check: known?.check ?? { status: { state: 'probing' }, version: null, processing: null, queued: null },
    models: known?.models ?? [],
    cached: known?.cached ?? true,
    listFault: known?.listFault ?? null,
  };
  const others = state.models.backends.filter((b) => b.info.id !== event.backend.id);
  const backends = [...others, entry].sort((a, b) => a.rank - b.rank || (a.info.id < b.info.id ? -1 : 1));
  return withModels(state, { backends });
}

function onChecked(state: State, event: Stamped & { type: 'backend.checked' }): State {
  const entry = backendById(state, event.backendId);
  if (!entry) return state;
  const before = entry.check.status;
  let status = event.check.status;
  // "Since when" is the first time, not the last poll.
  if (status.state === 'away' && before.state === 'away') status = { ...status, sinceMs: before.sinceMs };
  const away = status.state === 'away';
  const current =
    status.state === 'away' || status.state === 'probing' ? state : withNewsOver(state, event.backendId);
  const next = withEntry(current, event.backendId, (e) => ({
    ...e,
    models: away && before.state !== 'away' ? e.models.map(forgotten) : e.models,
    check: { ...event.check, status, version: event.check.version ?? e.check.version },
    nextTryMs: event.nextTryMs ?? null,
  }));
  if (before.state === 'away' && status.state === 'ready')
    return withNotice(next, event, 'good', `${entry.info.title} is back`, null);
  if (before.state !== 'away' && status.state === 'away' && before.state !== 'probing')
    return withNotice(
      next,
      event,
      'bad',
      saidBy(entry.info.title, status.fault.message),
      status.fault.hint,
      entry.info.id,
    );
  return next;
}

function saidBy(title: string, message: string): string {
  return message.startsWith(title) ? message : `${title}: ${message}`;
}

/** What a server that is away has loaded is not known. */
function forgotten(model: Model): Model {
  return { ...model, loadState: 'unknown', loadProgress: null, expiry: null };
}

/** A server that is away stays in the tree, with its reason. */
function onLost(state: State, event: Stamped & { type: 'backend.lost' }): State {
  const { backendId, fault } = event;
  const entry = backendById(state, backendId);
  if (!entry) return state;
  const sinceMs = entry.check.status.state === 'away' ? entry.check.status.sinceMs : event.at;
  return withEntry(state, backendId, (e) => ({
    ...e,
    models: e.models.map(forgotten),
    check: { ...e.check, status: { state: 'away', fault, sinceMs }, processing: null, queued: null },
    nextTryMs: event.nextTryMs ?? null,
  }));
}

function onListed(state: State, event: Stamped & { type: 'models.listed' }, out: Effect[]): State {
  const entry = backendById(state, event.backendId);
  if (!entry || (event.fromCache && !entry.cached)) return state;
  const models = withoutRepeats(event.models);
  if (!entry.cached && sameModels(entry.models, models)) {
    const over = settled(state.models, event.backendId, models);
    return over === state.models ? state : { ...state, models: over };
  }
  let next = withEntry(state, event.backendId, (e) => ({ ...e, models, cached: event.fromCache }));
  if (!event.fromCache) {
    out.push({ type: 'models.cache' });
    next = tellUnknownModel(tellChanges(next, event, entry, models), event);
    next = { ...next, models: settled(next.models, event.backendId, models) };
  }
  next = withModels(next, { cursor: keptCursor(state, entry, models) });
  return preloadOnce(pickModel(next, entry), event, out);
}

/** The model at start: the one asked for, else the one used last, else the first that can chat. A choice of the user stays. */
function pickModel(state: State, before: BackendEntry | null = null): State {
  const { models } = state;
  const current = modelByKey(state, models.selected);
  if (models.chosen && (current !== null || models.selected === null)) return state;
  const best = models.chosen ? neighbourOf(state, before) : firstChoice(state);
  if (!best || best.key === models.selected) return state;
  // Until it is moved, the cursor stands on the model that would answer.
  const unmoved = models.cursor === null || models.cursor === models.selected;
  return withModels(state, { selected: best.key, cursor: unmoved ? best.key : models.cursor });
}

/** `preload` loads the chosen model once, as soon as its server has confirmed it and if it fits. */
function preloadOnce(state: State, event: Stamped, out: Effect[]): State {
  const model = modelByKey(state, state.models.selected);
  if (!state.settings.preload || state.models.preloaded || !model || !isConfirmed(state, model)) return state;
  const next = withModels(state, { preloaded: true });
  if (model.loadState !== 'unloaded') return next;
  const fit = fitOfModel(state, model);
  if (fit.verdict === 'short')
    return withNotice(
      next,
      event,
      'warn',
      `${model.label} was not preloaded: it needs more memory than is free`,
      'l in the models pane loads it all the same.',
    );
  out.push({ type: 'model.load', key: model.key, pin: false, contextTokens: contextTokensOf(state, model) });
  return next;
}

function firstChoice(state: State): Model | null {
  const all = allModels(state);
  const wanted = state.settings.model;
  if (wanted) {
    const named = findModel(all, wanted);
    if (named) return named;
    // With a list to fall back on, only that tells who answers instead.
    if (!state.models.searched || state.settings.fallback.length > 0) return null;
  }
  const remembered = all.find((m) => m.key === state.models.recent[0] && m.chat);
  if (remembered && !wanted && isReachable(state, remembered))
    // A server that has the same file now is better than a second copy of it in memory.
    return serverOfSameFile(state, remembered)?.model ?? remembered;
  const able = all.filter((m) => m.chat && isReachable(state, m));
  return able.find((m) => isConfirmed(state, m)) ?? able[0] ?? all.find((m) => m.chat) ?? null;
}

/** The selected model is gone: the one nearest to where it stood on its server, else any. */
function neighbourOf(state: State, before: BackendEntry | null): Model | null {
  const { selected } = state.models;
  const able = (model: Model): boolean => model.chat && isReachable(state, model);
  const at = before?.models.findIndex(({ key }) => key === selected) ?? -1;
  const list = at < 0 ? [] : (backendById(state, before?.info.id ?? '')?.models ?? []);
  const near = list.slice(at).find(able) ?? list.slice(0, at).findLast(able);
  if (near) return near;
  const all = allModels(state).filter(able);
  return all.find((m) => selected?.startsWith(`${m.backendId}/`)) ?? all[0] ?? null;
}

function isReachable(state: State, model: Model): boolean {
  return backendById(state, model.backendId)?.check.status.state !== 'away';
}

function isConfirmed(state: State, model: Model): boolean {
  return backendById(state, model.backendId)?.cached === false;
}

/** Said once, and not before every server that was found has told its models or is known to be away. */
function tellUnknownModel(state: State, event: Stamped): State {
  const wanted = state.settings.model;
  const { searched, unknownTold, backends } = state.models;
  if (!wanted || !searched || unknownTold) return state;
  if (backends.some((b) => b.cached && b.check.status.state !== 'away')) return state;
  const all = allModels(state);
  if (findModel(all, wanted)) return state;
  const near = nearestNames(
    wanted,
    all.map((m) => m.label),
  );
  const hint =
    near.length > 0 ? `Did you mean ${near.join(', ')}? Ctrl+O lists all.` : 'Ctrl+O lists all models.';
  return withNotice(
    withModels(state, { unknownTold: true }),
    event,
    'warn',
    `no server has the model ${wanted}`,
    hint,
  );
}
