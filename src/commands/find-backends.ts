import type { Backend, BackendAddress, BackendPorts } from '../backends/backend.js';
import { BackendError } from '../backends/backend.js';
import { discover, identify } from '../backends/identify.js';
import { backendTypeOf } from '../backends/registry.js';
import { isAt, typedAddress } from '../backends/typed-address.js';
import type { EmbeddedSource } from '../engine/source.js';
import type { Fault } from '../domain/fault.js';
import { limitsOf } from '../domain/limits.js';
import type { Model, ServerOrigin } from '../domain/model.js';
import type { BackendSetting, Settings } from '../domain/settings.js';
import { LmappError, messageOf } from '../errors.js';
import type { Ports } from '../ports.js';
import { openModelCache } from '../sessions/remembered.js';
import { fault } from '../wire/wire-error.js';

export interface FindOptions {
  readonly ports: Ports;
  readonly settings: Settings;
  /** Of --url. */
  readonly urls: readonly string[];
  readonly mock: boolean;
  /** The engine of this machine, asked when it is installed. */
  readonly embedded: EmbeddedSource | null;
  readonly keyOf: (backend: BackendSetting) => string | null;
  /** `models.json`: what was known of the servers' models the last time. */
  readonly modelsFile: string;
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

/** Where a server is to be asked. */
export interface Place {
  readonly address: BackendAddress;
  /** Named by the user. */
  readonly kind: string | null;
  readonly origin: ServerOrigin;
  /** Its key cannot be had: that is a fault of this server, and no reason to ask none. */
  readonly refused: Fault | null;
}

/**
 * Asks all servers for their models: those of --url, of the configuration, of OLLAMA_HOST, then those that are found. The order stays.
 * Errors: LmappError for an address that cannot be used.
 */
export async function askServers(options: FindOptions): Promise<readonly AskedServer[]> {
  const { signal, settings, embedded } = options;
  const clock: BackendPorts = {
    ...options.ports.clock,
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
  };
  if (options.mock) return [await askMock(clock, signal)];
  const cached = openModelCache(options.modelsFile).read() ?? [];
  const portsFor = (url: string): BackendPorts => {
    const known = cached.find(({ backend }) => backend.url === url)?.models;
    return { ...clock, limits: limitsOf(settings, url), ...(known && { known }) };
  };
  const places = namedPlaces(options);
  const named = Promise.all(places.map((place) => askPlace(place, portsFor(place.address.url), signal)));
  const found = settings.discovery ? await discover(signal, clock).catch(() => []) : [];
  const fresh = found
    .filter(({ url }) => !places.some((place) => place.address.url === url))
    .map(({ kind, url }) =>
      askPlace({ address: { url, key: null }, kind, origin: 'found', refused: null }, portsFor(url), signal),
    );
  const own = embedded && embedded.version() !== null ? [askEmbedded(embedded, clock, signal)] : [];
  return [...(await named), ...(await Promise.all(fresh)), ...(await Promise.all(own))];
}

/** Servers that were named: by --url, in the configuration, in OLLAMA_HOST. Each once. Errors: LmappError for one that cannot be used. */
export function namedPlaces({
  urls,
  settings,
  keyOf,
  ports,
}: Pick<FindOptions, 'urls' | 'settings' | 'keyOf' | 'ports'>): readonly Place[] {
  const places: Place[] = [];
  const add = (
    text: string,
    setting: BackendSetting | null,
    named: string | null,
    origin: ServerOrigin,
  ): void => {
    const { url, kind } = typedAddress(text, named);
    if (places.some((place) => place.address.url === url)) return;
    // One that stands in the configuration is that one, wherever it is named.
    const known = setting ?? settings.backends.find((each) => isAt(each, url)) ?? null;
    const { key, refused } = known ? keyOrFault(known, keyOf) : { key: null, refused: null };
    places.push({ address: { url, key }, kind: kind ?? known?.kind ?? null, origin, refused });
  };
  for (const url of urls) add(url, null, null, 'run');
  settings.backends.forEach((backend, i) =>
    withPlace(`configuration: backends[${i}]`, () =>
      add(backend.url, backend, backend.kind ?? null, 'configuration'),
    ),
  );
  const ollamaHost = ports.env['OLLAMA_HOST']?.trim();
  if (ollamaHost) withPlace('OLLAMA_HOST', () => add(ollamaHost, null, 'ollama', 'environment'));
  return places;
}

/** Nobody typed it here: without its name nobody would know which address is meant. */
function withPlace(where: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    throw new LmappError(error.code, `${where}: ${error.message}`, {
      ...(error.hint !== null && { hint: error.hint }),
      exitCode: error.exitCode,
    });
  }
}

function keyOrFault(
  setting: BackendSetting,
  keyOf: FindOptions['keyOf'],
): { readonly key: string | null; readonly refused: Fault | null } {
  try {
    return { key: keyOf(setting), refused: null };
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    return { key: null, refused: fault('unauthorized', `${error.message}.`, error.hint) };
  }
}

async function askPlace(
  { address, kind, refused }: Place,
  ports: BackendPorts,
  signal: AbortSignal,
): Promise<AskedServer> {
  if (refused)
    return { backend: null, title: kind ?? 'server', url: address.url, models: [], fault: refused };
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

/** Models that run on this machine without a server. */
export async function askEmbedded(
  embedded: EmbeddedSource,
  ports: BackendPorts,
  signal: AbortSignal,
): Promise<AskedServer> {
  return askPlace(
    { address: { url: '', key: null }, kind: 'embedded', origin: 'embedded', refused: null },
    { ...ports, embedded },
    signal,
  );
}

/** The stand-in, which needs no server. */
export async function askMock(ports: BackendPorts, signal: AbortSignal): Promise<AskedServer> {
  const backend = backendTypeOf('mock')?.create({ url: '', key: null }, ports) ?? null;
  return { backend, title: 'mock', url: '', models: (await backend?.models(signal)) ?? [], fault: null };
}

function faultOf(error: unknown): Fault {
  return error instanceof BackendError ? error.fault : fault('server-error', messageOf(error));
}

/** Why servers told no models, a line each. */
export function unanswered(servers: readonly AskedServer[]): readonly string[] {
  return servers.flatMap(({ title, url, fault }) =>
    fault ? [`${title} ${url}: ${fault.message} ${fault.hint ?? ''}`.trimEnd()] : [],
  );
}
