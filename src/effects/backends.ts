import type { Backend, BackendAddress, BackendType } from '../backends/backend.js';
import { discover, identify } from '../backends/identify.js';
import { backendTypeOf } from '../backends/registry.js';
import { NO_FEATURES, type BackendInfo } from '../domain/model.js';
import type { EmbeddedSource } from '../engine/source.js';
import { backendId } from '../wire/address.js';
import type { BackendsOptions } from './backends-options.js';
import { backOffMs, faultOf } from './polling.js';
import { RANK, wantedServers, type Wanted } from './wanted-servers.js';
import { createWatchedServers } from './watched-servers.js';

export interface Backends {
  start(): Promise<void>;
  refresh(backendId?: string): void;
  backend(id: string): Backend | null;
  /** Adds the embedded engine, which was installed meanwhile. */
  addEmbedded(): void;
  /** Adds the mock, when the user takes it for want of a server. */
  addMock(): void;
  /**
   * Watches one more server from now on, in the place of what is watched at that address. `kind`: named by the user, who is believed;
   * `detected`: what it was a moment ago, so that it need not be asked again.
   */
  add(added: AddedServer): void;
  /** Puts a server whose program is on this machine into the list, at its usual place, unless another one stands there. */
  addInstalled(type: BackendType): void;
  /** Ends the watching of an address and takes it out of the list. */
  remove(url: string): void;
  stop(): void;
}

export interface AddedServer {
  readonly address: BackendAddress;
  readonly kind: string | null;
  readonly detected: string | null;
  /** Stands in the configuration; otherwise it is there for this run only. */
  readonly kept: boolean;
}

/** Behind those that were there at the start. */
const ADDED_RANK = 50;
/** How often the default ports are looked at again: often while nothing answers, else seldom. */
const SEARCH_AGAIN_MS = { alone: 4000, found: 20_000 } as const;

