import { formatBytes, formatCount, formatDuration, formatRoughBytes } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { chosenContext } from '../domain/chosen-context.js';
import { fitOf, isLoopback, largestFit } from '../domain/fit.js';
import { fitLines, roundContext } from '../domain/fit-words.js';
import { insteadOf } from '../domain/model-life-words.js';
import type { Model } from '../domain/model.js';
import { EXIT, LmappError } from '../errors.js';
import { openPastLoads } from '../sessions/past-loads.js';
import { agreed } from './agreed.js';
import { fitQuestionFor } from './check-fit.js';
import type { CommandContext } from './command.js';
import { lookAtMachine } from './machine-once.js';
import { isOn, numberOf, type Arguments } from './options.js';
import {
  cannot,
  listAgain,
  oneModel,
  oneName,
  withModels,
  type FoundModel,
  type ModelWork,
} from './with-models.js';

/** `lmapp models load` */
export function loadModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'load');
  return withModels(
    context,
    args,
    (work) => load(work, oneModel(work, name)),
    () => `the load of ${name} was stopped`,
  );
}

async function load(work: ModelWork, found: FoundModel): Promise<number> {
  const { context, args, settings, signal, status } = work;
  const { model, backend, server } = found;
  const { features, title, kind } = backend.info;
  const pin = isOn(args, 'pin');
  const asked = numberOf(args, 'context');
  if (!backend.load || !features.load)
    throw cannot(`${title} cannot be told to load a model`, insteadOf('load', kind));
  if (pin && !features.pin)
    throw cannot(`${title} decides by itself how long a model stays`, `lmapp models load ${model.name}`);
  if (asked !== null && !features.contextChoice)
    throw cannot(
      `${title} does not let the context be chosen with a load`,
      `Choose it where ${kind} is started or configured.`,
    );
  if (!isOn(args, 'force') && !(await fitsOrAgreed(work, found, asked))) {
    if (signal.aborted) return EXIT.interrupted;
    work.say('nothing was loaded');
    work.tell({ type: 'ended', outcome: 'kept', key: model.key, fault: null });
    return EXIT.ok;
  }
  const started = context.ports.clock.monotonic();
  status.show(`loading ${model.label}`);
  await backend.load(
    model,
    {
      keepAlive: pin ? '-1' : settings.keepAlive,
      contextTokens: asked ?? chosenContext(settings.contexts, backend.info, model),
      onProgress(progress, source) {
        work.tell({ type: 'progress', progress, source });
        status.show(`loading ${model.label}${progress === null ? '' : ` ${Math.round(progress * 100)} %`}`);
      },
    },
    signal,
  );
  if (signal.aborted) return EXIT.interrupted;
  const now = (await listAgain(work, server))?.find(({ key }) => key === model.key) ?? null;
  const ms = context.ports.clock.monotonic() - started;
  work.tell({
    type: 'ended',
    outcome: 'complete',
    key: model.key,
    ms: Math.round(ms),
    contextAllocated: now?.contextAllocated ?? null,
    memoryBytes: now?.memoryBytes ?? null,
    fault: null,
  });
  work.say(`${model.label} is loaded${figuresOf(now, ms)}`);
  return EXIT.ok;
}

