import { findModel } from '../domain/find-model.js';
import { isLoopback } from '../domain/fit.js';
import type { Model } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import { isSameFile } from '../domain/same-file.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { unanswered, type AskedServer } from './find-backends.js';

/** A model and the server that has it. */
export interface Choice {
  readonly model: Model;
  readonly server: AskedServer;
}

/** The model of the settings, else the one used last, else the first that can chat. Errors: LmappError when there is none. */
export function chooseModel(
  servers: readonly AskedServer[],
  settings: Settings,
  remembered: string | null,
): Choice {
  const all = servers.flatMap(({ models }) => models);
  const model =
    settings.model === ''
      ? (all.find(({ key, chat }) => key === remembered && chat) ?? all.find(({ chat }) => chat) ?? null)
      : findModel(all, settings.model);
  // A name may be meant for the one that runs without a server.
  const served = model === null || settings.model !== '' ? null : servedCopy(servers, model);
  if (served) return served;
  const server = servers.find(({ models }) => model !== null && models.includes(model));
  if (model !== null && server !== undefined) return { model, server };
  const reasons = unanswered(servers);
  if (all.length === 0) {
    throw new LmappError('no-model', reasons[0] ?? 'no model server was found', {
      hint:
        reasons.slice(1).join('\n') ||
        'Start one, for example with "ollama serve", name one with --url, or try --mock.',
    });
  }
  if (settings.model === '')
    throw new LmappError('no-model', 'no server has a model that can chat', {
      hint: 'lmapp models lists all.',
    });
  const names = all.map(({ label }) => label);
  const nearest = nearestNames(settings.model, names);
  throw new LmappError(
    'unknown-model',
    [`no server has the model ${settings.model}`, ...reasons].join('\n'),
    {
      hint:
        nearest.length > 0
          ? `Did you mean ${nearest.join(' or ')}?`
          : `There is ${names.slice(0, 5).join(', ')}.`,
      exitCode: EXIT.usage,
    },
  );
}

/** A server of this machine that has the same file as a model that runs without one: a second copy of it in memory is spared. */
function servedCopy(servers: readonly AskedServer[], own: Model): Choice | null {
  if (own.backendId !== 'embedded') return null;
  for (const server of servers) {
    const model = server.models.find(
      (each) => each.backendId !== 'embedded' && each.chat && !each.remote && isSameFile(own, each),
    );
    if (model && isLoopback(server.url)) return { model, server };
  }
  return null;
}
