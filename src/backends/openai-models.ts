import { type LoadState, type Model, modelKey } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type JsonObject, asArray, asObject, asSize, asText, asTexts, field } from './json.js';

/** The entries of `/v1/models`, one per name, in the order of the server. */
export function listedModels(body: unknown): ReadonlyMap<string, JsonObject> {
  const items = new Map<string, JsonObject>();
  for (const entry of asArray(field(asObject(body), 'data'))) {
    const item = asObject(entry);
    const id = asText(field(item, 'id'));
    if (item !== null && id !== null && !items.has(id)) items.set(id, item);
  }
  return items;
}

/** A model of the OpenAI dialect, with the fields that llama.cpp and others add. */
export function openAiModel(item: JsonObject, name: string, backendId: string, loadState: LoadState): Model {
  const meta = asObject(field(item, 'meta'));
  const outputs = asTexts(field(asObject(field(item, 'architecture')), 'output_modalities'));
  const weights = asSize(field(meta, 'n_params'));
  return {
    key: modelKey(backendId, name),
    backendId,
    name,
    label: sanitizeLine(baseName(name)),
    digest: null,
    sizeBytes: asSize(field(meta, 'size')),
    family: null,
    parameters: weights === null ? null : shortCount(weights),
    quantization: quantizationOf(field(meta, 'ftype')),
    contextMax: asSize(field(meta, 'n_ctx_train')),
    // vLLM and its kin tell what they were started with; the model's own maximum may be more.
    contextAllocated: asSize(field(meta, 'n_ctx')) ?? asSize(field(item, 'max_model_len')),
    capabilities: asTexts(field(item, 'capabilities'))?.map(sanitizeLine) ?? null,
    chat: outputs === null || outputs.length === 0 || outputs.includes('text'),
    remote: false,
    loadState,
    loadProgress: null,
    memoryBytes: null,
    vramBytes: null,
    expiry: null,
  };
}

/** A single llama.cpp model is named by its file: the folder tells nothing. */
function baseName(name: string): string {
  const path = /\.(gguf|llamafile)$/i.test(name) || /^([/\\~.]|[a-z]:\\)/i.test(name);
  return path ? name.replace(/^.*[/\\]/, '').replace(/\.(gguf|llamafile)$/i, '') || name : name;
}

function shortCount(weights: number): string {
  return weights >= 1e9 ? `${(weights / 1e9).toFixed(1)}B` : `${Math.round(weights / 1e6)}M`;
}

function quantizationOf(value: unknown): string | null {
  const text = asText(value);
  return text === null ? null : sanitizeLine(text);
}
