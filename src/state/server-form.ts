import type { Edit, Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { editPrompt, EMPTY_PROMPT, type PromptState } from './prompt.js';
import { withModels, type BackendEntry, type State } from './state.js';
import { closeOverlay, openOverlay, withView } from './view.js';

/** A server that is being added: its address is typed, it is asked who it is, a key is typed when it wants one, and it is kept. */
export interface ServerForm {
  /** What Enter is for: an address, nothing (it is asked), a key, or one of the choices. */
  readonly step: 'address' | 'probing' | 'key' | 'result';
  readonly address: PromptState;
  /** As typed: a key, or `${NAME}`. Never in an event, see `secret.edited`. */
  readonly key: PromptState;
  /** What was found out last; null before, and after the address was changed. */
  readonly probe: ServerProbe | null;
}

type Probed = Stamped & { readonly type: 'server.probed' };

export type ServerProbe = Omit<Probed, 'type' | 'seq' | 'at' | 'mono'>;

export type ServerChoice = 'keep' | 'show' | 'key' | 'again' | 'address';

const EMPTY_FORM: ServerForm = { step: 'address', address: EMPTY_PROMPT, key: EMPTY_PROMPT, probe: null };

/** Folds what is typed into the form and what comes of it. */
export function updateServerForm(state: State, event: Stamped): State {
  switch (event.type) {
    case 'overlay.edited':
      return editAddress(state, event.edit);
    case 'secret.edited':
      return editKey(state, event.edit);
    case 'server.probed':
      return onProbed(state, event);
    case 'server.saved':
      return onSaved(state, event);
    default:
      return state;
  }
}

export function openServerForm(state: State): State {
  return withForm(openOverlay(state, 'server'), EMPTY_FORM);
}

/** The form that is open on top; null when there is none. */
export function serverFormOf(state: State): ServerForm | null {
  return state.view.overlays.at(-1)?.form ?? null;
}

/** The server that stands in the list with the address of the form already. */
export function listedAlready(state: State, probe: ServerProbe): BackendEntry | null {
  return state.models.backends.find((b) => b.info.url === probe.url) ?? null;
}

/** What can be done with what was found out, the likeliest first. */
export function choicesOf(state: State, { probe, key }: ServerForm): readonly ServerChoice[] {
  if (!probe) return [];
  const known = listedAlready(state, probe)?.origin === 'configuration' && key.text === '';
  if (probe.fault?.code === 'unauthorized') return ['key', known ? 'show' : 'keep', 'address'];
  if (probe.fault) return ['again', known ? 'show' : 'keep', 'address'];
  return [known ? 'show' : 'keep', 'key', 'address'];
}

function editAddress(state: State, edit: Edit): State {
  const form = serverFormOf(state);
  if (form?.step !== 'address') return state;
  return withForm(state, { ...form, address: editPrompt(form.address, edit), probe: null });
}

function editKey(state: State, edit: Edit): State {
  const form = serverFormOf(state);
  return form?.step === 'key' ? withForm(state, { ...form, key: editPrompt(form.key, edit) }) : state;
}

/** Enter. */
export function submitServer(state: State, out: Effect[]): State {
  const form = serverFormOf(state);
  if (!form || form.step === 'probing') return state;
  if (form.step !== 'result') return probe(state, form, out);
  const choices = choicesOf(state, form);
  const index = Math.min(state.view.overlays.at(-1)?.index ?? 0, choices.length - 1);
  switch (choices[index]) {
    case 'again':
      return probe(state, form, out);
    case 'key':
      return withForm(state, { ...form, step: 'key' });
    case 'show':
      return closeOverlay(pointAt(state, form.probe?.url ?? ''));
    case 'keep':
      return keep(state, form, out);
    default:
      return withForm(state, { ...form, step: 'address' });
  }
}

/** Esc: back to the address, and from there out. */
export function leaveServer(state: State): State {
  const form = serverFormOf(state);
  return form && form.step !== 'address'
    ? withForm(state, { ...form, step: 'address' })
    : closeOverlay(state);
}

/** The answer to the last question; one to an earlier address comes too late. */
function onProbed(state: State, event: Probed): State {
  const form = serverFormOf(state);
  if (form?.step !== 'probing' || form.address.text !== event.address) return state;
  const { type: _type, seq: _seq, at: _at, mono: _mono, ...found } = event;
  if (event.url === null) return withForm(state, { ...form, step: 'address', probe: found });
  const wantsKey = event.fault?.code === 'unauthorized' && keyIn(form) === null;
  return withForm(state, { ...form, step: wantsKey ? 'key' : 'result', probe: found });
}

function onSaved(state: State, event: Stamped & { readonly type: 'server.saved' }): State {
  const next = pointAt(state, event.url);
  if (event.problem === null)
    return withNotice(next, event, 'good', `${event.url} is kept in the configuration`, null);
  return withNotice(
    next,
    event,
    'warn',
    `${event.url} is used for this run, but was not kept: ${event.problem}`,
    event.hint,
  );
}

function probe(state: State, form: ServerForm, out: Effect[]): State {
  const address = form.address.text;
  if (address.trim() === '') return state;
  // A key belongs to the address for which it was typed, and goes to no other server.
  const key = form.probe?.address === address ? keyIn(form) : null;
  out.push({ type: 'server.probe', address, key });
  return withForm(state, { ...form, step: 'probing', key: key === null ? EMPTY_PROMPT : form.key });
}

function keep(state: State, form: ServerForm, out: Effect[]): State {
  const found = form.probe;
  if (!found || found.url === null) return state;
  out.push({
    type: 'server.save',
    url: found.url,
    // What was not named is found out anew at every start: behind an address there may be another server one day.
    kind: found.named ? found.kind : null,
    detected: found.kind,
    key: keyIn(form),
  });
  return closeOverlay(state);
}

/** A key that was pasted with its line break is the same key. */
function keyIn({ key }: ServerForm): string | null {
  return key.text.trim() === '' ? null : key.text.trim();
}

/** The cursor of the models pane goes to the server at this address; who was in the message goes on writing there. */
function pointAt(state: State, url: string): State {
  const entry = state.models.backends.find((b) => b.info.url === url);
  if (!entry) return state;
  const next = withModels(state, { cursor: entry.info.id });
  const toModels = state.view.pane !== 'message' && state.view.shown.includes('models');
  return toModels ? withView(next, { pane: 'models' }) : next;
}

function withForm(state: State, form: ServerForm): State {
  const top = state.view.overlays.at(-1);
  if (top?.id !== 'server') return state;
  return withView(state, { overlays: [...state.view.overlays.slice(0, -1), { ...top, form, index: 0 }] });
}
