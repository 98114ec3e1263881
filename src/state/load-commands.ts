import type { Stamped } from '../events/catalogue.js';
import { startTurn } from './chat.js';
import type { Command, Commands } from './command.js';
import type { Effect } from './effect.js';
import { loadModel, useModel } from './model-commands.js';
import { detailsId } from './model-life.js';
import { withNotice } from './notices.js';
import { modelByKey, withModels, type PendingLoad, type State } from './state.js';

/** What the user chooses before a load that will not fit. They are about `models.pendingLoad`. */
export const LOAD_COMMANDS: Commands = {
  'load.anyway': (state, event, out) => onPending(state, (free, pending) => go(free, event, pending, out)),
  'load.smaller': (state, event, out) =>
    onPending(state, (free, pending) => smaller(free, event, pending, out)),
  'load.unload-first': (state, event, out) =>
    onPending(state, (free, pending) => unloadFirst(state, free, event, pending, out)),
  'load.instead': (state, event, out) =>
    onPending(state, (free, pending) => instead(free, event, pending, out)),
};

function onPending(state: State, run: (free: State, pending: PendingLoad) => State): State {
  const { pendingLoad } = state.models;
  return pendingLoad ? run(withModels(state, { pendingLoad: null }), pendingLoad) : state;
}

function go(state: State, event: Command, { key, pin, send }: PendingLoad, out: Effect[]): State {
  const model = modelByKey(state, key);
  if (!model) return withNotice(state, event, 'warn', 'the model is gone', null);
  if (send === null) return loadModel(state, event, model, out, { anyway: true, pin });
  return startTurn(state, event, send, out);
}

/** From now on it has the smaller context: another one in the next request would load it anew. */
function smaller(state: State, event: Command, pending: PendingLoad, out: Effect[]): State {
  const tokens = pending.smaller;
  if (tokens === null) return state;
  out.push({ type: 'settings.save', key: `contexts.${pending.key}`, value: tokens });
  const contexts = { ...state.settings.contexts, [pending.key]: tokens };
  return go({ ...state, settings: { ...state.settings, contexts } }, event, pending, out);
}

function unloadFirst(
  asked: State,
  free: State,
  event: Command,
  { unload }: PendingLoad,
  out: Effect[],
): State {
  const model = modelByKey(free, unload);
  if (!model) return withNotice(free, event, 'info', 'the other model is gone', null);
  out.push({ type: 'model.unload', key: model.key });
  // What was wanted goes on waiting.
  const again = { type: 'command.invoked', command: 'load.anyway' } as const;
  return withModels(asked, { afterUnload: { key: model.key, event: again } });
}

/** The other quantization answers from now on, or is loaded. */
function instead(
  state: State,
  event: Command,
  { pin, send, instead: key }: PendingLoad,
  out: Effect[],
): State {
  const model = modelByKey(state, key);
  if (!model) return withNotice(state, event, 'info', 'the other model is gone', null);
  if (send === null) return loadModel(state, event, model, out, { anyway: true, pin });
  return startTurn(useModel(state, event, model, out), event, send, out);
}

/** An unload that something waits for has ended. */
export function goOnAfterUnload(state: State, event: Stamped, out: Effect[]): State {
  const waiting = state.models.afterUnload;
  if (event.type !== 'model.unload.ended' || waiting?.key !== event.key) return state;
  if (event.fault === null) out.push({ type: 'event.publish', event: waiting.event });
  return withModels(state, { afterUnload: null });
}

/** A server that does not tell is not waited for any longer. */
const LONGEST_WAIT_MS = 2000;

/** Goes on with loads whose model was told of, or was not in time: what is not known keeps nobody from loading. */
export function goOnAfterDetails(state: State, event: Stamped, out: Effect[]): State {
  let next = state;
  for (const [key, { pin, sinceMono }] of state.models.afterDetails) {
    const model = modelByKey(next, key);
    const waits = model !== null && next.models.details.get(detailsId(model, key))?.asking === true;
    const isLate = event.mono - sinceMono >= LONGEST_WAIT_MS;
    if (waits && !isLate) continue;
    const left = new Map(next.models.afterDetails);
    left.delete(key);
    next = withModels(next, { afterDetails: left });
    if (model) next = loadModel(next, event, model, out, { anyway: waits, pin });
  }
  return next;
}
