import type { Fault } from '../domain/fault.js';
import type { BackendCheck, Model } from '../domain/model.js';
import { messageOf } from '../errors.js';
import { fault } from '../wire/wire-error.js';
import { BackendError, type Backend, type BackendAddress, type BackendPorts } from './backend.js';
import { identify } from './identify.js';
import { backendTypeOf } from './registry.js';

/** What one look at a server tells. */
export interface ServerLook {
  /** Null: nobody answers, or nobody who could be told. Whoever gets it closes it. */
  readonly backend: Backend | null;
  readonly check: BackendCheck | null;
  /** Null: not told. */
  readonly models: readonly Model[] | null;
  /** Why it cannot be used now: away, no model server, a key is missing or wrong. */
  readonly fault: Fault | null;
}

/**
 * Asks a server who it is (unless `kind` is told), how it is, and for its models. Never wakes or loads one. Never throws, except for a
 * signal that has ended.
 */
export async function lookAt(
  address: BackendAddress,
  kind: string | null,
  signal: AbortSignal,
  ports: BackendPorts,
): Promise<ServerLook> {
  let backend: Backend | null = null;
  let check: BackendCheck | null = null;
  try {
    const type = backendTypeOf(kind ?? (await identify(address, signal, ports)));
    backend = type?.create(address, ports) ?? null;
    check = (await backend?.check(signal)) ?? null;
    if (check?.status.state === 'away') return { backend, check, models: null, fault: check.status.fault };
    return { backend, check, models: (await backend?.models(signal)) ?? null, fault: null };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof BackendError ? error.fault : fault('server-error', messageOf(error));
    // A list that is not given in time, or not while a model is loaded, says nothing against a server that has just answered.
    const patient = check !== null && ['timeout', 'busy', 'loading'].includes(reason.code);
    return { backend, check, models: null, fault: patient ? null : reason };
  }
}
