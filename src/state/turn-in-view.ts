import type { Turn } from '../domain/chat.js';
import type { State } from './state.js';

/** The answer named by its id; else the one at the top of the transcript when that is scrolled; else the running or the last one. */
export function turnInView({ chat, view }: State, id: string | undefined): Turn | null {
  const all = chat.live ? [...chat.done, chat.live] : chat.done;
  if (id !== undefined) return all.findLast((turn) => turn.id === id) ?? null;
  const { anchor } = view;
  const held =
    anchor && all.findLast((turn) => turn.id === anchor.entryId || `${turn.id}?` === anchor.entryId);
  return held ?? all.at(-1) ?? null;
}