/** Finds servers, tells their kind, and watches each of them. */
export function createBackends(options: BackendsOptions): Backends {
  const { ports, publish } = options;
  const { clock } = ports;
  const abort = new AbortController();
  /** Addresses that are named, or watched already. */
  const taken = new Set<string>();
  const servers = createWatchedServers(options, abort.signal, taken);
  const { all: watched, tellFound, watch, isStill } = servers;
  /** Ends the search for the kind of a named address. */
  const identifying = new Map<string, AbortController>();
  /** Pauses between two tries; F5 ends them. */
  const pauses = new Set<() => void>();
  let rank = 0;
  let added = 0;

  /** A server that was named: shown at once, its kind found out as soon as it answers. */
  async function watchNamed({ address, kind, rank: atRank }: Wanted, showAtOnce = false): Promise<void> {
    taken.add(address.url);
    const own = new AbortController();
    identifying.set(address.url, own);
    const signal = AbortSignal.any([abort.signal, own.signal]);
    const type = kind === null ? null : backendTypeOf(kind);
    if (type) {
      identifying.delete(address.url);
      return watch(type, address, true, atRank, true);
    }
    const remembered = rememberedAt(address.url);
    if (remembered !== null) {
      identifying.delete(address.url);
      watch(remembered, address, true, atRank);
      // Since the earlier run another server may have taken its place, and answer this kind's questions, too.
      await isStill(remembered, address, backendId(remembered.kind, address.url), true, atRank);
      return;
    }
    const unidentified = unidentifiedServer(address.url);
    let shown = showAtOnce;
    if (shown) tellFound(unidentified, true, atRank);
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const found = backendTypeOf(await identify(address, signal, clock));
        if (signal.aborted) return;
        if (shown) publish({ type: 'backend.removed', backendId: unidentified.id });
        identifying.delete(address.url);
        if (found) watch(found, address, true, atRank);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = backOffMs(failures, Math.random);
        if (!shown) tellFound(unidentified, true, atRank);
        publish({
          type: 'backend.lost',
          backendId: unidentified.id,
          fault: faultOf(error),
          nextTryMs: clock.now() + delayMs,
        });
        if (!shown) firstAnswered(address.url);
        shown = true;
        await pause(delayMs, signal);
      }
    }
  }

  /** What an earlier run found at an address, when its list is kept: it is shown at once. */
  function rememberedAt(url: string): BackendType | null {
    const info = options.known.find((k) => k.info.url === url)?.info;
    const type = info && backendTypeOf(info.kind);
    return type?.recognises && backendId(type.kind, url) === info?.id ? type : null;
  }

  /** Stops what is watched at an address. Returns the ids under which it stands in the list. */
  function forget(url: string): readonly string[] {
    const searched = identifying.get(url);
    searched?.abort();
    identifying.delete(url);
    taken.delete(url);
    const ids = searched ? [unidentifiedServer(url).id] : [];
    return [...ids, ...servers.forget(url)];
  }

  const firstAnswers = new Map<string, () => void>();
  /** The first answer, or refusal, of a named server: the search is over when all have it. */
  function firstAnswered(url: string): void {
    firstAnswers.get(url)?.();
    firstAnswers.delete(url);
  }

  async function search(): Promise<number> {
    const found = await discover(abort.signal, clock);
    let fresh = 0;
    for (const { kind, url } of found) {
      const type = backendTypeOf(kind);
      if (!type || taken.has(url)) continue;
      watch(type, { url, key: null }, false, RANK.found + rank++);
      fresh++;
    }
    return fresh;
  }

  async function searchAgain(): Promise<void> {
    while (!abort.signal.aborted) {
      await pause(watched.size === 0 ? SEARCH_AGAIN_MS.alone : SEARCH_AGAIN_MS.found, abort.signal);
      if (!abort.signal.aborted && options.focused()) await search().catch(() => 0);
    }
  }

  /** Servers that an earlier run found: in the list at once; those that do not answer stay there as away. */
  function watchRemembered(): void {
    for (const { info } of options.known) {
      const type = backendTypeOf(info.kind);
      if (!type || taken.has(info.url) || !isDefaultPlace(type, info.url)) continue;
      watch(type, { url: info.url, key: null }, false, RANK.found + rank++);
    }
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const cancel = clock.after(ms, finish);
      function finish(): void {
        cancel();
        signal.removeEventListener('abort', finish);
        pauses.delete(finish);
        done();
      }
      pauses.add(finish);
      signal.addEventListener('abort', finish);
    });
  }

  function addEmbedded(): void {
    const type = options.embedded && backendTypeOf('embedded');
    if (type && !watched.has(type.kind)) watch(type, { url: '', key: null }, true, RANK.embedded, true);
  }

  /** Another dashboard, or `lmapp engine install`, may install it while this one runs. */
  async function awaitEmbedded(source: EmbeddedSource): Promise<void> {
    while (!abort.signal.aborted && !watched.has('embedded')) {
      if (source.version() !== null) return addEmbedded();
      await pause(SEARCH_AGAIN_MS.alone, abort.signal);
    }
  }

  function addMock(): void {
    const type = backendTypeOf('mock');
    if (type) watch(type, { url: '', key: null }, true, RANK.mock);
  }

  return {
    async start() {
      if (options.mock) {
        addMock();
        publish({ type: 'backends.searched', found: 1 });
        return;
      }
      if (options.embedded?.wanted === true) addEmbedded();
      if (options.embedded) void awaitEmbedded(options.embedded.source);
      const named = wantedServers(options);
      const answered = named.map(
        (w) =>
          new Promise<void>((done) => {
            firstAnswers.set(w.address.url, done);
            void watchNamed(w).finally(done);
          }),
      );
      if (options.discovery) {
        watchRemembered();
        await search().catch(() => 0);
        void searchAgain();
      }
      await Promise.all(answered);
      if (!abort.signal.aborted) publish({ type: 'backends.searched', found: watched.size });
    },
    refresh(id) {
      if (id !== undefined) return watched.get(id)?.polling.refresh();
      for (const { polling } of watched.values()) polling.refresh();
      // Those whose kind is not known yet, and the search at the default ports.
      for (const finish of [...pauses]) finish();
      if (options.discovery && !options.mock) void search().catch(() => 0);
    },
    backend: (id) => watched.get(id)?.backend ?? null,
    addEmbedded,
    addMock,
    add({ address, kind, detected, kept }) {
      const before = forget(address.url);
      const atRank = (kept ? RANK.configured : RANK.url) + ADDED_RANK + added++;
      const type = kind === null ? backendTypeOf(detected ?? '') : null;
      if (type) watch(type, address, true, atRank);
      else void watchNamed({ address, kind, rank: atRank }, true);
      const now = [...watched].find(([, { backend }]) => backend.info.url === address.url)?.[0];
      const unidentified = identifying.has(address.url) ? unidentifiedServer(address.url).id : null;
      for (const id of before)
        if (id !== now && id !== unidentified) publish({ type: 'backend.removed', backendId: id });
    },
    addInstalled(type) {
      // One of its kind is enough: it is started where that one stands.
      if ([...watched.values()].some(({ backend }) => backend.info.kind === type.kind)) return;
      const free = type.defaultPorts
        .map((port) => `http://127.0.0.1:${port}`)
        .find((place) => !taken.has(place));
      if (free !== undefined) watch(type, { url: free, key: null }, true, RANK.installed + rank++);
    },
    remove(url) {
      for (const id of forget(url)) publish({ type: 'backend.removed', backendId: id });
    },
    stop() {
      abort.abort();
      for (const { polling } of watched.values()) polling.stop();
    },
  };
}

/** Stands in the list until the kind of server is known. */
function unidentifiedServer(url: string): BackendInfo {
  return {
    id: backendId('server', url),
    kind: 'server',
    title: 'server',
    url,
    features: NO_FEATURES,
  };
}

function isDefaultPlace(type: BackendType, url: string): boolean {
  return type.defaultPorts.some((port) => url === `http://127.0.0.1:${port}`);
}
