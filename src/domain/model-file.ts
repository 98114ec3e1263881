import type { ModelShape } from './model-shape.js';

/**
 * A model file on this disk that the embedded engine can run. What the header does not tell is null. Texts come from outside (names of
 * files, headers) and are sanitised by whoever fills this in; `path` is as the disk has it.
 */
export interface LocalModelFile {
  /** Absolute; of a split model its first part. Never written to. */
  readonly path: string;
  /** Unique among all that are listed and stable over runs: `smollm2-135m-instruct.Q4_1`, `qwen3:4b` of Ollama's store. */
  readonly name: string;
  /** All parts together. */
  readonly sizeBytes: number;
  /** As the header tells it: `Q4_K_M`. */
  readonly quantization: string | null;
  /** `general.architecture`: `llama`. */
  readonly family: string | null;
  /** As shown: `135M`, `8.0B`. */
  readonly parameters: string | null;
  /** The model's own maximum, in tokens. */
  readonly contextMax: number | null;
  /** Changes when the file does; of a file without a digest its size and time. */
  readonly digest: string | null;
  /** Whose file it is: lmapp's own may be deleted, another program's never. */
  readonly owner: ModelFileOwner;
  /** Memory in bytes that a token of context takes; null: the header does not tell its shape. */
  readonly kvBytesPerToken: number | null;
  /** What decides over its memory, for the check whether it fits; absent: not read from a header. */
  readonly shape?: ModelShape | null;
  /** Why it cannot be run (`a part of it is missing`, `an embedding model`), as the end of a sentence; null: it can. */
  readonly problem: string | null;
  /** False: it is no chat model (embedding, reranking). */
  readonly chat: boolean;
  readonly capabilities: readonly string[] | null;
}

export type ModelFileOwner =
  | 'lmapp'
  | 'ollama'
  | 'huggingface'
  | 'llama.cpp'
  | 'lmstudio'
  | 'gpt4all'
  | 'jan'
  | 'node-llama-cpp'
  | 'llamafile'
  /** A folder of the configuration (`models.paths`). */
  | 'configured';

const OWNERS: Readonly<Record<ModelFileOwner, string>> = {
  lmapp: 'lmapp',
  ollama: 'Ollama',
  huggingface: 'the cache of Hugging Face',
  'llama.cpp': 'llama.cpp',
  lmstudio: 'LM Studio',
  gpt4all: 'GPT4All',
  jan: 'Jan',
  'node-llama-cpp': 'node-llama-cpp',
  llamafile: 'llamafile',
  configured: 'a folder of the setting models.paths',
};

/** Whose file it is, as the end of a sentence. */
export function ownerWords(owner: ModelFileOwner): string {
  return OWNERS[owner];
}

/** Tells the model files of this machine. It is asked again and again, so it caches; it throws only when the signal is aborted. */
export type FindModelFiles = (signal: AbortSignal) => Promise<readonly LocalModelFile[]>;
