import type { Stamped } from '../events/catalogue.js';
import { withNotice } from './notices.js';
import { modelByKey, type State } from './state.js';

/** Whole seconds that the server of the chosen model is to be left alone after it has refused for now (Retry-After); 0: it may be asked. */
export function secondsToWait(state: State, mono: number): number {
  const last = state.chat.done.at(-1);
  const wantedMs = last?.fault?.retryAfterMs;
  // Those of an earlier run have clocks of their own.
  if (!last || wantedMs === undefined || last.endedMono === null || last.startedMono <= 0) return 0;
  const refused = modelByKey(state, last.modelKey)?.backendId;
  if (refused === undefined || refused !== modelByKey(state, state.models.selected)?.backendId) return 0;
  return Math.max(0, Math.ceil((last.endedMono + wantedMs - mono) / 1000));
}

/** Says that nothing is sent yet; null when it may be. */
export function heldOff(state: State, event: Stamped): State | null {
  const seconds = secondsToWait(state, event.mono);
  if (seconds === 0) return null;
  const text = `not sent: this server has refused for now, and may be asked again in ${seconds} s`;
  return withNotice(state, event, 'warn', text, 'Ctrl+O chooses another model.');
}
