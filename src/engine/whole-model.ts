import { stat } from 'node:fs/promises';
import { wireError } from '../wire/wire-error.js';
import { GgufError } from './gguf-error.js';
import { readGgufHeader } from './gguf-header.js';

/** Whether a model file is here already; with an unknown size (null) by what its header says. */
export async function isWhole(file: string, sizeBytes: number | null): Promise<boolean> {
  try {
    const { size } = await stat(file);
    return sizeBytes === null ? (await readGgufHeader(file)).neededBytes <= size : size === sizeBytes;
  } catch {
    return false;
  }
}

/** A file whose sha256nobody told may still be a part of one, or something else with the right first bytes. Throws WireError. */
export async function checkModel(file: string): Promise<void> {
  try {
    const { size } = await stat(file);
    const { neededBytes } = await readGgufHeader(file);
    if (neededBytes > size)
      throw wireError('bad-model-file', {
        words: `is not complete: ${size} of at least ${neededBytes} bytes`,
      });
  } catch (error) {
    if (error instanceof GgufError)
      throw wireError('bad-model-file', { words: error.message }, { cause: error });
    throw error;
  }
}
