import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import type { State } from './state.js';
import { update } from './update.js';

export interface Store {
  readonly state: State;
  /** Folds an event; to be subscribed first, so that every later subscriber sees the new state. */
  receive(event: Stamped): void;
  /** Does what the event asked for; to be subscribed behind whatever shows the new state: nobody waits for a line in a log. */
  runEffects(): void;
}

/** Holds the one state. `run` does the effects that the update asked for; null: nobody does them. */
export function createStore(initial: State, run: ((effect: Effect) => void) | null): Store {
  let state = initial;
  let wanted: Effect[] = [];
  return {
    get state() {
      return state;
    },
    receive(event) {
      const effects: Effect[] = [];
      state = update(state, event, effects);
      if (run) wanted = wanted.length === 0 ? effects : wanted.concat(effects);
    },
    runEffects() {
      const effects = wanted;
      wanted = [];
      for (const effect of effects) run?.(effect);
    },
  };
}
