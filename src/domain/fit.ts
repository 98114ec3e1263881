import { fitTerms, sumOfTerms, type FitTerm } from './fit-terms.js';
import { largestThatFits, marginOf } from './largest-context.js';
import type { BackendKind, Model, ModelDetails } from './model.js';
import { tellsLayers, type ModelShape } from './model-shape.js';
import { nearestLoad, type PastLoad } from './past-loads.js';
import { plannedContext, runOf, type PlannedContext } from './planned-run.js';
import { withoutModels, type Evictable, type Room } from './room.js';

/** `partly`: not all of it goes on the GPU, the processor computes the rest. `short`: it goes into no memory that is free now. */
export type Verdict = 'fits' | 'tight' | 'partly' | 'short' | 'unknown';

/** Whether a model goes into the memory that is free now, and why. Bytes; null: not known. */
export interface Fit {
  readonly verdict: Verdict;
  /** A part is not known and was left out: nothing here is more than a likelihood. */
  readonly probably: boolean;
  readonly terms: readonly FitTerm[];
  readonly neededBytes: number | null;
  /** Of the GPUs that it would lie on; without one of the main memory. */
  readonly freeBytes: number | null;
  /** How much does not fit: of `partly` what the processor gets, of `short` what nothing has room for. */
  readonly missingBytes: number | null;
  /** What the free memory is: `memory`, `GPU memory of 2 GPUs`. */
  readonly where: string;
  readonly context: PlannedContext;
  /** How far off the estimate may be: 0.1 is 10 %. Null: nobody can say. */
  readonly margin: number | null;
  /** Models that the server would unload for it. */
  readonly evicts: readonly Evictable[];
  /** The load that corrected the estimate. */
  readonly learned: PastLoad | null;
}

export interface FitQuestion {
  readonly model: Model;
  readonly kind: BackendKind;
  /** Null: it was not asked for, or tells nothing. */
  readonly details: ModelDetails | null;
  readonly room: Room;
  /** What the server unloads by itself when it needs the room. */
  readonly evictable: readonly Evictable[];
  readonly chosenTokens: number | null;
  readonly loads: readonly PastLoad[];
}

/** Where the shape is not told: the file and a bit, without the context. */
const FILE_FACTOR = 1.05;
const FILE_EXTRA_BYTES = 512 * 1024 ** 2;
/** So much of the free main memory a server may take for the layers that no GPU has room for. */
const MEMORY_SHARE = 0.8;

/** The verdict of the check, with everything that it comes from. */
export function fitOf(question: FitQuestion): Fit {
  const { model, kind, details, room, chosenTokens, loads } = question;
  const id = model.digest ?? model.key;
  const context = plannedContext({ kind, model, id, details, room, chosenTokens, loads });
  const without = judge(question, context.tokens, room);
  const free = withoutModels(room, question.evictable);
  const judged =
    question.evictable.length > 0 && without.verdict !== 'fits'
      ? judge(question, context.tokens, free)
      : without;
  const better = RANK[judged.verdict] - RANK[without.verdict];
  const lessMissing = (judged.missingBytes ?? 0) < (without.missingBytes ?? 0);
  const helps = better < 0 || (better === 0 && lessMissing);
  return {
    ...(helps ? judged : without),
    context,
    evicts: helps ? question.evictable : [],
    margin: marginFor(details?.shape ?? null, judged),
  };
}

/** The largest context with which the model would fit; null: it cannot be told, 0: with none. */
export function largestFit(question: FitQuestion): number | null {
  const { model, details } = question;
  if (!details?.shape) return null;
  const room = withoutModels(question.room, question.evictable);
  return largestThatFits(model.contextMax ?? details.shape.contextMax, (tokens) => {
    const { verdict, probably } = judge(question, tokens, room);
    return verdict === 'unknown' || probably ? null : verdict === 'fits';
  });
}

/** What a load without anything learned is estimated to take; null: not known. What it really takes is kept beside it. */
export function rawEstimate(question: FitQuestion, contextTokens: number, gpus: number): number | null {
  return sumOfTerms(partsOf({ ...question, loads: [] }, contextTokens, gpus).terms);
}

const RANK: Readonly<Record<Verdict, number>> = { fits: 0, tight: 1, partly: 2, unknown: 3, short: 4 };

type Judged = Omit<Fit, 'context' | 'evicts' | 'margin'>;

function judge(question: FitQuestion, tokens: number, room: Room): Judged {
  const { model } = question;
  const on = (gpus: number): Parts => partsOf(question, tokens, gpus);
  if (model.remote || (model.sizeBytes === null && (question.details?.shape?.weightBytes ?? null) === null))
    return unknown(on(1), null, '');
  if (room.gpus.length === 0) return inMemory(on(0), room);
  const frees = room.gpus.flatMap(({ freeBytes }) => freeBytes ?? []);
  if (frees.length < room.gpus.length) return unknown(on(1), null, 'GPU memory');
  if (room.shared) return onShared(on(1), Math.max(...frees), room);
  const best = Math.max(...frees);
  const alone = on(1);
  if (frees.length === 1 || alone.bytes <= best - marginOf(best)) return onGpus(alone, best, 1, room);
  return onGpus(
    on(frees.length),
    frees.reduce((sum, each) => sum + each, 0),
    frees.length,
    room,
  );
}

