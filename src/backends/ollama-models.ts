import { type Expiry, type LoadState, type Model, modelKey } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type JsonObject, asArray, asObject, asSize, asCount, asText, asTexts, field } from './json.js';

/** What a model can do and hold, from the list or from its details. */
export interface OllamaDetails {
  readonly capabilities: readonly string[] | null;
  readonly contextMax: number | null;
}

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

export function detailsFromList(item: JsonObject): OllamaDetails {
  const details = asObject(field(item, 'details'));
  return {
    capabilities: asTexts(field(item, 'capabilities')),
    contextMax: asSize(field(details, 'context_length')),
  };
}

/** From `/api/show`; the context stands under the name of the architecture. */
export function detailsFromShow(body: unknown): OllamaDetails {
  const object = asObject(body);
  const info = asObject(field(object, 'model_info'));
  const architecture = asText(field(info, 'general.architecture'));
  return {
    capabilities: asTexts(field(object, 'capabilities')),
    contextMax: architecture === null ? null : asSize(field(info, `${architecture}.context_length`)),
  };
}

/** The `parameters` text of `/api/show`: a name, blanks, a value; in any order, and lists repeat the name. */
export function parametersFromShow(body: unknown): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of (asText(field(asObject(body), 'parameters')) ?? '').split(/\r?\n/)) {
    const match = /^\s*(\S+)\s+(.*\S)\s*$/.exec(line);
    if (match === null) continue;
    const name = match[1] ?? '';
    found.set(name, [...(found.get(name) ?? []), (match[2] ?? '').replace(/^"(.*)"$/, '$1')]);
  }
  return found;
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
  details: OllamaDetails,
  loaded: OllamaLoaded | null,
  loadState: LoadState,
): Model {
  const told = asObject(field(item, 'details'));
  const { capabilities } = details;
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
    contextMax: details.contextMax,
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
