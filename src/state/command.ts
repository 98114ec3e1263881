import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import type { State } from './state.js';

export type Command = Stamped & { readonly type: 'command.invoked' };

/** What commands do, by their ids. */
export type Commands = Readonly<Record<string, (state: State, event: Command, out: Effect[]) => State>>;

/** Wants something done and leaves the state as it is. */
export function effect(state: State, out: Effect[], wanted: Effect): State {
  out.push(wanted);
  return state;
}