function inMemory(parts: Parts, { memoryBytes: free, settled }: Room): Judged {
  if (free === null) return unknown(parts, null, 'memory');
  const within = withinOf(parts.bytes, free);
  if (within) return judged(parts, within, free, 0, 'memory');
  // Further GPUs may be told in a moment.
  if (!settled) return unknown(parts, free, 'memory');
  return judged(parts, surely(parts, free) ? 'short' : 'tight', free, parts.bytes - free, 'memory');
}

function onShared(parts: Parts, free: number, room: Room): Judged {
  const where = 'memory that GPU and processor share';
  const within = withinOf(parts.bytes, free);
  if (within) return judged(parts, within, free, 0, where);
  const most = Math.max(free, MEMORY_SHARE * (room.memoryBytes ?? 0));
  if (parts.bytes <= most) return judged(parts, 'partly', free, parts.bytes - free, where);
  return judged(parts, surely(parts, most) ? 'short' : 'partly', free, parts.bytes - most, where);
}

function onGpus(parts: Parts, free: number, gpus: number, room: Room): Judged {
  const where = gpus === 1 ? 'GPU memory' : `memory of ${gpus} GPUs`;
  const within = withinOf(parts.bytes, free);
  if (within) return judged(parts, within, free, 0, where);
  if (room.memoryBytes === null) return unknown(parts, free, where);
  const most = free + MEMORY_SHARE * room.memoryBytes;
  if (parts.bytes <= most) return judged(parts, 'partly', free, parts.bytes - free, where);
  return judged(parts, surely(parts, most) ? 'short' : 'partly', free, parts.bytes - most, where);
}

function withinOf(bytes: number, free: number): 'fits' | 'tight' | null {
  if (bytes <= free - marginOf(free)) return 'fits';
  return bytes <= free ? 'tight' : null;
}

/** What is known is too much already. */
function surely(parts: Parts, free: number): boolean {
  return !parts.probably || parts.leastBytes > free;
}

function judged(parts: Parts, verdict: Verdict, free: number, missing: number, where: string): Judged {
  const { terms, probably, learned, bytes } = parts;
  return {
    verdict,
    probably,
    terms,
    learned,
    where,
    neededBytes: bytes,
    freeBytes: free,
    missingBytes: Math.max(0, missing),
  };
}

function unknown(
  { terms, probably, learned, bytes }: Parts,
  freeBytes: number | null,
  where: string,
): Judged {
  const neededBytes = bytes > 0 ? bytes : null;
  return { verdict: 'unknown', probably, terms, learned, where, neededBytes, freeBytes, missingBytes: null };
}

interface Parts {
  readonly terms: readonly FitTerm[];
  /** Of the parts that are known. */
  readonly bytes: number;
  /** It cannot take less than this. */
  readonly leastBytes: number;
  readonly probably: boolean;
  readonly learned: PastLoad | null;
}

function partsOf(question: FitQuestion, tokens: number, gpus: number): Parts {
  const { model, kind, details, loads } = question;
  const shape = details?.shape ?? null;
  const terms = shape
    ? fitTerms(shape, model.sizeBytes, tokens, { ...runOf(kind, model, details, tokens), gpus })
    : fileTerms(model.sizeBytes);
  const known = terms.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  const learned = model.remote ? null : nearestLoad(loads, model.digest ?? model.key, tokens);
  const probably = terms.some(({ bytes }) => bytes === null) && learned?.contextTokens !== tokens;
  const leastBytes = shape ? known : (model.sizeBytes ?? 0);
  if (!learned) return { terms, bytes: known, leastBytes, probably, learned };
  const off = learned.realBytes - learned.estimatedBytes;
  const all: readonly FitTerm[] = [
    ...terms,
    { name: 'learned', bytes: off, source: 'as its last load was off' },
  ];
  return { terms: all, bytes: Math.max(0, known + off), leastBytes, probably, learned };
}

function fileTerms(sizeBytes: number | null): readonly FitTerm[] {
  return [
    {
      name: 'weights',
      bytes: sizeBytes === null ? null : Math.round(sizeBytes * FILE_FACTOR),
      source: 'size of the file and 5 %',
    },
    { name: 'cache', bytes: null, source: 'the layers are not told' },
    { name: 'runtime', bytes: FILE_EXTRA_BYTES, source: 'usual' },
  ];
}

function marginFor(shape: ModelShape | null, { probably, terms }: Judged): number | null {
  if (probably || !shape || !tellsLayers(shape)) return null;
  const coarse =
    shape.assumed.length > 0 || shape.compressed || terms.some(({ name }) => name === 'projector');
  return coarse ? 0.25 : 0.1;
}

/** True for an address on this machine. */
export function isLoopback(url: string): boolean {
  if (url === '') return true;
  const host = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/]+)/i.exec(url)?.[1]?.toLowerCase() ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
