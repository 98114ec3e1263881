import { type LoadState, type Model, modelKey } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { type JsonObject, asArray, asObject, asSize, asText, asTexts, field } from './json.js';
import { listedModels, openAiModel } from './openai-models.js';

/** Which of its interfaces a server has: `v1` since 0.4, `v0` since 0.3.6, the OpenAI one always. */
export type LmStudioInterface = 'v1' | 'v0' | 'openai';

export const LIST_PATHS: Readonly<Record<LmStudioInterface, string>> = {
  v1: '/api/v1/models',
  v0: '/api/v0/models',
  openai: '/v1/models',
};

/** A line of the list, and what it takes to load or unload it. */
export interface LmStudioModel {
  readonly model: Model;
  /** What is loaded: a model may have several instances. */
  readonly key: string;
  /** Null: not loaded. */
  readonly instance: string | null;
}

/** True when this body is a list of that interface: unknown paths are answered with status 200 as well. */
export function isListOf(api: LmStudioInterface, body: unknown): boolean {
  const object = asObject(body);
  if (api === 'v1') {
    const models = field(object, 'models');
    return Array.isArray(models) && models.every((item) => asText(field(asObject(item), 'key')) !== null);
  }
  const data = field(object, 'data');
  if (api === 'openai') return Array.isArray(data) || data === null;
  return Array.isArray(data) && data.every((item) => asText(field(asObject(item), 'state')) !== null);
}

/** The lines of a list: one for each instance, or one for a model without any. */
export function lmStudioModels(
  api: LmStudioInterface,
  body: unknown,
  backendId: string,
): readonly LmStudioModel[] {
  const found = new Map<string, LmStudioModel>();
  const add = (line: LmStudioModel): void => {
    if (!found.has(line.model.name)) found.set(line.model.name, line);
  };
  if (api === 'v1') {
    for (const entry of asArray(field(asObject(body), 'models')))
      for (const line of fromV1(asObject(entry), backendId)) add(line);
    return [...found.values()];
  }
  for (const [name, item] of listedModels(body)) {
    const model =
      api === 'v0' ? fromV0(item, name, backendId) : openAiModel(item, name, backendId, 'unknown');
    add({ model, key: name, instance: model.loadState === 'loaded' ? name : null });
  }
  return [...found.values()];
}

function fromV1(item: JsonObject | null, backendId: string): readonly LmStudioModel[] {
  const key = asText(field(item, 'key'));
  if (item === null || key === null) return [];
  const type = asText(field(item, 'type'));
  const abilities = asObject(field(item, 'capabilities'));
  const capabilities = [
    ...chatOrNot(type),
    ...(field(abilities, 'vision') === true ? ['vision'] : []),
    ...(field(abilities, 'trained_for_tool_use') === true ? ['tools'] : []),
    ...(asObject(field(abilities, 'reasoning')) !== null ? ['thinking'] : []),
  ];
  const line = (name: string, instance: JsonObject | null): LmStudioModel => ({
    key,
    instance: instance === null ? null : name,
    model: {
      ...modelOf(name, backendId, instance === null ? 'unloaded' : 'loaded'),
      sizeBytes: asSize(field(item, 'size_bytes')),
      family: textOf(field(item, 'architecture')),
      parameters: textOf(field(item, 'params_string')),
      quantization: textOf(field(asObject(field(item, 'quantization')), 'name')),
      contextMax: asSize(field(item, 'max_context_length')),
      contextAllocated: asSize(field(asObject(field(instance, 'config')), 'context_length')),
      capabilities: capabilities.length === 0 ? null : capabilities,
      chat: type !== 'embedding',
    },
  });
  const instances = asArray(field(item, 'loaded_instances')).flatMap((entry) => {
    const instance = asObject(entry);
    const id = asText(field(instance, 'id'));
    return id === null ? [] : [line(id, instance)];
  });
  return instances.length === 0 ? [line(key, null)] : instances;
}

function fromV0(item: JsonObject, name: string, backendId: string): Model {
  const type = asText(field(item, 'type'));
  const state = asText(field(item, 'state'));
  const capabilities = [
    ...chatOrNot(type),
    ...(type === 'vlm' ? ['vision'] : []),
    ...(asTexts(field(item, 'capabilities'))?.includes('tool_use') === true ? ['tools'] : []),
  ];
  return {
    ...modelOf(name, backendId, stateOf(state)),
    family: textOf(field(item, 'arch')),
    quantization: textOf(field(item, 'quantization')),
    contextMax: asSize(field(item, 'max_context_length')),
    contextAllocated: asSize(field(item, 'loaded_context_length')),
    capabilities: capabilities.length === 0 ? null : capabilities,
    chat: type !== 'embeddings',
  };
}

function modelOf(name: string, backendId: string, loadState: LoadState): Model {
  return { ...openAiModel({}, name, backendId, loadState), key: modelKey(backendId, name) };
}

function stateOf(state: string | null): LoadState {
  if (state === 'loaded' || state === 'loading') return state;
  return state === 'not-loaded' ? 'unloaded' : 'unknown';
}

/** In the words of the other servers. */
function chatOrNot(type: string | null): readonly string[] {
  if (type === 'llm' || type === 'vlm') return ['completion'];
  return type === 'embedding' || type === 'embeddings' ? ['embedding'] : [];
}

function textOf(value: unknown): string | null {
  const text = asText(value);
  return text === null ? null : sanitizeLine(text);
}
