import type { BackendKind } from './model.js';

/** The next steps where a server cannot be told to load, unload or delete a model: how that is done on it. One sentence each. */
interface LifeWords {
  readonly load: string;
  readonly unload: string;
  readonly delete: string;
}

/** Of servers that start with one model and keep it. */
const ONE_MODEL = {
  load: 'It loads its model when it starts: start it with the one that you want.',
  unload: 'It keeps its model until it is stopped.',
  delete: 'Its files are deleted where they lie.',
} as const;

const WORDS: Readonly<Record<BackendKind, LifeWords>> = {
  'llama.cpp': ONE_MODEL,
  llamafile: ONE_MODEL,
  vllm: ONE_MODEL,
  gpt4all: {
    load: 'It loads a model with the first message to it.',
    unload: 'It keeps a model until another one is asked, or it is quit.',
    delete: 'Models are removed in the window of GPT4All.',
  },
  jan: {
    load: 'Models are started in the window of Jan.',
    unload: 'Models are stopped in the window of Jan.',
    delete: 'Models are removed in the window of Jan.',
  },
  litellm: {
    load: 'It passes messages on: load it on the server behind it.',
    unload: 'It passes messages on: unload it on the server behind it.',
    delete: 'Take it out of model_list in its config.yaml, and start it again.',
  },
  lmstudio: {
    load: 'On that machine: lms load NAME',
    unload: 'On that machine: lms unload NAME',
    delete: 'Models are removed in the window of LM Studio.',
  },
};

const ANY: LifeWords = {
  load: 'Its models are loaded where it runs.',
  unload: 'Its models are unloaded where it runs.',
  delete: 'Its models are deleted where it keeps them.',
};

/** How a model is loaded, unloaded or deleted on a server of this kind that does not do it when it is told to. */
export function insteadOf(what: keyof LifeWords, kind: BackendKind): string {
  return (WORDS[kind] ?? ANY)[what];
}

/** Kinds that have words of their own, for the test that each is one of the registry. */
export const KINDS_WITH_LIFE_WORDS: readonly BackendKind[] = Object.keys(WORDS);
