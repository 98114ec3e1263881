import type { Model } from '../domain/model.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Command, Commands } from './command.js';
import { contextTokensOf } from './context.js';
import type { Effect } from './effect.js';
import { fitOfModel, withModels } from './models.js';
import { withNotice } from './notices.js';
import { backendById, modelByKey, type Question, type State } from './state.js';
import { askToRemove } from './server-commands.js';
import { openOverlay, withView } from './view.js';

/** What is done with servers and their models. */
export const MODEL_COMMANDS: Commands = {
  'model.use': (state, event, out) => onModel(state, event, (model) => useModel(state, event, model, out)),
  'model.load': (state, event, out) =>
    onModel(state, event, (model) => load(state, event, model, out, false)),
  'model.load-anyway': (state, event, out) =>
    onModel(state, event, (model) => load(state, event, model, out, true)),
  'model.unload': (state, event, out) => onModel(state, event, (model) => unload(state, event, model, out)),
  'model.details': (state, event) => {
    const server = event.argument ?? (state.view.pane === 'models' ? state.models.cursor : null);
    if (server !== null && backendById(state, server)) return openOverlay(state, 'details', server);
    return onModel(state, event, (model) => openOverlay(state, 'details', model.key));
  },
  'server.fold': onFold,
  'row.delete': (state, event) => {
    const row = event.argument ?? state.models.cursor;
    const server = backendById(state, row ?? '');
    return server
      ? askToRemove(state, event, server)
      : onModel(state, { ...event, ...(row === null ? {} : { argument: row }) }, (model) =>
          deleteModel(state, event, model),
        );
  },
};

export function isTooLarge(state: State, model: Model): boolean {
  return model.loadState === 'unloaded' && fitOfModel(state, model).verdict === 'short';
}

export function tooLarge(
  state: State,
  model: Model,
  verb: string,
  go: AppEvent,
  leave: AppEvent | null,
): Question {
  const fit = fitOfModel(state, model);
  return {
    title: 'More than the free memory',
    lines: [
      `${model.label} needs about ${gigabytes(fit.neededBytes)}, free are ${gigabytes(fit.freeBytes)}.`,
      'Loading it may push other programs out of memory.',
    ],
    choices: [
      { key: 'n', label: 'leave it', event: leave },
      { key: 'y', label: `load and ${verb}`, event: go },
      { key: 'm', label: 'another model', event: { type: 'command.invoked', command: 'model.pick' } },
    ],
  };
}

function useModel(state: State, event: Command, model: Model, out: Effect[]): State {
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

function load(state: State, event: Command, model: Model, out: Effect[], anyway: boolean): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.load)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} loads its model itself`,
      null,
    );
  if (model.loadState === 'loaded' || state.models.loading.has(model.key))
    return withNotice(
      state,
      event,
      'info',
      `${model.label} is ${model.loadState === 'loaded' ? 'loaded' : 'being loaded'} already`,
      null,
    );
  if (!anyway && isTooLarge(state, model))
    return openOverlay(
      state,
      'question',
      model.key,
      tooLarge(
        state,
        model,
        'keep it',
        { type: 'command.invoked', command: 'model.load-anyway', argument: model.key },
        null,
      ),
    );
  out.push({ type: 'model.load', key: model.key, pin: false, contextTokens: contextTokensOf(state, model) });
  return state;
}

function unload(state: State, event: Command, model: Model, out: Effect[]): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.unload)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} keeps its model`,
      'It is unloaded when the server stops.',
    );
  if (model.loadState === 'unloaded')
    return withNotice(state, event, 'info', `${model.label} is not loaded`, null);
  out.push({ type: 'model.unload', key: model.key });
  return state;
}

function deleteModel(state: State, event: Command, model: Model): State {
  const title = backendById(state, model.backendId)?.info.title ?? 'this server';
  return withNotice(state, event, 'info', `${title} deletes no models`, null);
}

/** The model named by the command, else the one under the cursor of the models pane, else the selected one. */
function onModel(state: State, event: Command, run: (model: Model) => State): State {
  const key = event.argument ?? (state.view.pane === 'models' ? state.models.cursor : state.models.selected);
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

function gigabytes(bytes: number | null): string {
  return bytes === null ? '—' : `${(bytes / 1e9).toFixed(1)} GB`;
}
