import type { Model } from '../domain/model.js';
import type { Effect } from './effect.js';
import { fitOfModel } from './fit.js';
import { machineOfBackend } from './machines.js';
import { askDetails, detailsId } from './model-life.js';
import { allModels, backendById, modelByKey, type State } from './state.js';

/** So many models are asked about that nobody pointed at. Each answer may have some hundred kilobytes. */
const MOST_ASKED = 60;

/** Asks for the shape of a model that is about to be loaded, so that what it takes can be compared with the estimate. */
export function askShape(state: State, model: Model, out: Effect[]): State {
  return isAsked(state, model) || !canTell(state, model) ? state : askDetails(state, model, out);
}

/** Whether its server can still tell what a model takes that is to be loaded where the free memory is known. */
export function willBeTold(state: State, model: Model): boolean {
  if (model.loadState !== 'unloaded' || !isReachable(state, model)) return false;
  const entry = state.models.details.get(detailsId(model, model.key));
  return (entry === undefined || entry.asking) && fitOfModel(state, model).freeBytes !== null;
}

/**
 * With every tick one model is asked about whose fit is shown and whose shape is not known: the one under the cursor first, then the one
 * that would answer, loaded ones, and the rest. One at a time, and never of a server whose machine nobody knows.
 */
export function askNextShape(state: State, out: Effect[]): State {
  const { details, cursor, selected } = state.models;
  if ([...details.values()].some(({ asking }) => asking)) return state;
  const wants = (model: Model | null): boolean =>
    model !== null && !isAsked(state, model) && canTell(state, model);
  const first = [modelByKey(state, cursor), modelByKey(state, selected)].find(wants);
  const all = first || details.size >= MOST_ASKED ? [] : allModels(state).filter(wants);
  const next = first ?? all.find(({ loadState }) => loadState === 'loaded') ?? all[0];
  return next ? askDetails(state, next, out) : state;
}

function isAsked(state: State, model: Model): boolean {
  return state.models.details.has(detailsId(model, model.key));
}

/** Without a digest an answer could be of another file tomorrow, and would be asked for again and again. */
function canTell(state: State, model: Model): boolean {
  return model.digest !== null && model.chat && isReachable(state, model);
}

function isReachable(state: State, model: Model): boolean {
  const entry = backendById(state, model.backendId);
  return (
    !model.remote &&
    entry !== null &&
    !entry.cached &&
    entry.check.status.state === 'ready' &&
    machineOfBackend(state, model.backendId) !== null
  );
}