/** Asks before a load that will not fit; what is not known stands in nobody's way. */
async function fitsOrAgreed(
  work: ModelWork,
  found: FoundModel,
  contextTokens: number | null,
): Promise<boolean> {
  const { context, settings, signal, status } = work;
  const { model, backend, server } = found;
  if (model.loadState === 'loaded' || !isLoopback(backend.info.url)) return true;
  status.show(`looking whether ${model.label} fits`);
  const [machine, details] = await Promise.all([
    lookAtMachine(context.ports, context.files.chats, { machine: true, gpu: true }),
    (backend.details?.(model, signal) ?? Promise.resolve(null)).catch(() => null),
  ]);
  status.clear();
  const question = fitQuestionFor({
    model,
    server: backend.info,
    siblings: server.models,
    details,
    machine,
    settings,
    loads: openPastLoads(context.files.loads).read() ?? [],
    contextTokens,
  });
  const fit = fitOf(question);
  if (fit.verdict !== 'short') return true;
  const why = fitLines(fit, model.label, formatBytes, formatRoughBytes).map((line) => sanitizeLine(line));
  const smaller = backend.info.features.contextChoice
    ? roundContext(largestFit(question), fit.context.tokens)
    : null;
  const instead = smaller === null ? '' : ` With --context ${smaller} it fits.`;
  if (!context.stdin.isTTY || !context.stderr.isTTY || isOn(work.args, 'json'))
    throw new LmappError('out-of-memory', why.join(' '), {
      hint: `--force loads it all the same.${instead}`,
    });
  context.stderr.write(`${why.join('\n')}\n${instead === '' ? '' : `${instead.trim()}\n`}`);
  return agreed(work, 'Load it all the same? [y/N] ', 'Say --force to load it without a question.');
}

function figuresOf(model: Model | null, ms: number): string {
  const parts = [
    ...(model?.memoryBytes ? [`${formatBytes(model.memoryBytes)} in memory`] : []),
    ...(model?.contextAllocated ? [`context ${formatCount(model.contextAllocated)} tokens`] : []),
    ...(model?.expiry === 'never' ? ['until it is unloaded by hand'] : []),
    `in ${formatDuration(ms)}`,
  ];
  return `: ${parts.join(', ')}`;
}

/** `lmapp models unload` */
export function unloadModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'unload');
  return withModels(context, args, async (work) => {
    const { model, backend, server } = oneModel(work, name);
    const { features, title, kind } = backend.info;
    if (!backend.unload || !features.unload)
      throw cannot(`${title} cannot be told to unload a model`, insteadOf('unload', kind));
    const ended = { type: 'ended', outcome: 'complete', key: model.key, fault: null };
    if (model.loadState === 'unloaded') {
      work.tell({ ...ended, wasLoaded: false });
      work.say(`${model.label} is not loaded`);
      return EXIT.ok;
    }
    work.status.show(`unloading ${model.label}`);
    await backend.unload(model, work.signal);
    if (work.signal.aborted) return EXIT.interrupted;
    const now = (await listAgain(work, server))?.find(({ key }) => key === model.key) ?? null;
    if (now?.loadState === 'loaded')
      throw cannot(`${model.label} is still loaded (in use?)`, 'It goes when its last request has ended.');
    work.tell({ ...ended, wasLoaded: true });
    work.say(`${model.label} is unloaded`);
    return EXIT.ok;
  });
}

/** `lmapp models delete` */
export function deleteModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'delete');
  return withModels(context, args, async (work) => {
    const { model, backend, server } = oneModel(work, name);
    const { features, title, kind, url } = backend.info;
    if (!backend.delete || !features.delete)
      throw cannot(`${title} deletes no models`, insteadOf('delete', kind));
    const what = sanitizeLine(
      `${model.name} (${formatBytes(model.sizeBytes)}) from ${title} ${url}`,
    ).trimEnd();
    if (
      !isOn(args, 'yes') &&
      !(await agreed(work, `Delete ${what}? [y/N] `, 'Say --yes to delete without a question.'))
    ) {
      if (work.signal.aborted) return EXIT.interrupted;
      work.say('nothing was deleted');
      work.tell({ type: 'ended', outcome: 'kept', key: model.key, fault: null });
      return EXIT.ok;
    }
    await backend.delete(model, work.signal);
    if (work.signal.aborted) return EXIT.interrupted;
    await listAgain(work, server);
    work.tell({
      type: 'ended',
      outcome: 'complete',
      key: model.key,
      sizeBytes: model.sizeBytes,
      fault: null,
    });
    work.say(`${model.name} is deleted`);
    return EXIT.ok;
  });
}
