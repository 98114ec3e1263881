import { placeName, readPlace, type LogPlace, type ReadPlace } from '../domain/log-place.js';
import type { Ports } from '../ports.js';
import { findPlace } from './found-place.js';

export interface ServerPlaceOptions {
  /** Address of the server. */
  readonly url: string;
  /** `log` and `machine` of its entry in the configuration. */
  readonly log: string | undefined;
  readonly machine: string | undefined;
  /** Where a server of its kind writes, by system, when that is always the same place. */
  readonly usual: Readonly<Partial<Record<NodeJS.Platform, string>>>;
  readonly ports: Ports;
  /** Ended: nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** Where the log of a server is: as configured, on the machine that is reached by ssh, or found here. Null: nobody can tell. */
export async function placeOfServer(options: ServerPlaceOptions): Promise<ReadPlace | null> {
  const { url, log, machine, usual, ports, signal } = options;
  const host = /(?:^|,\s*)ssh:([^,]+)/.exec(machine ?? '')?.[1]?.trim();
  // Machines in other rooms that run models are Linux machines, with few exceptions, and those can be configured.
  const there = host !== undefined && usual.linux !== undefined ? `ssh:${host}:${usual.linux}` : null;
  const named = log ?? there;
  if (named !== null) return readPlace(named);
  const place = await findPlace({
    url,
    usual: usual[ports.platform] ?? null,
    ports,
    ...(signal ? { signal } : {}),
  });
  return place && { ok: true, place };
}

/** A name that no other source has: the kind of the server whose log it is, its address, or that of the place. */
export function sourceName(
  place: LogPlace,
  server: { readonly kind: string; readonly url: string } | null,
  taken: ReadonlySet<string>,
): string {
  const wanted = server ? [server.kind, new URL(server.url).host] : [];
  const own = placeName(place);
  for (const name of [...wanted, own]) if (!taken.has(name)) return name;
  for (let number = 2; ; number++) if (!taken.has(`${own} ${number}`)) return `${own} ${number}`;
}
