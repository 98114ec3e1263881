import { CATALOGUE, neededFor, offeredCatalogue, type CatalogueEntry } from './catalogue.js';
import type { Fault } from './fault.js';
import type { LocalModelFile } from './model-file.js';
import type { PullProgress } from './model.js';
import { pullTargetOf } from './pull-target.js';

/** The way to a model that runs on this machine without any server: the engine and a model file, as far as they are missing. */

/** Kinds of GPU whose part of the engine is fetched apart. Metal is in the part for Apple silicon. */
export const GPU_KINDS = ['vulkan', 'cuda'] as const;
export type GpuKind = (typeof GPU_KINDS)[number];

/** The part of the engine for a GPU that is here. Bytes are about, and come on top of those of the engine without it. */
export interface GpuOffer {
  readonly kind: GpuKind;
  /** As it is called: `NVIDIA`. */
  readonly name: string;
  readonly downloadBytes: number;
  readonly diskBytes: number;
}

/** What would have to be fetched, and what is here already. */
export interface SetUpOffer {
  /** Null: it is installed. Bytes are about. */
  readonly engine: {
    readonly version: string;
    readonly downloadBytes: number;
    readonly diskBytes: number;
    /** It uses the GPU of this machine as it is (Metal). */
    readonly hasGpu: boolean;
    /** Null: there is no GPU here that has a part of its own. */
    readonly gpu: GpuOffer | null;
  } | null;
  /** Where engine and models lie, as it is shown. */
  readonly folder: string;
  /** Memory that a model may take now; null: not known. */
  readonly freeBytes: number | null;
  /** Model files on this disk that can chat, the likeliest first; null: not looked for yet. */
  readonly files: readonly HereFile[] | null;
}

export interface HereFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Whose file it is, in words. */
  readonly owner: string;
}

/** What is to be set up. */
export interface SetUpWish {
  /** `pull`: a name of the catalogue, or another one that lmapp can pull by itself. `file`: a model file of this disk, by its name. */
  readonly kind: 'pull' | 'file';
  readonly name: string;
  /** The engine comes with the part for the GPU that was offered; absent: without. */
  readonly gpu?: boolean;
}

export interface EngineProgress {
  /** `waiting`: another lmapp installs it. `checking`: it is tried. */
  readonly phase: 'waiting' | 'downloading' | 'checking' | 'done';
  readonly packages: number | null;
  /** About. */
  readonly packagesTotal: number | null;
  /** Of all packages, about. */
  readonly downloadBytes: number;
}

/** Both parts are fetched side by side; null: that part is not concerned. */
export interface SetUpProgress {
  readonly engine: EngineProgress | null;
  readonly model: PullProgress | null;
}

export type SetUpEnd =
  /** `name`: the model as the embedded server lists it. */
  | { readonly outcome: 'done'; readonly name: string }
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'failed'; readonly fault: Fault };

/** The smallest that is of real use. */
const SMALLEST_HELP = 'qwen3.5-0.8b';

/**
 * What is offered first: the smallest model that is a help, where it fits and the hub answers; else the smallest of those that can be had
 * without the hub, too.
 */
export function recommendedEntry(freeBytes: number | null, hubAnswers: boolean): CatalogueEntry {
  const help = offeredCatalogue(freeBytes).find(({ entry }) => entry.name === SMALLEST_HELP);
  if (hubAnswers && help && help.verdict !== 'short') return help.entry;
  return CATALOGUE.reduce((best, each) => (best.python === null && each.python !== null ? each : best));
}

/** Those that can chat: what fits first, of that the largest; then what does not, the nearest first. */
export function runnableFiles(
  files: readonly LocalModelFile[],
  freeBytes: number | null,
): readonly LocalModelFile[] {
  const fits = ({ sizeBytes }: LocalModelFile): boolean =>
    freeBytes === null || neededFor(sizeBytes) <= freeBytes;
  return files
    .filter(({ chat, problem }) => chat && problem === null)
    .sort(
      (a, b) =>
        Number(fits(b)) - Number(fits(a)) ||
        (fits(a) ? b.sizeBytes - a.sizeBytes : a.sizeBytes - b.sizeBytes),
    );
}

/** Which model is meant when nobody is asked. */
export interface ModelMeant {
  /** On the command line: that one or none. Empty: none was named. */
  readonly named: string;
  /** The model of the configuration; it may be a server's. Empty: none. */
  readonly configured: string;
  /** Of the embedded models, the one used last. */
  readonly remembered: string | null;
}

