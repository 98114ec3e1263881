import { faultFor } from '../domain/fault-table.js';
import type { WholeAnswer } from '../wire/read.js';
import { type BackendAddress, BackendError, type BackendPorts, type BackendType } from './backend.js';
import { BackendWire, clockOf } from './backend-wire.js';
import { errorTextOf, shorten } from './error-text.js';
import { isPage } from './recognise.js';
import { backendTypes } from './registry.js';

/** A server that was found. */
export interface FoundBackend {
  readonly kind: string;
  readonly url: string;
}

/** On loopback a server that is there answers in a few milliseconds. */
const DISCOVERY_TIMEOUT_MS = 300;
const WORDS_LIMIT = 200;

/**
 * Tells the kind of a server by the shape of its answers: never by a status alone, since portals and proxies answer 200 to anything.
 * Throws BackendError when nothing answers or it is no model server.
 */
export async function identify(
  address: BackendAddress,
  signal: AbortSignal,
  ports: BackendPorts,
  timeoutMs?: number,
  types: readonly BackendType[] = backendTypes,
): Promise<string> {
  const wire = new BackendWire(address, ports, { kind: '', title: 'The server', startCommand: '' });
  const asked = new Map<string, Promise<WholeAnswer>>();
  const probe = (path: string): Promise<WholeAnswer> => {
    const answer =
      asked.get(path) ?? wire.ask({ path, signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    asked.set(path, answer);
    return answer;
  };
  try {
    const list = await probe('/v1/models');
    for (const type of types) if (await type.recognises?.(list, probe, address.url)) return type.kind;
    throw new BackendError(
      isPage(list)
        ? faultFor('web-page')
        : faultFor('no-model-server', { place: address.url, ...wordsOf(list) }, list.status),
    );
  } finally {
    wire.close();
  }
}

/** Why it lists no models, where it says so: a gateway may want more than it was asked with. */
function wordsOf({ status, json }: WholeAnswer): { readonly words?: string } {
  const told = status >= 400 ? errorTextOf(json)?.message : undefined;
  return told ? { words: shorten(told).slice(0, WORDS_LIMIT).replace(/\.$/, '') } : {};
}

/** Looks at the default ports of this machine, all at once. Ports where nothing answers are left out. */
export async function discover(
  signal: AbortSignal,
  ports: BackendPorts,
  types: readonly BackendType[] = backendTypes,
): Promise<readonly FoundBackend[]> {
  const places = types.flatMap((type) => type.defaultPorts.map((port) => `http://127.0.0.1:${port}`));
  const late = new AbortController();
  const endLimit = clockOf(ports).after(DISCOVERY_TIMEOUT_MS, () => late.abort());
  const limit = AbortSignal.any([signal, late.signal]);
  const found = await Promise.all(
    [...new Set(places)].map(async (url): Promise<FoundBackend | null> => {
      try {
        return { kind: await identify({ url, key: null }, limit, ports), url };
      } catch {
        return null;
      }
    }),
  );
  endLimit();
  return found.filter((entry) => entry !== null);
}
