import { insteadOfPull } from '../domain/pull-names.js';
import type { Command, Commands } from './command.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { beginPull } from './pull-events.js';
import type { Pull } from './pulls.js';
import { backendById, modelByKey, pullById, type BackendEntry, type State } from './state.js';
import { openOverlay } from './view.js';

/** What is done with models that a server does not have yet. */
export const PULL_COMMANDS: Commands = {
  'model.pull': openPull,
  // The argument is a key as of a model: the server's id and the name.
  'model.pull-name': (state, event, out) => {
    const key = event.argument ?? '';
    const entry = state.models.backends.find(({ info }) => key.startsWith(`${info.id}/`));
    return entry ? beginPull(state, event, entry, key.slice(entry.info.id.length + 1), out) : state;
  },
};

/** The row that a command is about: named, else under the cursor of the models pane, else the chosen model. */
export function keyOf(state: State, event: Command): string | null {
  return event.argument ?? (state.view.pane === 'models' ? state.models.cursor : state.models.selected);
}

/** The server under the cursor is offered first; where it cannot pull, the overlay says what to do instead, and offers the others. */
function openPull(state: State, event: Command): State {
  const key = keyOf(state, event);
  const id = pullById(state, key)?.backendId ?? modelByKey(state, key)?.backendId ?? key ?? '';
  const entry = backendById(state, id) ?? state.models.backends[0];
  if (!entry && state.setUp.offer) return openOverlay(state, 'catalogue');
  if (!entry)
    return withNotice(state, event, 'info', 'no server to pull to', 'Start one, e.g. with "ollama serve".');
  if (pullServers(state, null).length === 0)
    return withNotice(
      state,
      event,
      'info',
      `${entry.info.title} fetches no models by itself`,
      insteadOfPull(entry.info.kind),
    );
  return openOverlay(state, 'pull', entry.info.id);
}

/** Servers that can be told to pull, the one with this id first. */
export function pullServers(state: State, firstId: string | null): readonly BackendEntry[] {
  const able = state.models.backends.filter(({ info }) => info.features.pull);
  return [
    ...able.filter(({ info }) => info.id === firstId),
    ...able.filter(({ info }) => info.id !== firstId),
  ];
}

/** Enter on a pull that stopped goes on with it. */
export function resumePull(state: State, event: Command, pull: Pull, out: Effect[]): State {
  const entry = backendById(state, pull.backendId);
  if (!entry || pull.state !== 'stopped')
    return withNotice(
      state,
      event,
      'info',
      `${pull.name} is being pulled`,
      'x stops it, i tells its layers.',
    );
  return beginPull(state, event, entry, pull.name, out);
}
