import path from 'node:path';
import { discover, identify } from '../backends/identify.js';
import { backendTypeOf } from '../backends/registry.js';
import { isAt } from '../backends/typed-address.js';
import type { BackendPorts } from '../backends/backend.js';
import { placeText, PLACE_FORMS, PLACE_SCHEMES, readPlace, type LogPlace } from '../domain/log-place.js';
import { limitsOf } from '../domain/limits.js';
import { nearestNames } from '../domain/names.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { placeOfServer, sourceName } from '../logs/server-place.js';
import type { CommandContext } from './command.js';
import { namedPlaces } from './find-backends.js';
import { listOf, type Arguments } from './options.js';

/** A log that can be read, by its name. */
export interface NamedLog {
  readonly name: string;
  readonly place: LogPlace;
}

const OWN = 'lmapp';

/**
 * The logs that --source names; without it all: the own one, what `follow` names, and those of servers. Errors: LmappError with code 2
 * for a name that there is not.
 */
export async function wantedLogs(
  context: CommandContext,
  args: Arguments,
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly NamedLog[]> {
  const wanted = listOf(args, 'source');
  const found: NamedLog[] = [];
  const add = (place: LogPlace, server: { readonly kind: string; readonly url: string } | null): void => {
    if (found.some((log) => placeText(log.place) === placeText(place))) return;
    const taken = new Set([OWN, ...found.map(({ name }) => name)]);
    found.push({ name: sourceName(place, server, taken), place });
  };
  const names = wanted.filter((text) => !isPlace(text));
  for (const text of wanted.filter(isPlace)) add(placeOf(text), null);
  if (wanted.length > 0 && names.length === 0) return found;

  const own: NamedLog = { name: OWN, place: { via: 'file', path: context.files.log } };
  if (names.length > 0 && names.every((name) => name === OWN)) return [...found, own];
  const placed = found.length;
  for (const text of settings.follow) add(placeOf(text), null);
  for (const { url, kind, log, machine } of await serversOf(context, args, settings, signal)) {
    const usual = (kind === null ? null : backendTypeOf(kind)?.logPlaces) ?? {};
    const read = await placeOfServer({ url, log, machine, usual, ports: context.ports });
    if (read?.ok) add(read.place, { kind: kind ?? 'server', url });
    else if (read) context.stderr.write(`lmapp: "log" of ${url}: ${read.reason}\n`);
  }
  const known = [own, ...found.slice(placed)];
  if (names.length === 0) return [...found.slice(0, placed), ...known];
  return [...found.slice(0, placed), ...names.map((name) => logNamed(name, known))];
}

function logNamed(name: string, known: readonly NamedLog[]): NamedLog {
  const log = known.find((each) => each.name === name);
  if (log) return log;
  const all = known.map((each) => each.name);
  const nearest = nearestNames(name, all, 1)[0];
  throw new LmappError('unknown-source', `there is no log ${name}`, {
    hint:
      nearest === undefined
        ? `There is ${all.join(', ')}; else a place: ${PLACE_FORMS}.`
        : `Did you mean ${nearest}? "lmapp logs --list" lists all.`,
    exitCode: EXIT.usage,
  });
}

interface Server {
  readonly url: string;
  readonly kind: string | null;
  readonly log: string | undefined;
  readonly machine: string | undefined;
}

/** The servers that are named, and those that answer on their usual ports. */
async function serversOf(
  { ports }: CommandContext,
  args: Arguments,
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly Server[]> {
  const portsFor = (url: string): BackendPorts => ({ ...ports.clock, limits: limitsOf(settings, url) });
  // A key is not needed to be told apart, and one that cannot be had is no reason to read no log.
  const named = namedPlaces({ urls: listOf(args, 'url'), settings, keyOf: () => null, ports });
  const kinds = named.map(async ({ address, kind }) =>
    kind === null
      ? identify(address, signal, portsFor(address.url)).catch(() => null)
      : Promise.resolve<string | null>(kind),
  );
  const searching = settings.discovery ? discover(signal, ports.clock).catch(() => []) : Promise.resolve([]);
  const told = await Promise.all(kinds);
  const servers = named.map(({ address }, i): Server => {
    const setting = settings.backends.find((each) => isAt(each, address.url));
    return { url: address.url, kind: told[i] ?? null, log: setting?.log, machine: setting?.machine };
  });
  const more = (await searching).filter(({ url }) => !servers.some((server) => server.url === url));
  return [...servers, ...more.map(({ url, kind }) => ({ url, kind, log: undefined, machine: undefined }))];
}

/** A place has a scheme or a path; anything else is a name. */
function isPlace(text: string): boolean {
  return PLACE_SCHEMES.some((scheme) => text.startsWith(scheme)) || /^~|[/\\]/.test(text);
}

function placeOf(text: string): LogPlace {
  const read = readPlace(text);
  if (!read.ok)
    throw new LmappError('usage', `${text}: ${read.reason}`, {
      hint: `A place of a log is ${PLACE_FORMS}.`,
      exitCode: EXIT.usage,
    });
  return read.place.via === 'file' && !text.startsWith('~/')
    ? { via: 'file', path: path.resolve(read.place.path) }
    : read.place;
}
