import path from 'node:path';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { GgufFacts } from '../domain/gguf-facts.js';
import type { FindModelFiles, LocalModelFile, ModelFileOwner } from '../domain/model-file.js';
import type { Clock } from '../ports.js';
import { KnownHeaders, type KnownHeader } from './known-headers.js';
import { modelRoots, type ModelRoot, type PlacesOfModels } from './model-roots.js';
import { storedModels } from './ollama-store.js';
import { answered, Unanswered } from './patient.js';
import { walkFolder, type Asking, type WalkedFile } from './walk-folder.js';

export interface ModelFilesOptions extends PlacesOfModels {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Where headers that were read are kept; null: nowhere. */
  readonly cacheFile: string | null;
}

/** Looks for model files in the background. */
export interface ModelFiles {
  /** The files as last looked for. Looks again when that is long ago. Throws only when the signal is aborted. */
  readonly find: FindModelFiles;
  /** The next `find` looks again: a file has come or gone. */
  changed(): void;
}

/** Files do not come and go by the second, and a look costs some hundred questions to the disk. */
const FRESH_MS = 30_000;
/** A look that takes longer goes on, and those who ask get what was found before. */
const WAIT_MS = 3000;
/** One question to the file system. */
const PATIENCE_MS = 4000;
/** Each folder that hangs keeps a thread of Node busy, and there are four. */
const HUNG_LIMIT = 2;
const ENTRIES_LIMIT = 20_000;
const FILES_LIMIT = 500;

const PARTIAL = /\.(part|partial|downloading|incomplete|ipull|tmp|downloadInProgress)$|-partial$/i;
const SPLIT = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

export function createModelFiles(options: ModelFilesOptions): ModelFiles {
  const { clock } = options;
  const headers = new KnownHeaders(options.cacheFile);
  const hung = new Set<string>();
  let found: readonly LocalModelFile[] = [];
  let freshUntil = -Infinity;
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const files: Candidate[] = [];
    const seen = new Set<string>();
    for (const root of modelRoots(options)) {
      if (hung.has(root.folder) || hung.size >= HUNG_LIMIT) continue;
      try {
        files.push(...(await candidatesIn(root, headers, clock, seen)));
      } catch (error) {
        // Whatever else goes wrong in one folder, the others are looked at.
        if (error instanceof Unanswered) hung.add(root.folder);
      }
    }
    found = listed(files);
    headers.keep();
  };

  return {
    async find(signal) {
      signal.throwIfAborted();
      if (clock.monotonic() >= freshUntil && looking === null) {
        freshUntil = clock.monotonic() + FRESH_MS;
        looking = look().finally(() => {
          looking = null;
        });
      }
      if (looking !== null) await settledOrLate(looking, clock, signal);
      signal.throwIfAborted();
      return found;
    },
    changed() {
      freshUntil = -Infinity;
    },
  };
}

interface Candidate extends LocalModelFile {
  readonly identity: string;
}

async function candidatesIn(
  root: ModelRoot,
  headers: KnownHeaders,
  clock: Pick<Clock, 'after'>,
  seen: Set<string>,
): Promise<readonly Candidate[]> {
  const ask: Asking = (question) => answered(question, clock, PATIENCE_MS);
  if (root.store === 'ollama') {
    const models: Candidate[] = [];
    for (const { name, digest, file, problem } of await storedModels(root.folder, ask)) {
      const header = await headers.of(file, ask);
      if (header.facts?.use === 'part') continue;
      const own = header.problem ?? problem;
      models.push(candidate(root.owner, name, [file], { ...header, problem: own }, digest));
    }
    return models;
  }
  const limits = { depth: root.depth, entries: ENTRIES_LIMIT, files: FILES_LIMIT };
  const wanted = root.owner === 'llamafile' ? isLlamafile : isModelName;
  const files = await walkFolder(root.folder, limits, wanted, { ask, seen });
  const models: Candidate[] = [];
  for (const parts of joinedParts(files)) {
    const [first] = parts;
    if (!first) continue;
    const owner = isLlamafile(first.path) && root.owner === 'configured' ? 'llamafile' : root.owner;
    const header = await headerOf(parts, headers, ask);
    if (header.facts?.use === 'part') continue;
    models.push(candidate(owner, nameOf(first.path), parts, header, null));
  }
  return models;
}

