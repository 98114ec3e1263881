import type { BackendInfo, Model } from '../domain/model.js';
import type { CacheFile } from './cache.js';
import { openCache } from './cache.js';

/** What lmapp remembers between two runs that is no setting. */
export interface Remembered {
  /** Key of the model that was chosen last. */
  readonly model: string;
}

/** The models that a server had when it was seen last. */
export interface CachedModels {
  readonly backend: BackendInfo;
  readonly models: readonly Model[];
}

/** `state.json`. */
export function openRemembered(file: string): CacheFile<Remembered> {
  return openCache(
    file,
    (value): value is Remembered => isObject(value) && typeof value['model'] === 'string',
  );
}

/** `models.json`: shown at once at the next start, and used to complete names in the shell. */
export function openModelCache(file: string): CacheFile<readonly CachedModels[]> {
  return openCache(
    file,
    (value): value is readonly CachedModels[] => Array.isArray(value) && value.every(isCachedModels),
  );
}

function isCachedModels(value: unknown): value is CachedModels {
  if (!isObject(value) || !isObject(value['backend']) || !Array.isArray(value['models'])) return false;
  const { backend } = value;
  if (
    typeof backend['id'] !== 'string' ||
    typeof backend['url'] !== 'string' ||
    !isObject(backend['features'])
  )
    return false;
  return value['models'].every(
    (model) => isObject(model) && typeof model['key'] === 'string' && typeof model['name'] === 'string',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
