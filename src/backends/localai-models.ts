import type { Model } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type JsonObject, asArray, asObject, asSize, asText, asTexts, field } from './json.js';
import { listedModels } from './openai-models.js';

/** What LocalAI tells beside the names. Null: this version does not tell, or not to this key. */
export interface LocalAiFacts {
  /** Of `/v1/models/capabilities`, by the name. */
  readonly abilities: ReadonlyMap<string, JsonObject> | null;
  /** Names of `/system`. */
  readonly loaded: ReadonlySet<string> | null;
  /** Bytes, of `/backend/monitor`. */
  readonly memory: ReadonlyMap<string, number>;
}

export function abilitiesOf(body: unknown): ReadonlyMap<string, JsonObject> {
  return listedModels(body);
}

export function loadedOf(body: unknown): ReadonlySet<string> | null {
  const models = field(asObject(body), 'loaded_models');
  if (!Array.isArray(models) && models !== null) return null;
  return new Set(asArray(models).flatMap((item) => asText(field(asObject(item), 'id')) ?? []));
}

/** Its own figure, or where its backend gives none that of the process: under names in two spellings. */
export function memoryOf(body: unknown): number | null {
  const object = asObject(body);
  const own = asObject(field(object, 'memory')) ?? asObject(field(object, 'Memory'));
  const process = asObject(field(object, 'MemoryInfo')) ?? asObject(field(object, 'memory_info'));
  return (
    asSize(field(own, 'total')) ??
    asSize(field(own, 'Total')) ??
    asSize(field(process, 'rss')) ??
    asSize(field(process, 'RSS'))
  );
}

export function withFacts(model: Model, facts: LocalAiFacts): Model {
  const item = facts.abilities?.get(model.name) ?? null;
  const told = asTexts(field(item, 'capabilities'))?.map(sanitizeLine) ?? [];
  const outputs = asTexts(field(item, 'output_modalities')) ?? [];
  const { loaded } = facts;
  return {
    ...model,
    capabilities: told.length === 0 ? null : told.map(usualWord),
    // Without a word about it a model may chat.
    chat: (told.length === 0 || told.some(isChat)) && (outputs.length === 0 || outputs.includes('text')),
    contextAllocated: asSize(field(item, 'context_size')),
    loadState: loaded === null ? 'unknown' : loaded.has(model.name) ? 'loaded' : 'unloaded',
    memoryBytes: facts.memory.get(model.name) ?? null,
  };
}

function isChat(capability: string): boolean {
  return /chat|completion/i.test(capability);
}

/** In the words of the other servers. */
function usualWord(capability: string): string {
  return /^embeddings?$/i.test(capability) ? 'embedding' : capability;
}