/** Of all parts together: what the first one says, and whether all are there. */
async function headerOf(
  parts: readonly WalkedFile[],
  headers: KnownHeaders,
  ask: Asking,
): Promise<KnownHeader> {
  const [first, ...others] = parts;
  if (!first) return { facts: null, problem: null };
  if (PARTIAL.test(first.path)) {
    const { facts } = await headers.of(first, ask);
    return { facts, problem: 'its download is not complete' };
  }
  const header = await headers.of(first, ask);
  const total = Number(SPLIT.exec(path.basename(first.path))?.[3] ?? 1);
  const numbers = parts.map((part) => Number(SPLIT.exec(path.basename(part.path))?.[2] ?? 1));
  for (let number = 1; number <= total && number <= 1000; number++)
    if (!numbers.includes(number)) return { ...header, problem: `part ${number} of ${total} is missing` };
  for (const [i, other] of others.entries()) {
    const { problem } = await headers.of(other, ask);
    if (header.problem === null && problem !== null)
      return { ...header, problem: `part ${i + 2} of ${total} is damaged: ${problem}` };
  }
  return header;
}

function candidate(
  owner: ModelFileOwner,
  name: string,
  parts: readonly WalkedFile[],
  { facts, problem }: KnownHeader,
  digest: string | null,
): Candidate {
  const [first] = parts;
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  return {
    path: first?.path ?? '',
    name: sanitizeLine(name),
    sizeBytes,
    quantization: clean(facts?.quantization),
    family: clean(facts?.family),
    parameters: clean(facts?.parameters),
    contextMax: facts?.contextMax ?? null,
    digest: digest ?? `${sizeBytes}-${first?.modifiedMs ?? 0}`,
    owner,
    kvBytesPerToken: facts?.kvBytesPerToken ?? null,
    shape: facts?.shape ?? null,
    problem: problem ?? problemOf(facts),
    chat: facts === null || facts.use === 'chat',
    capabilities: facts?.capabilities ?? null,
    identity: first?.identity ?? '',
  };
}

function problemOf(facts: GgufFacts | null): string | null {
  if (facts?.use === 'embedding') return 'it is an embedding model';
  return facts?.use === 'other' ? 'it is no language model' : null;
}

/** Each file once, for its first owner, under a name of its own. */
function listed(candidates: readonly Candidate[]): readonly LocalModelFile[] {
  const identities = new Set<string>();
  const names = new Set<string>();
  return candidates.flatMap(({ identity, ...file }) => {
    // Two names of Ollama for the same blob are two models: they differ in template and parameters.
    const key = file.owner === 'ollama' ? `${identity} ${file.name}` : identity;
    if (identities.has(key)) return [];
    identities.add(key).add(identity);
    let { name } = file;
    for (let twin = 1; names.has(name); twin++)
      name = twin === 1 ? `${file.name}@${file.owner}` : `${file.name}@${file.owner}-${twin}`;
    names.add(name);
    return [{ ...file, name }];
  });
}

/** Files of one split model together, in the order of their numbers. */
function joinedParts(files: readonly WalkedFile[]): readonly (readonly WalkedFile[])[] {
  const groups = new Map<string, WalkedFile[]>();
  for (const file of files) {
    const split = SPLIT.exec(path.basename(file.path));
    const key = split ? `${path.dirname(file.path)}\0${split[1]}\0${split[3]}` : file.path;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  // A download that was begun beside its finished file is of no interest.
  const whole = new Set(files.map((file) => file.path));
  return [...groups.values()].filter(([first]) => {
    const target = first?.path.replace(PARTIAL, '');
    return target === first?.path || !whole.has(target ?? '');
  });
}

function isModelName(name: string): boolean {
  if (/mmproj/i.test(name)) return false;
  return /\.gguf$/i.test(name.replace(PARTIAL, '')) || isLlamafile(name);
}

function isLlamafile(name: string): boolean {
  return /\.llamafile(\.exe)?$/i.test(name);
}

/** The name of the file without its ending; where all are called `model`, that of their folder. */
function nameOf(file: string): string {
  const base = path
    .basename(file)
    .replace(PARTIAL, '')
    .replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, '')
    .replace(/\.(gguf|llamafile(\.exe)?)$/i, '');
  return /^(ggml-)?model$/i.test(base) ? path.basename(path.dirname(file)) : base;
}

function clean(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : sanitizeLine(text);
}

/** Waits for the work, but not for long, and not beyond an abort. */
function settledOrLate(work: Promise<void>, clock: Pick<Clock, 'after'>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(WAIT_MS, done);
    signal.addEventListener('abort', done, { once: true });
    work.then(done, done);
  });
}
