import { formatBytes, formatRoughBytes, formatTokens } from '../../widgets/text/format.js';
import { fitOf } from '../domain/fit.js';
import { fitLines, roundContext } from '../domain/fit-words.js';
import type { Model } from '../domain/model.js';
import { evictableOf } from '../domain/room.js';
import type { AppEvent } from '../events/catalogue.js';
import { fitOfModel, fitQuestionOf, largestContextOf } from './fit.js';
import { machineOfBackend } from './machines.js';
import { allModels, backendById, type Choice, type PendingLoad, type Question, type State } from './state.js';
import { choice, openOverlay } from './view.js';

/** True when the known parts of a model are more than what is free. */
export function isTooLarge(state: State, model: Model): boolean {
  return model.loadState === 'unloaded' && fitOfModel(state, model).verdict === 'short';
}

/** Asks before a load that will not fit; what was wanted waits in `models.pendingLoad`. */
export function askBeforeLoad(state: State, model: Model, wanted: Pick<PendingLoad, 'pin' | 'send'>): State {
  const pendingLoad: PendingLoad = {
    key: model.key,
    ...wanted,
    smaller: smallerContext(state, model),
    unload: unloadThatHelps(state, model)?.key ?? null,
    instead: otherQuantization(state, model)?.key ?? null,
  };
  const asking: State = { ...state, models: { ...state.models, pendingLoad } };
  return openOverlay(asking, 'question', model.key, {
    title: 'More than the free memory',
    lines: [
      ...fitLines(fitOfModel(state, model), model.label, formatBytes, formatRoughBytes),
      'Loading it may push other programs out of memory.',
    ],
    choices: choicesOf(asking, pendingLoad),
  } satisfies Question);
}

function choicesOf(state: State, { send, pin, smaller, unload, instead }: PendingLoad): readonly Choice[] {
  const leave: AppEvent | null =
    send === null ? null : { type: 'prompt.edited', edit: { op: 'set', text: send } };
  const all = allModels(state);
  const other = all.find(({ key }) => key === instead);
  const gone = all.find(({ key }) => key === unload);
  const verb = send === null ? (pin ? 'load and keep it' : 'load it') : 'ask it';
  return [
    { key: 'n', label: 'leave it', event: leave },
    ...(smaller === null
      ? []
      : [choice('c', `${verb} with a context of ${formatTokens(smaller)}, which fits`, 'load.smaller')]),
    ...(gone
      ? [choice('u', `unload ${gone.label} first (gives back ${givesOf(gone)})`, 'load.unload-first')]
      : []),
    ...(other
      ? [
          choice(
            'q',
            `${other.label} instead, which fits (${other.quantization ?? formatBytes(other.sizeBytes)})`,
            'load.instead',
          ),
        ]
      : []),
    choice('y', `${verb} all the same`, 'load.anyway'),
    choice('m', 'another model', 'model.pick'),
  ];
}

function smallerContext(state: State, model: Model): number | null {
  if (backendById(state, model.backendId)?.info.features.contextChoice !== true) return null;
  return roundContext(largestContextOf(state, model), fitOfModel(state, model).context.tokens);
}

/** The smallest loaded model on the same machine without which it would go in. */
function unloadThatHelps(state: State, model: Model): Model | null {
  const question = fitQuestionOf(state, model);
  const machine = machineOfBackend(state, model.backendId);
  const freed = new Set(question.evictable.map(({ key }) => key));
  return allModels(state)
    .filter((other) => {
      const gives = evictableOf(other);
      if (!gives || freed.has(other.key) || other.key === state.chat.live?.modelKey) return false;
      if (backendById(state, other.backendId)?.info.features.unload !== true) return false;
      if (machineOfBackend(state, other.backendId) !== machine) return false;
      const { verdict } = fitOf({ ...question, evictable: [...question.evictable, gives] });
      return verdict === 'fits' || verdict === 'tight' || verdict === 'partly';
    })
    .reduce<Model | null>(
      (least, other) => (least && (least.memoryBytes ?? 0) <= (other.memoryBytes ?? 0) ? least : other),
      null,
    );
}

/** Of the memory that it has: files in the main memory count as free already. */
function givesOf(model: Model): string {
  const gives = evictableOf(model);
  return formatBytes(gives && gives.memoryBytes + gives.vramBytes);
}

/** The largest of the same server with other numbers for the same weights, and that fits. */
function otherQuantization(state: State, model: Model): Model | null {
  if (model.family === null || model.parameters === null) return null;
  const others = backendById(state, model.backendId)?.models ?? [];
  return others
    .filter(
      (other) =>
        other.key !== model.key &&
        other.chat &&
        other.family === model.family &&
        other.parameters === model.parameters &&
        other.quantization !== model.quantization &&
        stemOf(other.name) === stemOf(model.name) &&
        ['fits', 'tight'].includes(fitOfModel(state, other).verdict),
    )
    .reduce<Model | null>(
      (best, other) => (best && (best.sizeBytes ?? 0) >= (other.sizeBytes ?? 0) ? best : other),
      null,
    );
}

/** The name without what tells of numbers: another one of the same family and size may be made for something else. */
function stemOf(name: string): string {
  const tag = name.lastIndexOf(':');
  return (tag > 0 ? name.slice(0, tag) : name)
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replace(/(?:[-_.]ud)?[-_.](?:i?q\d\w*|b?f16|fp16|f32|fp8|mxfp4)$/, '');
}
