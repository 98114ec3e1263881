import type { Backend, BackendAddress, BackendPorts } from '../backends/backend.js';
import { BackendError } from '../backends/backend.js';
import { discover, identify } from '../backends/identify.js';
import { backendTypeOf, backendTypes } from '../backends/registry.js';
import type { Fault } from '../domain/fault.js';
import { limitsOf } from '../domain/limits.js';
import type { Model } from '../domain/model.js';
import type { BackendSetting, Settings } from '../domain/settings.js';
import { EXIT, LmappError, messageOf } from '../errors.js';
import type { Ports } from '../ports.js';
import { fault } from '../wire/wire-error.js';
import { parseAddress } from '../wire/address.js';

export interface FindOptions {
  readonly ports: Ports;
  readonly settings: Settings;
  /** Of --url. */
  readonly urls: readonly string[];
  readonly mock: boolean;
  readonly keyOf: (backend: BackendSetting) => string | null;
  readonly signal: AbortSignal;
  /** Told of every request, for --debug. */
  readonly onRequest: BackendPorts['onRequest'] | null;
}

/** A server that was asked for its models. */
export interface AskedServer {
  /** Null: not even its kind could be found out. */
  readonly backend: Backend | null;
  readonly title: string;
  readonly url: string;
  readonly models: readonly Model[];
  /** Why there are none. */
  readonly fault: Fault | null;
}

interface Place {
  readonly address: BackendAddress;
  readonly kind: string | null;
}

/** The port of an address that names none, unless its kind says otherwise. */
const DEFAULT_PORT = 8080;
const OLLAMA_PORT = 11434;

/**
 * Asks all servers for their models: those of --url, of the configuration, of OLLAMA_HOST, then those that are found. The order stays.
 * Errors: LmappError for an address or key that cannot be used.
 */
export async function askServers(options: FindOptions): Promise<readonly AskedServer[]> {
  const { signal, settings } = options;
  const clock: BackendPorts = {
    ...options.ports.clock,
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
  };
  const portsFor = (url: string): BackendPorts => ({ ...clock, limits: limitsOf(settings, url) });
  if (options.mock) return [await askMock(clock, signal)];
  const places = namedPlaces(options);
  const named = Promise.all(places.map((place) => askPlace(place, portsFor(place.address.url), signal)));
  const found = settings.discovery ? await discover(signal, clock).catch(() => []) : [];
  const fresh = found
    .filter(({ url }) => !places.some((place) => place.address.url === url))
    .map(({ kind, url }) => askPlace({ address: { url, key: null }, kind }, portsFor(url), signal));
  return [...(await named), ...(await Promise.all(fresh))];
}

function namedPlaces({ urls, settings, keyOf, ports }: FindOptions): readonly Place[] {
  const places: Place[] = [];
  const add = (text: string, key: string | null, kind: string | null): void => {
    const port = kind === 'ollama' || /^ollama\+/i.test(text) ? OLLAMA_PORT : DEFAULT_PORT;
    const address = parseAddress(text, port);
    const known = kind ?? address.kind;
    if (known !== null && backendTypeOf(known) === null) {
      const kinds = backendTypes.map((type) => type.kind).join(', ');
      throw new LmappError('backend.kind', `${known} is not a known kind of server`, {
        hint: `Known are ${kinds}.`,
        exitCode: EXIT.usage,
      });
    }
    if (places.some((place) => place.address.url === address.url)) return;
    places.push({ address: { url: address.url, key }, kind: known });
  };
  for (const url of urls) add(url, null, null);
  for (const backend of settings.backends) add(backend.url, keyOf(backend), backend.kind ?? null);
  const ollamaHost = ports.env['OLLAMA_HOST'];
  if (ollamaHost) add(ollamaHost, null, 'ollama');
  return places;
}

async function askPlace(
  { address, kind }: Place,
  ports: BackendPorts,
  signal: AbortSignal,
): Promise<AskedServer> {
  let backend: Backend | null = null;
  try {
    const type = backendTypeOf(kind ?? (await identify(address, signal, ports)));
    backend = type?.create(address, ports) ?? null;
    const models = (await backend?.models(signal)) ?? [];
    return { backend, title: type?.title ?? 'server', url: address.url, models, fault: null };
  } catch (error) {
    const title = backend?.info.title ?? kind ?? 'server';
    return { backend, title, url: address.url, models: [], fault: faultOf(error) };
  }
}

/** The stand-in, which needs no server. */
export async function askMock(ports: BackendPorts, signal: AbortSignal): Promise<AskedServer> {
  const backend = backendTypeOf('mock')?.create({ url: '', key: null }, ports) ?? null;
  return { backend, title: 'mock', url: '', models: (await backend?.models(signal)) ?? [], fault: null };
}

function faultOf(error: unknown): Fault {
  return error instanceof BackendError ? error.fault : fault('server-error', messageOf(error));
}