/** What the model of the settings means with `--embedded`. `fromFlag`: it was named on the command line. */
export function modelMeant(setting: string, fromFlag: boolean, rememberedKey: string | null): ModelMeant {
  return {
    named: fromFlag ? setting : '',
    configured: fromFlag ? '' : setting,
    remembered: rememberedKey?.replace(/^embedded\//, '') ?? null,
  };
}

/**
 * What is run without a question: the model that is named, else that of the configuration where this machine has it or can fetch it, else
 * the one used last, else of the files here the one that is nearest to what would be fetched. Null: a name that neither lies here nor can
 * be fetched.
 */
export function wishWithoutQuestion(
  files: readonly LocalModelFile[],
  { named, configured, remembered }: ModelMeant,
  freeBytes: number | null,
  hubAnswers: () => Promise<boolean>,
): Promise<SetUpWish | null> {
  const able = runnableFiles(files, freeBytes);
  for (const wanted of [named, configured]) {
    const file = able.find(({ name }) => sameName(name, wanted));
    if (file) return Promise.resolve({ kind: 'file', name: file.name });
    if (wanted !== '' && pullTargetOf(wanted) !== null)
      return Promise.resolve({ kind: 'pull', name: wanted });
    if (wanted !== '' && wanted === named) return Promise.resolve(null);
  }
  const file = able.find(({ name }) => name === remembered) ?? likeliestFile(able, freeBytes);
  if (file) return Promise.resolve({ kind: 'file', name: file.name });
  return hubAnswers().then((answers) => ({
    kind: 'pull',
    name: recommendedEntry(freeBytes, answers).name,
  }));
}

/** The smallest that fits and is a help, as it would be recommended; else the largest below that. `able`: as runnableFiles has them. */
function likeliestFile(able: readonly LocalModelFile[], freeBytes: number | null): LocalModelFile | null {
  const least = CATALOGUE.find(({ name }) => name === SMALLEST_HELP)?.sizeBytes ?? 0;
  const fit = able.filter(({ sizeBytes }) => freeBytes === null || neededFor(sizeBytes) <= freeBytes);
  return fit.findLast(({ sizeBytes }) => sizeBytes >= least) ?? fit[0] ?? able[0] ?? null;
}

function sameName(name: string, wanted: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/\.gguf$|:latest$/, '');
  return wanted !== '' && plain(name) === plain(wanted);
}

/** Both parts as one download. What the engine has fetched is reckoned from its packages: `estimated` as long as that counts. */
export function asOnePull({ engine, model }: SetUpProgress): {
  readonly progress: PullProgress;
  readonly estimated: boolean;
} {
  const layers: PullProgress['layers'][number][] = [];
  if (engine) {
    const share = engine.packages === null ? 0 : engine.packages / Math.max(1, engine.packagesTotal ?? 1);
    const fetched = engine.phase === 'checking' || engine.phase === 'done' ? 1 : Math.min(share, 0.99);
    const completedBytes = Math.round(engine.downloadBytes * fetched);
    layers.push({ id: 'engine', completedBytes, totalBytes: engine.downloadBytes });
  }
  // A part of the model that was there before is not told as received.
  const known = model !== null && model.phase !== 'preparing' && model.totalBytes !== null;
  if (model && known) {
    // At its end it tells the size of the file; what was fetched for it may be a smaller package, or nothing.
    const fetched = sumOf(model.layers.map(({ completedBytes }) => completedBytes));
    const isDone = model.phase === 'done';
    layers.push({
      id: 'model',
      completedBytes: isDone ? fetched : (model.completedBytes ?? 0),
      totalBytes: isDone ? fetched : (model.totalBytes ?? 0),
    });
  }
  const complete = model === null || known;
  return {
    progress: {
      phase: phaseOf(engine, model),
      status: wordsOf(engine, model),
      completedBytes: complete ? sumOf(layers.map((each) => each.completedBytes)) : null,
      totalBytes: complete ? sumOf(layers.map((each) => each.totalBytes)) : null,
      layers,
    },
    estimated: engine?.phase === 'downloading' || engine?.phase === 'waiting',
  };
}

function sumOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, each) => sum + each, 0);
}

function phaseOf(engine: EngineProgress | null, model: PullProgress | null): PullProgress['phase'] {
  const engineIs = engine?.phase ?? 'done';
  const modelIs = model?.phase ?? 'done';
  if (engineIs === 'done' && modelIs === 'done') return 'done';
  if (engineIs === 'downloading' || modelIs === 'downloading') return 'downloading';
  return modelIs === 'preparing' || engineIs === 'waiting' ? 'preparing' : 'verifying';
}

const ENGINE_WORDS: Readonly<Record<EngineProgress['phase'], string>> = {
  waiting: 'another lmapp installs the engine',
  downloading: 'fetches the engine',
  checking: 'tries the engine',
  done: 'the engine is here',
};

/** What is done now, in words without figures. */
function wordsOf(engine: EngineProgress | null, model: PullProgress | null): string {
  const parts: string[] = [];
  if (engine && (engine.phase !== 'done' || model?.phase === 'done'))
    parts.push(
      engine.phase === 'downloading' && (engine.packages ?? 0) > 0
        ? `engine: package ${engine.packages ?? 0} of about ${engine.packagesTotal ?? '?'}`
        : ENGINE_WORDS[engine.phase],
    );
  if (model && model.phase !== 'done') parts.push(`model: ${model.status}`);
  return parts.join(', ');
}

/** What is being done, without figures, for who reads a file; empty at the end. */
export function stepOf({ engine, model }: SetUpProgress, wish: SetUpWish): string {
  const parts = [
    ...(engine && engine.phase !== 'done'
      ? [engine.phase === 'checking' ? 'tries the engine' : 'fetches the engine with npm']
      : []),
    ...(model && model.phase !== 'done'
      ? [model.phase === 'verifying' ? `checks ${wish.name}` : `fetches ${wish.name}`]
      : []),
  ];
  return parts.join(', ');
}
