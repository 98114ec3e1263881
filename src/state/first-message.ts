import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { waitsForModel, withMessageBack } from './set-up.js';
import { backendById, modelByKey, type State } from './state.js';

/** Servers are still looked for or have not told their models: what is sent now waits for the answer. */
export function waitsForServers({ models }: State): boolean {
  if (models.selected !== null) return false;
  return (
    !models.searched || models.backends.some(({ cached, check }) => cached && check.status.state !== 'away')
  );
}

/** A message that was sent before there was a model goes out with the first one, or back into the box when there is none. */
export function onFirstModels(
  before: State,
  state: State,
  event: Stamped,
  out: Effect[],
  send: (state: State, event: Stamped, out: Effect[]) => State,
): State {
  const { chat, models } = state;
  if (before.models === models || !models.searched || chat.live || chat.queue.length === 0) return state;
  if (models.selected === null) {
    if (waitsForServers(state) || waitsForModel(state) || !waitsForServers(before)) return state;
    return withoutModelToAsk(withMessageBack(state), event);
  }
  return isConfirmed(state) && !(before.models.searched && isConfirmed(before))
    ? send(state, event, out)
    : state;
}

/** There is nobody to put the message to: the next step. */
export function withoutModelToAsk(state: State, event: Stamped): State {
  const answers = state.models.backends.some(({ check }) => check.status.state !== 'away');
  return withNotice(
    state,
    event,
    'warn',
    'no model to ask',
    answers
      ? 'No server has a model to chat with: Ctrl+P, "pull", gets one; Ctrl+O lists all.'
      : 'Start a server ("ollama serve"), or press Ctrl+O for the list of models.',
  );
}

function isConfirmed(state: State): boolean {
  const model = modelByKey(state, state.models.selected);
  return model !== null && backendById(state, model.backendId)?.cached === false;
}
