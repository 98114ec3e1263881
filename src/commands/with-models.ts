import { openLocalSource } from '../engine/open-local.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Backend } from '../backends/backend.js';
import { keyOf } from '../config/secrets.js';
import { findModels } from '../domain/find-model.js';
import type { Model } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';
import { askServers, unanswered, type AskedServer } from './find-backends.js';
import { isOn, listOf, textOf, type Arguments } from './options.js';
import { rememberModels } from './print-models.js';
import { requestLog } from './request-log.js';
import { untilAborted } from './until-aborted.js';
import { withWork, type Work } from './with-work.js';

/** What a command on models works with. */
export interface ModelWork extends Work {
  /** Those that --server lets through. */
  readonly servers: readonly AskedServer[];
}

/** A model and where it is. */
export interface FoundModel {
  readonly model: Model;
  readonly server: AskedServer;
  readonly backend: Backend;
}

/**
 * Asks the servers, and runs the work with them. Ctrl+C ends the work and gives 130, with `interrupted` on stderr. Errors of a server
 * become LmappError with its next step; with --json they are told as the last object, too.
 */
export function withModels(
  context: CommandContext,
  args: Arguments,
  run: (work: ModelWork) => Promise<number>,
  interrupted: () => string | null = () => null,
): Promise<number> {
  const { ports, files } = context;
  const wanted = textOf(args, 'server');
  const ask = async (work: Work): Promise<number> => {
    const { settings, signal, status } = work;
    status.show('looking for servers');
    const servers = await untilAborted(
      askServers({
        ports,
        settings,
        urls: [...listOf(args, 'url'), ...(wanted !== null && isAddress(wanted) ? [wanted] : [])],
        mock: isOn(args, 'mock'),
        embedded: openLocalSource({
          ports,
          files,
          paths: settings.models.paths ?? [],
          silenceS: settings.pullTimeoutS,
        }),
        keyOf: (backend) => keyOf(backend, ports.env),
        modelsFile: files.models,
        signal,
        onRequest: requestLog(context, args, settings),
      }),
      signal,
    );
    if (servers === null) return EXIT.interrupted;
    status.clear();
    try {
      rememberModels(files.models, servers);
      return await run({ ...work, servers: wanted === null ? servers : serversNamed(servers, wanted) });
    } finally {
      for (const { backend } of servers) backend?.close();
    }
  };
  return withWork(context, args, ask, interrupted);
}

/** The one model that a name means. Errors: LmappError with code 2 for none, with the nearest names, and for several, with their keys. */
export function oneModel({ servers }: ModelWork, wanted: string): FoundModel {
  const all = servers.flatMap(({ models }) => models);
  const found = findModels(all, wanted);
  const [model] = found;
  const server = servers.find(({ models }) => model !== undefined && models.includes(model));
  if (found.length === 1 && model && server?.backend) return { model, server, backend: server.backend };
  if (found.length > 1) {
    throw new LmappError('ambiguous-model', `${found.length} servers have the model ${wanted}`, {
      hint: `Name one of them: ${found.map(({ key }) => sanitizeLine(key)).join(' or ')}`,
      exitCode: EXIT.usage,
    });
  }
  const away = unanswered(servers);
  if (all.length === 0) {
    throw new LmappError('no-model', away[0] ?? 'no server has a model', {
      hint:
        away.slice(1).join('\n') ||
        'Start a server, for example with "ollama serve", or name one with --url; "lmapp models pull NAME" gets a model.',
    });
  }
  const nearest = nearestNames(
    wanted,
    all.map(({ label }) => label),
  );
  throw new LmappError('unknown-model', [`no server has the model ${wanted}`, ...away].join('\n'), {
    hint:
      nearest.length > 0
        ? `Did you mean ${nearest.join(' or ')}?`
        : `There is ${all
            .slice(0, 5)
            .map(({ label }) => label)
            .join(', ')}.`,
    exitCode: EXIT.usage,
  });
}

/** The one word behind a command. Errors: LmappError with code 2 for none or several. */
export function oneName({ words }: Arguments, command: string): string {
  const [name] = words;
  if (words.length === 1 && name !== undefined && name.trim() !== '') return name;
  throw new LmappError('usage', words.length > 1 ? 'one model at a time' : 'which model?', {
    hint:
      words.length > 1
        ? `A name with blanks is written in quotes: lmapp models ${command} "${words.join(' ')}"`
        : `lmapp models ${command} NAME; ${command === 'pull' ? '"lmapp models catalogue" lists small ones.' : '"lmapp models" lists all.'}`,
    exitCode: EXIT.usage,
  });
}

/** That a server has no way to do something: what and the next step. */
export function cannot(what: string, hint: string): LmappError {
  return new LmappError('unsupported', what, { hint });
}

/** Lists anew what changed, for the completions and the next start of the dashboard; null when it cannot be told now. */
export async function listAgain(
  { context, signal }: ModelWork,
  server: AskedServer,
): Promise<readonly Model[] | null> {
  try {
    const models = (await server.backend?.models(signal)) ?? [];
    rememberModels(context.files.models, [{ ...server, models }]);
    return models;
  } catch {
    return null;
  }
}

function isAddress(text: string): boolean {
  return /:\/\/|:\d+|^localhost|\.\d+$/.test(text);
}

/** By kind, address or id. Errors: LmappError with code 2 when there is none. */
function serversNamed(servers: readonly AskedServer[], wanted: string): readonly AskedServer[] {
  const bare = (url: string): string => url.replace(/^[a-z.+-]*:\/\//i, '').replace(/\/$/, '');
  const found = servers.filter(
    ({ backend, url }) =>
      backend?.info.kind === wanted ||
      backend?.info.id === wanted ||
      (url !== '' && bare(url) === bare(wanted)),
  );
  if (found.length > 0) return found;
  const there = servers.map(({ backend, url, title }) => `${backend?.info.kind ?? title} ${url}`.trimEnd());
  throw new LmappError('unknown-server', `there is no server ${wanted}`, {
    hint: there.length === 0 ? 'No server was found.' : `There is ${there.join(', ')}.`,
    exitCode: EXIT.usage,
  });
}
