import type { Stamped } from '../events/catalogue.js';
import { backendById, modelByKey, type State } from './state.js';

/** Ticks come every second; what is longer than this between two of them was the sleep of the machine, not the silence of a server. */
const LONGEST_TICK_MS = 2000;

/** Something of the running answer was heard. */
export function heard(state: State, event: Stamped): State {
  return { ...state, chat: { ...state.chat, silence: { ms: 0, mono: event.mono } } };
}

/** Counts the silence of the server that answers. */
export function onTick(state: State, event: Stamped): State {
  const next: State = { ...state, at: event.at, mono: event.mono };
  if (!state.chat.live) return next;
  const { ms, mono } = state.chat.silence;
  const step = Math.min(Math.max(0, event.mono - mono), LONGEST_TICK_MS);
  return { ...next, chat: { ...state.chat, silence: { ms: ms + step, mono: event.mono } } };
}

/** What the server of a model was last seen to do, for a wait that takes long. Empty: it told nothing. */
export function knownOfWait(state: State, modelKey: string): readonly string[] {
  const model = modelByKey(state, modelKey);
  const entry = model && backendById(state, model.backendId);
  if (!model || !entry) return [];
  const { status, processing, queued } = entry.check;
  const known: string[] = [];
  if (status.state === 'away') known.push(`server away: ${status.fault.message}`);
  if (status.state === 'busy') known.push('server busy');
  if (status.state === 'loading' || model.loadState === 'loading') known.push('model is being loaded');
  else if (model.loadState === 'unloaded') known.push('model not loaded yet');
  else if (model.loadState === 'loaded') known.push('model loaded');
  if (processing !== null) known.push(`${processing} in work`);
  if (queued !== null && queued > 0) known.push(`${queued} waiting`);
  return known;
}
