import type { Model } from './model.js';

/** Ollama names a blob by its digest; a file that is told by size and time has none. */
const BLOB = /^sha256:[0-9a-f]{64}$/;

/** Whether a file of this machine lies in Ollama's store, by its model as it stands under `this machine`. */
export function isOfOllama({ digest }: Model): boolean {
  return digest !== null && BLOB.test(digest);
}

/**
 * Whether what a server has is, by all that its list tells, the file of this machine: under the same name, or as the blob of Ollama's store
 * that it is.
 */
export function isSameFile(own: Model, served: Model): boolean {
  const name = plainName(served.label);
  return name === plainName(own.label) || (isOfOllama(own) && name === own.digest?.replace(':', '-'));
}

function plainName(label: string): string {
  return label.toLowerCase().replace(/\.(?:gguf|llamafile)$|:latest$/, '');
}
