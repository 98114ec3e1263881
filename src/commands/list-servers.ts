import type { BackendPorts } from '../backends/backend.js';
import { discover } from '../backends/identify.js';
import { lookAt, type ServerLook } from '../backends/look.js';
import { isAt, typedAddress } from '../backends/typed-address.js';
import { keyOf } from '../config/secrets.js';
import type { Fault } from '../domain/fault.js';
import { limitsOf } from '../domain/limits.js';
import type { Model, ServerOrigin } from '../domain/model.js';
import type { Settings } from '../domain/settings.js';
import { EXIT } from '../errors.js';
import type { CommandContext } from './command.js';
import { namedPlaces, type Place } from './find-backends.js';
import { type Arguments, isOn, listOf } from './options.js';
import { requestLog } from './request-log.js';
import { settingsFor } from './settings.js';

/** One server and what a look at it told. */
export interface ServerLine {
  readonly kind: string | null;
  readonly url: string;
  readonly origin: ServerOrigin;
  readonly state: string;
  readonly version: string | null;
  readonly models: number | null;
  /** The models themselves; empty when they were not told. */
  readonly list: readonly Model[];
  readonly fault: Fault | null;
}

const ORIGINS: Readonly<Record<ServerOrigin, string>> = {
  run: 'flag',
  configuration: 'configuration',
  environment: 'environment',
  found: 'found',
  installed: 'installed',
  embedded: 'engine',
  mock: 'mock',
};

/** `lmapp backends list`. */
export async function listServers(context: CommandContext, args: Arguments): Promise<number> {
  const { settings } = loaded(context, args);
  const lines = await lookAtAll(context, args, settings, placesOf(context, args, settings));
  if (isOn(args, 'json')) context.stdout.write(`${JSON.stringify(lines.map(serverAsJson), null, 2)}\n`);
  else context.stdout.write(tableOf(lines));
  tellFaults(context, args, lines);
  if (lines.length === 0) context.stderr.write(NONE);
  return EXIT.ok;
}

/** `lmapp backends check`. */
export async function checkServers(context: CommandContext, args: Arguments): Promise<number> {
  const { settings } = loaded(context, args);
  const asked = args.words.map((word) => placeOf(context, settings, word));
  const lines = await lookAtAll(
    context,
    args,
    settings,
    asked.length > 0 ? asked : placesOf(context, args, settings),
    asked.length === 0,
  );
  if (isOn(args, 'json')) context.stdout.write(`${JSON.stringify(lines.map(serverAsJson), null, 2)}\n`);
  else
    context.stdout.write(
      lines
        .map((line) => `${line.fault === null ? 'ok ' : 'bad'}  ${sentenceOf(line)}${waitOf(line)}\n`)
        .join(''),
    );
  tellFaults(context, args, lines);
  if (lines.length === 0) context.stderr.write(NONE);
  return lines.length > 0 && lines.every((line) => line.fault === null) ? EXIT.ok : EXIT.failure;
}

const NONE =
  'No server was found. Start one, for example with "ollama serve", or add one: lmapp backends add ADDRESS\n';

/** `llama.cpp b6412 at http://127.0.0.1:8080, 1 model`. */
export function sentenceOf({
  kind,
  version,
  url,
  models,
}: Pick<ServerLine, 'kind' | 'version' | 'url' | 'models'>): string {
  const who = [kind ?? 'server', version].filter((part) => part !== null).join(' ');
  return `${who} at ${url}${models === null ? '' : `, ${models} ${models === 1 ? 'model' : 'models'}`}`;
}

/** A server that is there and does not answer questions yet. */
function waitOf({ state }: ServerLine): string {
  return state === 'loading' || state === 'busy' ? `, ${state}` : '';
}

/** Asks all of them at once, with those that are found. */
export async function lookAtAll(
  context: CommandContext,
  args: Arguments,
  settings: Settings,
  places: readonly Place[],
  search = true,
): Promise<readonly ServerLine[]> {
  const onRequest = requestLog(context, args, settings);
  const ports: BackendPorts = { ...context.ports.clock, ...(onRequest ? { onRequest } : {}) };
  const { signal } = new AbortController();
  const look = (place: Place): Promise<ServerLine> =>
    lineOf(place, signal, { ...ports, limits: limitsOf(settings, place.address.url) });
  const looking = places.map(look);
  const found = search && settings.discovery ? await discover(signal, ports).catch(() => []) : [];
  const fresh = found
    .filter(({ url }) => !places.some((place) => place.address.url === url))
    .map(({ url, kind }) => look({ address: { url, key: null }, kind, origin: 'found', refused: null }));
  return Promise.all([...looking, ...fresh]);
}

/** The servers that are named. */
export function placesOf({ ports }: CommandContext, args: Arguments, settings: Settings): readonly Place[] {
  return namedPlaces({
    ports,
    settings,
    urls: listOf(args, 'url'),
    keyOf: (backend) => keyOf(backend, ports.env),
  });
}

/** A server that is named on the command line; when it stands in the configuration, with its key and kind. */
function placeOf({ ports }: CommandContext, settings: Settings, text: string): Place {
  const { url, kind } = typedAddress(text);
  const known = settings.backends.find((setting) => isAt(setting, url));
  return {
    address: { url, key: known ? keyOf(known, ports.env) : null },
    kind: kind ?? known?.kind ?? null,
    origin: known ? 'configuration' : 'run',
    refused: null,
  };
}

async function lineOf(place: Place, signal: AbortSignal, ports: BackendPorts): Promise<ServerLine> {
  const { address, kind, origin, refused } = place;
  const nothing = { kind, url: address.url, origin, version: null, models: null, list: [] };
  if (refused) return { ...nothing, state: 'away', fault: refused };
  const look = await lookAt(address, kind, signal, ports);
  look.backend?.close();
  return { ...nothing, ...toldBy(look, kind) };
}

/** What a look told, as a line. */
export function toldBy(look: ServerLook, kind: string | null): Omit<ServerLine, 'url' | 'origin'> {
  return {
    kind: look.backend?.info.kind ?? kind,
    state: look.fault ? 'away' : (look.check?.status.state ?? 'away'),
    version: look.check?.version ?? null,
    models: look.models?.length ?? null,
    list: look.models ?? [],
    fault: look.fault,
  };
}

function loaded(context: CommandContext, args: Arguments): { readonly settings: Settings } {
  const { settings, problems } = settingsFor(context, args);
  for (const problem of problems) context.stderr.write(`lmapp: ${problem}\n`);
  return { settings };
}

/** One server, for scripts. */
export function serverAsJson(line: ServerLine): Readonly<Record<string, unknown>> {
  const { kind, url, state, version, models, origin } = line;
  return {
    kind,
    url,
    state,
    version,
    models,
    origin: ORIGINS[origin],
    reason: line.fault?.message ?? null,
    nextStep: line.fault?.hint ?? null,
  };
}

function tableOf(lines: readonly ServerLine[]): string {
  const rows = lines.map((line) => [
    line.kind ?? 'server',
    line.url,
    line.state,
    line.version ?? '—',
    line.models === null ? '—' : `${line.models} ${line.models === 1 ? 'model' : 'models'}`,
    ORIGINS[line.origin],
  ]);
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(0, ...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}\n`).join('');
}

/** Causes and next steps; JSON has them in itself. */
function tellFaults({ stderr }: CommandContext, args: Arguments, lines: readonly ServerLine[]): void {
  if (isOn(args, 'json')) return;
  for (const { url, fault: reason } of lines)
    if (reason) stderr.write(`${url}: ${reason.message}${reason.hint === null ? '' : ` ${reason.hint}`}\n`);
}
