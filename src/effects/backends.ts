import type {
  Backend,
  BackendAddress,
  BackendPorts,
  BackendType,
  RequestTrace,
} from '../backends/backend.js';
import { discover, identify } from '../backends/identify.js';
import { backendTypeOf, backendTypes } from '../backends/registry.js';
import { NO_FEATURES, type BackendInfo, type Model } from '../domain/model.js';
import type { BackendSetting } from '../domain/settings.js';
import { messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Ports } from '../ports.js';
import { backendId, parseAddress } from '../wire/address.js';
import { faultOf, startPolling, type Polling } from './polling.js';

/** A server as the disk remembers it. */
export interface KnownServer {
  readonly info: BackendInfo;
  readonly models: readonly Model[];
}

export interface BackendsOptions {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  /** Named by --url; they come first. */
  readonly urls: readonly string[];
  readonly configured: readonly BackendSetting[];
  readonly keyOf: (setting: BackendSetting) => string | null;
  readonly discovery: boolean;
  /** Only the mock is offered. */
  readonly mock: boolean;
  readonly focused: () => boolean;
  readonly known: readonly KnownServer[];
  /** For the debug log. */
  readonly onRequest?: (trace: RequestTrace) => void;
}

export interface Backends {
  start(): Promise<void>;
  refresh(backendId?: string): void;
  backend(id: string): Backend | null;
  /** Adds the mock, when the user takes it for want of a server. */
  addMock(): void;
  stop(): void;
}

interface Wanted {
  readonly address: BackendAddress;
  readonly kind: string | null;
  readonly rank: number;
}

const RANK = { url: 0, configured: 100, environment: 200, found: 300, mock: 900 } as const;
const IDENTIFY_BACK_OFF_MS: readonly number[] = [2000, 4000, 8000, 15_000, 30_000];
/** How often the default ports are looked at again: often while nothing answers, else seldom. */
const SEARCH_AGAIN_MS = { alone: 4000, found: 20_000 } as const;
const OLLAMA_PORT = 11434;

/** Finds servers, tells their kind, and watches each of them. */
export function createBackends(options: BackendsOptions): Backends {
  const { ports, publish } = options;
  const { clock } = ports;
  const abort = new AbortController();
  const backendPorts: BackendPorts = {
    ...clock,
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
  };
  const watched = new Map<string, { readonly backend: Backend; readonly polling: Polling }>();
  /** Addresses that are named, or watched already. */
  const taken = new Set<string>();
  let rank = 0;

  function watch(
    type: BackendType,
    address: BackendAddress,
    fixed: boolean,
    atRank: number,
    kindIsGiven = false,
  ): void {
    const backend = type.create(address, backendPorts);
    const { id } = backend.info;
    if (watched.has(id)) return backend.close();
    taken.add(address.url);
    publish({ type: 'backend.found', backend: backend.info, fixed, rank: atRank });
    const known = options.known.find((k) => k.info.id === id);
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
        if (now !== told) publish({ type: 'backend.found', backend: backend.info, fixed, rank: atRank });
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
    const kind = await identify(address, abort.signal, clock).catch(() => type.kind);
    const found = backendTypeOf(kind);
    if (kind === type.kind || !found) return true;
    watched.get(id)?.polling.stop();
    watched.delete(id);
    publish({ type: 'backend.removed', backendId: id });
    watch(found, address, fixed, atRank);
    return false;
  }

  /** A server that was named: shown at once, its kind found out as soon as it answers. */
  async function watchNamed({ address, kind, rank: atRank }: Wanted): Promise<void> {
    taken.add(address.url);
    const remembered = options.known.find((k) => k.info.url === address.url)?.info.kind ?? null;
    const type = kind === null ? null : backendTypeOf(kind);
    if (kind !== null && !type) {
      const kinds = backendTypes.map((t) => t.kind).join(', ');
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `${kind} is no kind of server`,
        hint: `Known are ${kinds}.`,
      });
      return;
    }
    if (type) return watch(type, address, true, atRank, true);
    const placeholder: BackendInfo = {
      id: backendId('server', address.url),
      kind: remembered ?? 'server',
      title: remembered ?? 'server',
      url: address.url,
      features: NO_FEATURES,
    };
    let shown = false;
    for (let failures = 0; !abort.signal.aborted; failures++) {
      try {
        const found = backendTypeOf(await identify(address, abort.signal, clock));
        if (shown) publish({ type: 'backend.removed', backendId: placeholder.id });
        if (found) watch(found, address, true, atRank);
        return;
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!shown) publish({ type: 'backend.found', backend: placeholder, fixed: true, rank: atRank });
        publish({ type: 'backend.lost', backendId: placeholder.id, fault: faultOf(error) });
        if (!shown) firstAnswered(address.url);
        shown = true;
      }
      await pause(IDENTIFY_BACK_OFF_MS[Math.min(failures, IDENTIFY_BACK_OFF_MS.length - 1)] ?? 30_000);
    }
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
      await pause(watched.size === 0 ? SEARCH_AGAIN_MS.alone : SEARCH_AGAIN_MS.found);
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

  function wanted(): readonly Wanted[] {
    const all: Wanted[] = [];
    const add = (
      text: string,
      key: string | null,
      kind: string | null,
      atRank: number,
      from: string,
      port: number,
    ): void => {
      try {
        const address = parseAddress(text, port);
        if (all.some((w) => w.address.url === address.url)) return;
        all.push({ address: { url: address.url, key }, kind: kind ?? address.kind, rank: atRank });
      } catch (error) {
        publish({
          type: 'notice.raised',
          level: 'bad',
          text: `${from}: ${messageOf(error)}`,
          hint: 'An address looks like http://127.0.0.1:8080.',
        });
      }
    };
    options.urls.forEach((url, i) => add(url, null, null, RANK.url + i, '--url', 8080));
    options.configured.forEach((setting, i) => {
      let key: string | null = null;
      try {
        key = options.keyOf(setting);
      } catch (error) {
        publish({
          type: 'notice.raised',
          level: 'bad',
          text: `backends.${i}.key: ${messageOf(error)}`,
          hint: null,
        });
      }
      add(setting.url, key, setting.kind ?? null, RANK.configured + i, `backends.${i}.url`, 8080);
    });
    const ollamaHost = ports.env['OLLAMA_HOST'];
    if (ollamaHost) add(ollamaHost, null, 'ollama', RANK.environment, 'OLLAMA_HOST', OLLAMA_PORT);
    return all;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const cancel = clock.after(ms, finish);
      function finish(): void {
        cancel();
        abort.signal.removeEventListener('abort', finish);
        done();
      }
      abort.signal.addEventListener('abort', finish);
    });
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
      const named = wanted();
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
      if (options.discovery && !options.mock) void search().catch(() => 0);
    },
    backend: (id) => watched.get(id)?.backend ?? null,
    addMock,
    stop() {
      abort.abort();
      for (const { polling } of watched.values()) polling.stop();
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

function isDefaultPlace(type: BackendType, url: string): boolean {
  return type.defaultPorts.some((port) => url === `http://127.0.0.1:${port}`);
}
