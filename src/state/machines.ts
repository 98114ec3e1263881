import { isLoopback } from '../domain/fit.js';
import { THIS_MACHINE, type MachineId } from '../domain/hardware.js';
import { backendById, modelByKey, NO_READINGS, type MachineReadings, type State } from './state.js';

/** The machine that a server runs on: this one, the one that its configuration names, or null when nobody told. */
export function machineOfBackend(state: State, backendId: string): MachineId | null {
  const entry = backendById(state, backendId);
  if (!entry) return null;
  const { url } = entry.info;
  const named = state.settings.backends.find((each) => sameAddress(each.url, url))?.machine;
  if (named !== undefined) return named;
  return isLoopback(url) ? THIS_MACHINE : null;
}

/** The machine that the pane shows: the one of the selected model's server, else this one. */
export function shownMachine(state: State): MachineId {
  const model = modelByKey(state, state.models.selected);
  return (model && machineOfBackend(state, model.backendId)) ?? THIS_MACHINE;
}

export function readingsOf(state: State, machine: MachineId | null): MachineReadings {
  return (machine === null ? undefined : state.hardware.machines.get(machine)) ?? NO_READINGS;
}

/** Ports on which the known servers of this machine answer. */
export function localPorts(state: State): readonly number[] {
  return state.models.backends.flatMap(({ info: { url } }) => {
    const port = isLoopback(url) ? /:(\d+)(?:\/|$)/.exec(url)?.[1] : undefined;
    return port === undefined ? [] : [Number(port)];
  });
}

function sameAddress(a: string, b: string): boolean {
  return a.replace(/\/+$/, '') === b.replace(/\/+$/, '');
}
