import { type Expiry, type LoadState, type Model, modelKey } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type JsonObject, asArray, asObject, asSize, asCount, asText, field } from './json.js';
import type { OllamaAbilities } from './ollama-details.js';

/** A loaded model as `/api/ps` tells it. */
export interface OllamaLoaded {
  readonly name: string;
  readonly digest: string | null;
  readonly memoryBytes: number | null;
  readonly vramBytes: number | null;
  readonly contextAllocated: number | null;
  readonly expiry: Expiry;
}

/** Ten years: Ollama writes "never" as a time some 290 years ahead. */
const NEVER_MS = 10 * 365 * 24 * 3600_000;

/** `llama3`, `llama3:latest` and `LLAMA3` are one model. */
export function ollamaName(name: string): string {
  const lower = name.toLowerCase();
  return lower.lastIndexOf(':') > lower.lastIndexOf('/') ? lower : `${lower}:latest`;
}

export function loadedFromPs(body: unknown, now: number): OllamaLoaded[] {
  return asArray(field(asObject(body), 'models')).flatMap((item) => {
    const object = asObject(item);
    const name = asText(field(object, 'name')) ?? asText(field(object, 'model'));
    if (name === null) return [];
    const memoryBytes = asSize(field(object, 'size'));
    const vram = asCount(field(object, 'size_vram'));
    return {
      name,
      digest: asText(field(object, 'digest')),
      memoryBytes,
      vramBytes: vram === null || memoryBytes === null ? null : Math.min(vram, memoryBytes),
      contextAllocated: asSize(field(object, 'context_length')),
      expiry: expiryOf(field(object, 'expires_at'), now),
    };
  });
}

/** Go's zero time stands for "its first request still runs". */
export function expiryOf(value: unknown, now: number): Expiry {
  const text = asText(value);
  if (text === null) return null;
  if (text.startsWith('0001-')) return 'in-use';
  // Nine fraction digits are more than every parser of dates takes.
  const at = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  if (Number.isNaN(at)) return null;
  return at - now > NEVER_MS ? 'never' : { at };
}

/** The load state is matched by digest: names that share one share a runner, and only the first is listed as loaded. */
export function findLoaded(
  loaded: readonly OllamaLoaded[],
  name: string,
  digest: string | null,
): OllamaLoaded | null {
  const byDigest = digest === null ? undefined : loaded.find((item) => item.digest === digest);
  return byDigest ?? loaded.find((item) => ollamaName(item.name) === ollamaName(name)) ?? null;
}

export function ollamaModel(
  item: JsonObject,
  name: string,
  backendId: string,
  abilities: OllamaAbilities,
  loaded: OllamaLoaded | null,
  loadState: LoadState,
): Model {
  const told = asObject(field(item, 'details'));
  const { capabilities } = abilities;
  return {
    key: modelKey(backendId, name),
    backendId,
    name,
    label: sanitizeLine(name.replace(/:latest$/, '')),
    digest: asText(field(item, 'digest')),
    sizeBytes: asSize(field(item, 'size')),
    family: line(field(told, 'family')),
    parameters: line(field(told, 'parameter_size')),
    quantization: line(field(told, 'quantization_level')),
    contextMax: abilities.contextMax,
    contextAllocated: loaded?.contextAllocated ?? null,
    capabilities: capabilities?.map(sanitizeLine) ?? null,
    chat: capabilities === null || capabilities.length === 0 || capabilities.includes('completion'),
    remote: asText(field(item, 'remote_host')) !== null || /[:-]cloud$/.test(name),
    loadState,
    loadProgress: null,
    memoryBytes: loaded?.memoryBytes ?? null,
    vramBytes: loaded?.vramBytes ?? null,
    expiry: loaded?.expiry ?? null,
  };
}

function line(value: unknown): string | null {
  const text = asText(value);
  return text === null || text === 'unknown' ? null : sanitizeLine(text);
}
