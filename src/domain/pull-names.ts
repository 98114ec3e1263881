import type { BackendKind } from './model.js';

/** How the models of a kind of server are named when they are fetched, or what is done instead where the server fetches none. */
interface PullWords {
  /** Names that it takes: `qwen3:8b`. */
  readonly names?: string;
  /** A sentence: how a model gets there. */
  readonly instead?: string;
  /** A sentence: what to do where it lists no model, when that is something else. */
  readonly none?: string;
  /** A sentence: how a pull that cannot be stopped from outside is stopped all the same. Absent: it stops when nobody follows it. */
  readonly goesOn?: string;
}

const WORDS: Readonly<Record<BackendKind, PullWords>> = {
  ollama: {
    names: 'a name of ollama.com as qwen3:8b, or hf.co/USER/REPOSITORY:Q4_K_M',
    instead: 'On that machine: ollama pull NAME',
  },
  localai: {
    names: 'a name of its gallery as localai@phi-2, or huggingface://USER/REPOSITORY/FILE.gguf',
    instead: 'On that machine: local-ai models install NAME',
  },
  lmstudio: {
    names: 'a name of its catalogue as qwen/qwen3-8b, or https://huggingface.co/USER/REPOSITORY',
    instead: 'On that machine: lms get NAME',
    goesOn: 'LM Studio goes on with it by itself; its window stops it.',
  },
  'llama.cpp': {
    names: 'a repository of huggingface.co as USER/REPOSITORY:Q4_K_M',
    instead: 'Start it with the model: llama-server -hf USER/REPOSITORY:Q4_K_M',
  },
  embedded: {
    names:
      'a name of the catalogue as smollm2-135m, hf:USER/REPOSITORY:Q4_K_M, or an https address of a GGUF',
    instead: 'Fetch one with: lmapp models pull NAME',
  },
  llamafile: { instead: 'Download another llamafile, or start it with another file: llamafile -m FILE.gguf' },
  vllm: { instead: 'Start it with the model: vllm serve USER/REPOSITORY' },
  gpt4all: { instead: 'Models are downloaded in the window of GPT4All.' },
  jan: {
    instead: 'Models are downloaded in the window of Jan.',
    none: 'Start one in the window of Jan, which lists those that run.',
  },
  litellm: { instead: 'Add the model to model_list in its config.yaml and start it again.' },
};

/** What is typed as a name on such a server; empty for a kind that is not known. */
export function pullNamesOf(kind: BackendKind): string {
  return WORDS[kind]?.names ?? '';
}

/** The next step where a server cannot be told to fetch a model. */
export function insteadOfPull(kind: BackendKind): string {
  return WORDS[kind]?.instead ?? 'Add the model where the server keeps its models.';
}

/** The next step where a server that fetches nothing lists no model. */
export function withoutModels(kind: BackendKind): string {
  return WORDS[kind]?.none ?? insteadOfPull(kind);
}

/** What is said of a pull that goes on in its server, whatever becomes of lmapp; null where it stops with whom has asked for it. */
export function pullGoesOn(kind: BackendKind): string | null {
  return WORDS[kind]?.goesOn ?? null;
}

/** Kinds that have words of their own, for the test that each is one of the registry. */
export const KINDS_WITH_PULL_WORDS: readonly BackendKind[] = Object.keys(WORDS);

/**
 * Whether two names mean one model on a server of this kind. On Ollama `llama3`, `llama3:latest` and `LLAMA3` do; elsewhere names are
 * compared exactly.
 */
export function isSameModelName(kind: BackendKind, a: string, b: string): boolean {
  return kind === 'ollama' ? wholeName(a) === wholeName(b) : a === b;
}

/** The tag stands behind the last `:` after the last `/`: a registry's port is none. */
function wholeName(name: string): string {
  const lower = name.trim().toLowerCase();
  return lower.lastIndexOf(':') > lower.lastIndexOf('/') ? lower : `${lower}:latest`;
}
