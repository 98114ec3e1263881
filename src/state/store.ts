import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import type { State } from './state.js';
import { update } from './update.js';

/** The one place that holds the state. */
export interface Store {
  readonly state: State;
  /** Folds an event; to be subscribed first, so that every later subscriber sees the new state. */
  receive(event: Stamped): void;
}

/** Holds the one state. `run` does the effects that the update asked for, after the new state is in place. */
export function createStore(initial: State, run: (effect: Effect) => void): Store {
  let state = initial;
  return {
    get state() {
      return state;
    },
    receive(event) {
      const effects: Effect[] = [];
      state = update(state, event, effects);
      for (const effect of effects) run(effect);
    },
  };
}
