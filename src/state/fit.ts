import { fitOf, largestFit, rawEstimate, type Fit, type FitQuestion } from '../domain/fit.js';
import type { Model } from '../domain/model.js';
import { isPlausibleLoad, withLoad } from '../domain/past-loads.js';
import { evictableOf, NO_ROOM, roomOf, type Room } from '../domain/room.js';
import type { Stamped } from '../events/catalogue.js';
import { contextTokensOf } from './context.js';
import type { Effect } from './effect.js';
import { machineOfBackend, readingsOf } from './machines.js';
import { detailsId } from './model-life.js';
import { backendById, modelByKey, type State } from './state.js';

/** A real figure that differs from the last one by less is the same. */
const SAME_SHARE = 0.01;

/** Everything that the check of a model looks at. */
export function fitQuestionOf(state: State, model: Model): FitQuestion {
  return {
    model,
    kind: backendById(state, model.backendId)?.info.kind ?? '',
    details: state.models.details.get(detailsId(model, model.key))?.details ?? null,
    room: roomOfBackend(state, model.backendId),
    evictable: evictableFor(state, model),
    chosenTokens: contextTokensOf(state, model),
    loads: state.models.loads,
  };
}

/** The fit of a model on the machine of its server; unknown where nobody tells of that machine. */
export function fitOfModel(state: State, model: Model): Fit {
  const machine = readingsOf(state, machineOfBackend(state, model.backendId));
  const basis: readonly unknown[] = [
    backendById(state, model.backendId),
    state.models.details.get(detailsId(model, model.key)),
    machine.sample,
    machine.gpus,
    machine.sources,
    state.settings,
    state.models.loads,
    state.chat.live?.modelKey,
  ];
  const last = FITS.get(model);
  if (last?.basis.every((each, i) => each === basis[i])) return last.fit;
  const fit = fitOf(fitQuestionOf(state, model));
  FITS.set(model, { basis, fit });
  return fit;
}

/** Every frame asks for every model that is on the screen; what it comes from changes once a second. */
const FITS = new WeakMap<Model, { readonly basis: readonly unknown[]; readonly fit: Fit }>();

/** The largest context with which a model would fit now; null: it cannot be told, 0: with none. */
export function largestContextOf(state: State, model: Model): number | null {
  return largestFit(fitQuestionOf(state, model));
}

function roomOfBackend(state: State, backendId: string): Room {
  const machine = machineOfBackend(state, backendId);
  if (machine === null) return NO_ROOM;
  const { sample, gpus, sources } = readingsOf(state, machine);
  const settled = [...sources.values()].every(
    (source) => source.state !== 'probing' && source.state !== 'unknown',
  );
  return roomOf(sample, gpus, settled);
}

/** A model that is loaded anew gives back what it has; others go where the server sees to that and nobody uses them. */
function evictableFor(state: State, model: Model) {
  const entry = backendById(state, model.backendId);
  const own = evictableOf(model);
  const others =
    entry?.info.features.evicts === true
      ? entry.models.filter(
          ({ key, digest, expiry }) =>
            key !== model.key &&
            (digest === null || digest !== model.digest) &&
            expiry !== 'in-use' &&
            key !== state.chat.live?.modelKey,
        )
      : [];
  return [...(own ? [own] : []), ...others.flatMap((other) => evictableOf(other) ?? [])];
}

/** Keeps what a loaded model really takes beside what was estimated, once both are known. */
export function learnFromLoads(state: State, event: Stamped, out: Effect[]): State {
  if (event.type === 'models.listed' && !event.fromCache) {
    const listed = backendById(state, event.backendId)?.models ?? [];
    return listed.reduce((next, model) => learn(next, event, model, out), state);
  }
  return event.type === 'model.detailed' ? learn(state, event, modelByKey(state, event.key), out) : state;
}

function learn(state: State, event: Stamped, model: Model | null, out: Effect[]): State {
  if (model?.loadState !== 'loaded' || model.memoryBytes === null || model.contextAllocated === null)
    return state;
  const question = fitQuestionOf(state, model);
  const gpus = (model.vramBytes ?? 0) > 0 ? 1 : 0;
  const estimatedBytes = rawEstimate(question, model.contextAllocated, gpus);
  if (estimatedBytes === null) return state;
  const load = {
    model: detailsId(model, model.key),
    contextTokens: model.contextAllocated,
    estimatedBytes,
    realBytes: model.memoryBytes,
    source: backendById(state, model.backendId)?.info.title ?? 'its server',
    at: event.at,
  };
  const known = state.models.loads.find(
    (each) => each.model === load.model && each.contextTokens === load.contextTokens,
  );
  const isSame =
    known !== undefined &&
    Math.abs(known.realBytes - load.realBytes) <= SAME_SHARE * known.realBytes &&
    Math.abs(known.estimatedBytes - estimatedBytes) <= SAME_SHARE * estimatedBytes;
  if (isSame || !isPlausibleLoad(load)) return state;
  const loads = withLoad(state.models.loads, load);
  out.push({ type: 'loads.keep', loads });
  return { ...state, models: { ...state.models, loads } };
}
