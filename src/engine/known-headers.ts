import { open, readFile } from 'node:fs/promises';
import { ggufFacts, type GgufFacts } from '../domain/gguf-facts.js';
import { systemCode, writeAtomically } from '../files.js';
import { GgufError } from './gguf-error.js';
import { parseGgufHeader } from './gguf-header.js';
import { readerOf } from './window.js';
import type { Asking, WalkedFile } from './walk-folder.js';
import { findInZip, ZipError } from './zip.js';

/** What the header of a file says, or why it says nothing. */
export interface KnownHeader {
  readonly facts: GgufFacts | null;
  /** The end of a sentence: `is no GGUF file`, `is not complete`. */
  readonly problem: string | null;
}

interface Remembered extends KnownHeader {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Raised when what is kept of a header changes. */
const VERSION = 1;
const KEPT_LIMIT = 4000;
const FILE_LIMIT_BYTES = 8 * 1024 * 1024;

/** Headers by path, size and time of change, kept in a file of the cache: reading one takes up to some 50 ms. */
export class KnownHeaders {
  readonly #file: string | null;
  #known: Map<string, Remembered> | null = null;
  #asked = new Map<string, Remembered>();
  #changed = false;

  /** `file`: null for not kept. */
  constructor(file: string | null) {
    this.#file = file;
  }

  /** Throws what `ask` throws when it is tired of waiting. */
  async of(file: WalkedFile, ask: Asking): Promise<KnownHeader> {
    this.#known ??= await this.#read();
    const known = this.#known.get(file.path);
    const header =
      known && known.sizeBytes === file.sizeBytes && known.modifiedMs === file.modifiedMs
        ? known
        : { ...(await readHeader(file, ask)), sizeBytes: file.sizeBytes, modifiedMs: file.modifiedMs };
    if (header !== known) this.#changed = true;
    this.#asked.set(file.path, header);
    return header;
  }

  /** Keeps those asked for since the last time, and forgets the others. What cannot be kept is read again next time. */
  keep(): void {
    const gone = this.#known !== null && this.#known.size > this.#asked.size;
    this.#known = this.#asked;
    this.#asked = new Map();
    if (this.#file === null || (!this.#changed && !gone)) return;
    this.#changed = false;
    try {
      const files = Object.fromEntries([...this.#known].slice(0, KEPT_LIMIT));
      writeAtomically(this.#file, JSON.stringify({ version: VERSION, files }));
    } catch {
      // A full or read-only disk.
    }
  }

  async #read(): Promise<Map<string, Remembered>> {
    if (this.#file === null) return new Map();
    try {
      const text = await readFile(this.#file, 'utf8');
      if (text.length > FILE_LIMIT_BYTES) return new Map();
      const { version, files } = JSON.parse(text) as { version?: unknown; files?: unknown };
      if (version !== VERSION || typeof files !== 'object' || files === null) return new Map();
      return new Map(
        Object.entries(files).filter((entry): entry is [string, Remembered] => isRemembered(entry[1])),
      );
    } catch {
      return new Map();
    }
  }
}

async function readHeader(file: WalkedFile, ask: Asking): Promise<KnownHeader> {
  let handle;
  try {
    handle = await ask(open(file.path, 'r'));
    const read = readerOf(handle);
    const packed = /\.llamafile(\.exe)?$/i.test(file.path);
    const start = packed
      ? (await ask(findInZip(read, file.sizeBytes, (name) => /\.gguf$/i.test(name)))).start
      : 0;
    const header = await ask(parseGgufHeader((position, length) => read(start + position, length)));
    const complete = start + header.neededBytes <= file.sizeBytes;
    const share = Math.floor((file.sizeBytes / header.neededBytes) * 100);
    return {
      facts: ggufFacts(header),
      problem: packed
        ? 'it lies inside a llamafile: start that as a server'
        : complete
          ? null
          : `only ${share} % of it is there`,
    };
  } catch (error) {
    if (error instanceof GgufError) return { facts: null, problem: `it ${error.message}` };
    if (error instanceof ZipError) return { facts: null, problem: 'it is no llamafile with a model inside' };
    const code = systemCode(error);
    if (code === '') throw error;
    return {
      facts: null,
      problem: code === 'EACCES' || code === 'EPERM' ? 'it may not be read' : 'it cannot be read',
    };
  } finally {
    handle?.close().catch(() => undefined);
  }
}

/** The cache may have been written by anything. */
function isRemembered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { sizeBytes, modifiedMs, problem, facts } = value as Readonly<Record<string, unknown>>;
  if (typeof sizeBytes !== 'number' || typeof modifiedMs !== 'number') return false;
  return (problem === null || typeof problem === 'string') && (facts === null || isFacts(facts));
}

function isFacts(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  const facts = value as Readonly<Record<keyof GgufFacts, unknown>>;
  const texts = [facts.family, facts.parameters, facts.quantization];
  const numbers = [facts.contextMax, facts.kvBytesPerToken, facts.splitCount];
  return (
    texts.every((text) => text === null || typeof text === 'string') &&
    numbers.every((number) => number === null || typeof number === 'number') &&
    (facts.shape === null ||
      (typeof facts.shape === 'object' && 'layers' in facts.shape && Array.isArray(facts.shape.layers))) &&
    ['chat', 'embedding', 'other', 'part'].includes(String(facts.use)) &&
    (facts.capabilities === null ||
      (Array.isArray(facts.capabilities) && facts.capabilities.every((each) => typeof each === 'string')))
  );
}
