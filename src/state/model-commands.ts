import { formatBytes } from '../../widgets/text/format.js';
import { insteadOf } from '../domain/model-life-words.js';
import type { Model } from '../domain/model.js';
import type { Stamped } from '../events/catalogue.js';
import type { Command, Commands } from './command.js';
import { contextTokensOf } from './context.js';
import type { Effect } from './effect.js';
import { askDetails } from './model-life.js';
import { askBeforeLoad, isTooLarge } from './load-question.js';
import { withNotice } from './notices.js';
import { OWN_SERVER_COMMANDS } from './own-servers.js';
import { askToRemove } from './server-commands.js';
import { keyOf, PULL_COMMANDS, resumePull } from './pull-commands.js';
import { stopPull } from './pull-events.js';
import { askShape, willBeTold } from './shapes.js';
import { backendById, modelByKey, pullById, withModels, type State } from './state.js';
import { openOverlay, withView } from './view.js';

/** What is done with servers and their models. */
export const MODEL_COMMANDS: Commands = {
  ...PULL_COMMANDS,
  ...OWN_SERVER_COMMANDS,
  'model.use': (state, event, out) => {
    const pull = pullById(state, keyOf(state, event));
    return pull
      ? resumePull(state, event, pull, out)
      : onModel(state, event, (model) => useModel(state, event, model, out));
  },
  'model.load': (state, event, out) => onModel(state, event, (model) => loadModel(state, event, model, out)),
  'model.unload': (state, event, out) => onModel(state, event, (model) => unload(state, event, model, out)),
  'model.pin': (state, event, out) => onModel(state, event, (model) => pin(state, event, model, out)),
  'model.delete-anyway': (state, event, out) =>
    onModel(state, event, (model) => {
      out.push({ type: 'model.delete', key: model.key });
      return withModels(state, { deleting: new Set(state.models.deleting).add(model.key) });
    }),
  'model.details': onDetails,
  'server.fold': onFold,
  'row.delete': (state, event, out) => {
    const row = event.argument ?? state.models.cursor;
    const pull = pullById(state, row);
    if (pull) return stopPull(state, pull, out);
    const server = backendById(state, row ?? '');
    return server
      ? askToRemove(state, event, server)
      : onModel(state, { ...event, ...(row === null ? {} : { argument: row }) }, (model) =>
          askToDelete(state, event, model),
        );
  },
};

export function useModel(state: State, event: Command, model: Model, out: Effect[]): State {
  if (!model.chat) return withNotice(state, event, 'warn', `${model.label} is not a chat model`, null);
  out.push({ type: 'model.remember', key: model.key });
  const chosen = withModels(state, {
    selected: model.key,
    chosen: true,
    cursor: model.key,
    recent: [model.key, ...state.models.recent.filter((k) => k !== model.key)].slice(0, 20),
  });
  const next = withView(chosen, { pane: 'message' });
  return state.chat.live
    ? withNotice(next, event, 'info', `${model.label} answers the next message`, null)
    : next;
}

/** Loads a model; asks first when it will not fit, which only its server can tell of most. */
export function loadModel(
  state: State,
  event: Stamped,
  model: Model,
  out: Effect[],
  { anyway, pin: pinned }: { readonly anyway: boolean; readonly pin: boolean } = {
    anyway: false,
    pin: false,
  },
): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.load)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} cannot be told to load a model`,
      insteadOf('load', backend?.info.kind ?? ''),
    );
  const loaded = model.loadState === 'loaded';
  if ((loaded && !pinned) || state.models.loading.has(model.key))
    return withNotice(
      state,
      event,
      'info',
      `${model.label} is ${loaded && !pinned ? 'loaded' : 'being loaded'} already`,
      null,
    );
  if (!anyway && isTooLarge(state, model)) return askBeforeLoad(state, model, { pin: pinned, send: null });
  if (!anyway && willBeTold(state, model)) {
    const sinceMono = state.models.afterDetails.get(model.key)?.sinceMono ?? event.mono;
    const afterDetails = new Map(state.models.afterDetails).set(model.key, { pin: pinned, sinceMono });
    return withModels(askDetails(state, model, out), { afterDetails });
  }
  out.push({ type: 'model.load', key: model.key, pin: pinned, contextTokens: contextTokensOf(state, model) });
  return askShape(state, model, out);
}

function unload(state: State, event: Command, model: Model, out: Effect[]): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.unload)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} cannot be told to unload a model`,
      insteadOf('unload', backend?.info.kind ?? ''),
    );
  if (model.loadState === 'unloaded')
    return withNotice(state, event, 'info', `${model.label} is not loaded`, null);
  out.push({ type: 'model.unload', key: model.key });
  return state;
}

/** Loaded until it is unloaded by hand; a model that is loaded gets no time limit any more. */
function pin(state: State, event: Command, model: Model, out: Effect[]): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.pin)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} decides by itself how long a model stays`,
      backend?.info.features.load ? 'l loads it for as long as the server keeps it.' : null,
    );
  if (model.loadState === 'loaded' && model.expiry === 'never')
    return withNotice(state, event, 'info', `${model.label} stays loaded already`, 'u unloads it.');
  return loadModel(state, event, model, out, { anyway: false, pin: true });
}

function askToDelete(state: State, event: Command, model: Model): State {
  const { info } = backendById(state, model.backendId) ?? { info: null };
  if (!info?.features.delete)
    return withNotice(
      state,
      event,
      'info',
      `${info?.title ?? 'this server'} deletes no models`,
      insteadOf('delete', info?.kind ?? ''),
    );
  if (state.models.deleting.has(model.key))
    return withNotice(state, event, 'info', `${model.label} is being deleted already`, null);
  const live = state.chat.live?.modelKey === model.key;
  return openOverlay(state, 'question', model.key, {
    title: 'Delete a model',
    lines: [
      `Delete ${model.name} (${formatBytes(model.sizeBytes)}) from ${`${info.title} ${info.url}`.trimEnd()}?`,
      ...(live ? ['It answers right now.'] : model.loadState === 'loaded' ? ['It is loaded.'] : []),
      info.features.pull ? 'To have it again it must be pulled again.' : 'The server cannot fetch it again.',
    ],
    choices: [
      { key: 'n', label: 'keep it', event: null },
      {
        key: 'y',
        label: 'delete it',
        event: { type: 'command.invoked', command: 'model.delete-anyway', argument: model.key },
      },
    ],
  });
}

/** What the list tells is there at once; what only the server tells is asked for, unless it is known for this very file. */
function onDetails(state: State, event: Command, out: Effect[]): State {
  const key = event.argument ?? (state.view.pane === 'models' ? state.models.cursor : null);
  if (key !== null && (backendById(state, key) || pullById(state, key)))
    return openOverlay(state, 'details', key);
  return onModel(state, event, (model) => openOverlay(askDetails(state, model, out), 'details', model.key));
}

/** The model named by the command, else the one under the cursor of the models pane, else the selected one. */
function onModel(state: State, event: Command, run: (model: Model) => State): State {
  const key = keyOf(state, event);
  const model = modelByKey(state, key);
  if (model) return run(model);
  return key !== null && backendById(state, key)
    ? onFold(state, { ...event, argument: key })
    : withNotice(state, event, 'info', 'no model there', null);
}

function onFold(state: State, event: Command): State {
  const key = event.argument ?? state.models.cursor ?? '';
  if (!backendById(state, key)) return state;
  const folded = new Set(state.models.folded);
  if (!folded.delete(key)) folded.add(key);
  return withModels(state, { folded });
}
