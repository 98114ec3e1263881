import { nextModel } from '../state/fallback.js';
import type { State } from '../state/state.js';
import type { Keymap } from './keymap.js';

let last: { readonly deps: readonly unknown[]; readonly offer: string | null } | null = null;

/** `F6 asks mistral:7b on ollama`, when the last answer could not start and there is somewhere to go; null otherwise. */
export function fallBackOffer(state: State, keymap: Keymap): string | null {
  const { live, done, dropped } = state.chat;
  const turn = done.at(-1);
  if (live || !turn || state.settings.fallback.length === 0) return null;
  const deps = [turn, dropped, state.models, state.settings, state.hardware.machines, keymap];
  if (last?.deps.every((dep, i) => dep === deps[i]) === true) return last.offer;
  const asked = nextModel(state, turn)?.asked;
  const offer = asked
    ? `${keymap.keyOf('turn.fall-back')} asks ${asked.modelLabel} on ${asked.backendTitle}`
    : null;
  last = { deps, offer };
  return offer;
}
