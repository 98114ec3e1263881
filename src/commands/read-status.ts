import { backendTypeOf } from '../backends/registry.js';
import { fitOf, type Fit } from '../domain/fit.js';
import { NO_FEATURES, type Model } from '../domain/model.js';
import { EXIT, LmappError } from '../errors.js';
import { openPastLoads } from '../sessions/past-loads.js';
import { openRemembered } from '../sessions/remembered.js';
import { fitQuestionFor } from './check-fit.js';
import { chooseModel } from './choose-model.js';
import type { CommandContext } from './command.js';
import { lookAtAll, placesOf, sentenceOf, type ServerLine } from './list-servers.js';
import { lookAtMachine, type MachineLook } from './machine-once.js';
import { isOn, type Arguments } from './options.js';
import { statusAsJson, statusAsText } from './print-status.js';
import { settingsFor } from './settings.js';
import { statusLine } from './status-line.js';

/** One look at everything. */
export interface Status {
  readonly servers: readonly ServerLine[];
  readonly models: readonly ListedModel[];
  readonly machine: MachineLook;
  readonly chosen: Chosen;
}

export interface ListedModel {
  readonly model: Model;
  readonly server: ServerLine;
  readonly fit: Fit;
}

/** The model that a chat would start with. */
export interface Chosen {
  readonly listed: ListedModel | null;
  /** Why it cannot answer now; null: it can. */
  readonly reason: string | null;
  readonly nextStep: string | null;
}

/** `lmapp status`. */
export async function tellStatus(context: CommandContext, args: Arguments): Promise<number> {
  const { ports, files, stdout, stderr } = context;
  const { settings, problems } = settingsFor(context, args);
  for (const problem of problems) stderr.write(`lmapp: ${problem}\n`);
  const waiting = statusLine(stderr);
  waiting.show('looking at servers and machine');
  const [servers, machine] = await Promise.all([
    lookAtAll(context, args, settings, placesOf(context, args, settings)),
    lookAtMachine(ports, files.chats, { machine: true, gpu: !isOn(args, 'no-gpu') }),
  ]);
  waiting.clear();
  const loads = openPastLoads(files.loads).read() ?? [];
  const models = servers.flatMap((server) => {
    const kind = server.kind ?? '';
    const place = { kind, url: server.url, features: backendTypeOf(kind)?.features ?? NO_FEATURES };
    const basis = { server: place, siblings: server.list, details: null, machine, settings, loads };
    return server.list.map((model) => ({ model, server, fit: fitOf(fitQuestionFor({ ...basis, model })) }));
  });
  const remembered = openRemembered(files.remembered).read()?.model ?? null;
  const status: Status = {
    servers,
    models,
    machine,
    chosen: chosenOf(servers, models, (asked) => chooseModel(asked, settings, remembered).model),
  };
  stdout.write(
    isOn(args, 'json') ? `${JSON.stringify(statusAsJson(status), null, 2)}\n` : statusAsText(status),
  );
  return status.chosen.reason === null ? EXIT.ok : EXIT.failure;
}

function chosenOf(
  servers: readonly ServerLine[],
  models: readonly ListedModel[],
  choose: (servers: Parameters<typeof chooseModel>[0]) => Model,
): Chosen {
  let listed: ListedModel | null = null;
  try {
    const model = choose(
      servers.map(({ kind, url, list, fault }) => ({
        backend: null,
        title: kind ?? 'server',
        url,
        models: list,
        fault,
      })),
    );
    listed = models.find((each) => each.model === model) ?? null;
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    // Why each server tells no models stands with the server.
    const [reason = ''] = error.message.split('\n');
    return { listed: null, ...(stillToTell(servers) ?? { reason, nextStep: error.hint }) };
  }
  return { listed, ...(listed ? obstacleOf(listed) : { reason: 'no model', nextStep: null }) };
}

/** A server that is there may have the model, and tell it in a moment. */
function stillToTell(servers: readonly ServerLine[]): Pick<Chosen, 'reason' | 'nextStep'> | null {
  const late = servers.find(
    ({ state, list }) => list.length === 0 && (state === 'loading' || state === 'busy'),
  );
  if (!late) return null;
  const does =
    late.state === 'loading' ? 'is still loading its model' : 'is busy, and has not told its models';
  return { reason: `${sentenceOf(late)} ${does}`, nextStep: 'Ask again in a moment.' };
}

function obstacleOf({ model, server, fit }: ListedModel): Pick<Chosen, 'reason' | 'nextStep'> {
  if (server.fault) return { reason: server.fault.message, nextStep: server.fault.hint };
  if (!model.chat)
    return {
      reason: `${model.label} is not for chat`,
      nextStep: 'Choose another: lmapp config --set model NAME',
    };
  if (model.loadState === 'unloaded' && fit.verdict === 'short')
    return {
      reason: `${model.label} does not fit into the memory that is free now`,
      nextStep: 'Unload another model (lmapp models unload NAME), or choose a smaller one.',
    };
  return { reason: null, nextStep: null };
}
