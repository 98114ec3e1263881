import type { Stamped } from '../events/catalogue.js';
import { withNewsOver, withNotice } from './notices.js';
import { backendById, withEntry, type State } from './state.js';

/** What a notice is about that says why a server, which answers otherwise, does not list its models. */
const aboutList = (backendId: string): string => `list of ${backendId}`;

/** A server that answers, but not with its list: said once for each reason, and kept with the server until it lists. */
export function onListFailed(state: State, event: Stamped & { readonly type: 'models.failed' }): State {
  const { backendId, fault } = event;
  const entry = backendById(state, backendId);
  if (!entry) return state;
  if (fault.code === 'timeout' || fault.code === 'busy')
    return withEntry(state, backendId, (e) => ({ ...e, check: { ...e.check, status: { state: 'busy' } } }));
  const next = withEntry(state, backendId, (e) => ({ ...e, listFault: fault }));
  if (entry.listFault?.message === fault.message) return next;
  const text = `${entry.info.title} does not list its models: ${fault.message}`;
  return withNotice(next, event, 'bad', text, fault.hint, aboutList(backendId));
}

/** It lists them again. */
export function listIsTold(state: State, event: Stamped & { readonly type: 'models.listed' }): State {
  const { backendId, fromCache } = event;
  if (fromCache || !backendById(state, backendId)?.listFault) return state;
  const next = withEntry(state, backendId, (e) => ({ ...e, listFault: null }));
  return withNewsOver(next, aboutList(backendId));
}
