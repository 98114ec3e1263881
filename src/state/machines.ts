import { isLoopback } from '../domain/fit.js';
import { THIS_MACHINE, type MachineId } from '../domain/hardware.js';
import { machineName } from '../domain/machine-name.js';
import type { BackendSetting } from '../domain/settings.js';
import { backendById, modelByKey, NO_READINGS, type MachineReadings, type State } from './state.js';

/** The machine that a server runs on: this one, the one that its configuration names, or null when nobody told. */
export function machineOfBackend(state: State, backendId: string): MachineId | null {
  const entry = backendById(state, backendId);
  if (!entry) return null;
  const { url } = entry.info;
  const named = state.settings.backends.find((each) => isAt(each, url))?.machine;
  if (named !== undefined) return named;
  return isLoopback(url) ? THIS_MACHINE : null;
}

/** The machine that the pane shows: the one of the selected model's server, else this one. */
export function shownMachine(state: State): MachineId {
  const model = modelByKey(state, state.models.selected);
  return (model && machineOfBackend(state, model.backendId)) ?? THIS_MACHINE;
}

/**
 * The host of the selected model's server when nobody tells of its machine, so that the pane shows another one; null when it is told, when
 * it is this machine, and for servers on the public net, whose machine is nobody's here.
 */
export function unwatchedHost(state: State): string | null {
  const model = modelByKey(state, state.models.selected);
  const entry = model ? backendById(state, model.backendId) : null;
  if (!model || model.remote || !entry || machineOfBackend(state, model.backendId) !== null) return null;
  const { url } = entry.info;
  return url.startsWith('https://') ? null : machineName(url);
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

/** Whether an entry of the configuration stands for the address of a server, however it is written there. */
function isAt({ url, kind }: BackendSetting, address: string): boolean {
  return placeOf(url, kind) === placeOf(address);
}

/** `host:port/prefix` with what people leave out: the scheme, the port that goes with the kind, the host of this machine. */
function placeOf(text: string, kind?: string): string {
  const found = /^(?:([a-z][\w.-]*)\+)?(?:(https?):\/\/)?([^/?#]*)([^?#]*)/i.exec(text.trim());
  const [, named, scheme, host = '', path = ''] = found ?? [];
  const usual =
    scheme === undefined
      ? (named ?? kind) === 'ollama'
        ? '11434'
        : '8080'
      : scheme.toLowerCase() === 'https'
        ? '443'
        : '80';
  const place = host.toLowerCase().replace(/^(?:0\.0\.0\.0|\*)?(?=:\d+$|$)/, '127.0.0.1');
  const port = /:\d+$/.test(place.replace(/^\[[^\]]*\]/, '')) ? '' : `:${usual}`;
  return `${place}${port}${path.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '')}`;
}
