import type { Backend, BackendAddress, BackendPorts, BackendType } from '../backends/backend.js';
import { identify } from '../backends/identify.js';
import { backendTypeOf } from '../backends/registry.js';
import type { BackendInfo, Model } from '../domain/model.js';
import type { BackendsOptions } from './backends-options.js';
import { startPolling, type Polling } from './polling.js';
import { originOf } from './wanted-servers.js';

interface Watched {
  readonly backend: Backend;
  readonly polling: Polling;
}

/** The servers that are asked again and again, by id. */
export interface WatchedServers {
  readonly all: ReadonlyMap<string, Watched>;
  tellFound(backend: BackendInfo, fixed: boolean, atRank: number): void;
  /** `kindIsGiven`: the user named it, who is believed. */
  watch(
    type: BackendType,
    address: BackendAddress,
    fixed: boolean,
    atRank: number,
    kindIsGiven?: boolean,
  ): void;
  /** Asks what stands at an address; false when something else does, which then takes its place. */
  isStill(
    type: BackendType,
    address: BackendAddress,
    id: string,
    fixed: boolean,
    atRank: number,
  ): Promise<boolean>;
  /** Ends the watching of an address. Returns the ids under which it stood. */
  forget(url: string): readonly string[];
}

/** `taken` gets the addresses that are watched. */
export function createWatchedServers(
  options: BackendsOptions,
  signal: AbortSignal,
  taken: Set<string>,
): WatchedServers {
  const { ports, publish } = options;
  const { clock } = ports;
  const backendPorts: BackendPorts = {
    ...clock,
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
    ...(options.embedded ? { embedded: options.embedded.source } : {}),
  };
  const watched = new Map<string, Watched>();

  function tellFound(backend: BackendInfo, fixed: boolean, atRank: number): void {
    publish({ type: 'backend.found', backend, fixed, rank: atRank, origin: originOf(atRank) });
  }

  function watch(
    type: BackendType,
    address: BackendAddress,
    fixed: boolean,
    atRank: number,
    kindIsGiven = false,
  ): void {
    const known = options.known.find(({ info }) => info.url === address.url && info.kind === type.kind);
    const backend = type.create(address, {
      ...backendPorts,
      limits: options.limitsFor(address.url),
      ...(known && { known: known.models }),
    });
    const { id } = backend.info;
    if (watched.has(id)) return backend.close();
    taken.add(address.url);
    tellFound(backend.info, fixed, atRank);
    if (known)
      publish({
        type: 'models.listed',
        backendId: id,
        models: known.models.map(unconfirmed),
        fromCache: true,
      });
    let told = JSON.stringify(backend.info);
    const polling = startPolling(backend, {
      clock,
      publish,
      focused: options.focused,
      random: Math.random,
      onAnswer() {
        const now = JSON.stringify(backend.info);
        if (now !== told) tellFound(backend.info, fixed, atRank);
        told = now;
      },
      isStillIt: () => (kindIsGiven ? Promise.resolve(true) : isStill(type, address, id, fixed, atRank)),
    });
    watched.set(id, { backend, polling });
  }

  /** Another server behind the same address takes the place of the old one, with nothing of its state. */
  async function isStill(
    type: BackendType,
    address: BackendAddress,
    id: string,
    fixed: boolean,
    atRank: number,
  ): Promise<boolean> {
    const kind = await identify(address, signal, clock).catch(() => type.kind);
    const found = backendTypeOf(kind);
    // It may have been taken out, or replaced, meanwhile.
    if (!watched.has(id)) return false;
    if (kind === type.kind || !found) return true;
    watched.get(id)?.polling.stop();
    watched.delete(id);
    publish({ type: 'backend.removed', backendId: id });
    watch(found, address, fixed, atRank);
    return false;
  }

  return {
    all: watched,
    tellFound,
    watch,
    isStill,
    forget(url) {
      const ids: string[] = [];
      for (const [id, { backend, polling }] of watched) {
        if (backend.info.url !== url) continue;
        polling.stop();
        watched.delete(id);
        ids.push(id);
      }
      return ids;
    },
  };
}

/** What the disk remembers of a model says nothing about now. */
function unconfirmed(model: Model): Model {
  return {
    ...model,
    loadState: 'unknown',
    loadProgress: null,
    memoryBytes: null,
    vramBytes: null,
    expiry: null,
  };
}
