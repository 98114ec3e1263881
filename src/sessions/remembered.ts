import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type BackendFeatures, type BackendInfo, type Model, NO_FEATURES } from '../domain/model.js';
import type { CacheFile } from './cache.js';
import { openCache } from './cache.js';
import { cachedModelOf } from './cached-model.js';

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

/** `models.json`: shown at once at the next start, and used to complete names in the shell. What is damaged in it is left out. */
export function openModelCache(file: string): CacheFile<readonly CachedModels[]> {
  const cache = openCache(file, (value): value is readonly unknown[] => Array.isArray(value));
  return {
    read: () => cache.read()?.flatMap((server) => cachedServerOf(server) ?? []) ?? null,
    write: cache.write,
  };
}

function cachedServerOf(value: unknown): CachedModels | null {
  if (!isObject(value) || !isObject(value['backend']) || !Array.isArray(value['models'])) return null;
  const { id, kind, title, url, features } = value['backend'];
  if (typeof id !== 'string' || typeof kind !== 'string' || typeof url !== 'string' || !isObject(features))
    return null;
  const models = value['models'].flatMap((model: unknown) => cachedModelOf(model, id) ?? []);
  const told: Readonly<Record<string, unknown>> = features;
  const known = Object.keys(NO_FEATURES).map((name) => [name, told[name] === true]);
  return {
    backend: {
      id,
      kind,
      title: typeof title === 'string' ? sanitizeLine(title) : kind,
      url,
      features: Object.fromEntries(known) as unknown as BackendFeatures,
    },
    models,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
