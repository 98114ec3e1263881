import type { ModelDetails } from '../domain/model.js';
import { shapeOfShow } from '../domain/read-shape.js';
import { factsOf, longText } from './details.js';
import { asArray, asObject, asSize, asText, asTexts, field, type JsonObject } from './json.js';

/** What a model can do and hold, from the list or from its details. */
export interface OllamaAbilities {
  readonly capabilities: readonly string[] | null;
  readonly contextMax: number | null;
}

/** More parameters than any Modelfile has. */
const PARAMETERS_LIMIT = 200;

export function abilitiesFromList(item: JsonObject): OllamaAbilities {
  const details = asObject(field(item, 'details'));
  return {
    capabilities: asTexts(field(item, 'capabilities')),
    contextMax: asSize(field(details, 'context_length')),
  };
}

/** From `/api/show`; the context stands under the name of the architecture. */
export function abilitiesFromShow(body: unknown): OllamaAbilities {
  const object = asObject(body);
  return {
    capabilities: asTexts(field(object, 'capabilities')),
    contextMax: asSize(ofArchitecture(object, 'context_length')),
  };
}

/** All of `/api/show` that is worth showing. */
export function detailsFromShow(body: unknown): ModelDetails {
  const object = asObject(body);
  const details = asObject(field(object, 'details'));
  const info = asObject(field(object, 'model_info'));
  const modified = Date.parse(asText(field(object, 'modified_at')) ?? '');
  return {
    // Several licences come as one text, from some servers as a list.
    license: longText(asTexts(field(object, 'license'))?.join('\n\n') ?? field(object, 'license')),
    system: longText(field(object, 'system')),
    template: longText(field(object, 'template')),
    parameters: factsOf(parametersFromShow(body)),
    modifiedAt: Number.isNaN(modified) ? null : modified,
    facts: factsOf([
      ['architecture', field(info, 'general.architecture')],
      ['weights', asSize(field(info, 'general.parameter_count'))],
      ['layers', asSize(ofArchitecture(object, 'block_count'))],
      ['embedding', asSize(ofArchitecture(object, 'embedding_length'))],
      ['heads', asSize(ofArchitecture(object, 'attention.head_count'))],
      ['heads of keys and values', asSize(ofArchitecture(object, 'attention.head_count_kv'))],
      ['head size', asSize(ofArchitecture(object, 'attention.key_length'))],
      ['vocabulary', asSize(ofArchitecture(object, 'vocab_size'))],
      ['format', field(details, 'format')],
      ['organisation', field(info, 'general.organization')],
      ['licence', field(info, 'general.license')],
      ['base model', field(details, 'parent_model')],
      ['needs Ollama', field(object, 'requires')],
      ['runs at', field(object, 'remote_host')],
      ['runs as', field(object, 'remote_model')],
      ['projector', asArray(Object.keys(asObject(field(object, 'projector_info')) ?? {})).length > 0 || null],
    ]),
    shape: info && shapeOfShow(info, asArray(field(object, 'tensors'))),
  };
}

/** The `parameters` text: a name, blanks, a value; in any order, and lists repeat the name. Numbers before lists, by name. */
export function parametersFromShow(body: unknown): readonly (readonly [name: string, value: string])[] {
  const text = (asText(field(asObject(body), 'parameters')) ?? '').slice(0, 64 * 1024);
  return text
    .split(/\r?\n/)
    .flatMap((line): [string, string][] => {
      const match = /^\s*(\S+)\s+(.*\S)\s*$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', (match[2] ?? '').replace(/^"(.*)"$/, '$1')]];
    })
    .slice(0, PARAMETERS_LIMIT)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function ofArchitecture(show: JsonObject | null, name: string): unknown {
  const info = asObject(field(show, 'model_info'));
  const architecture = asText(field(info, 'general.architecture'));
  return architecture === null ? undefined : field(info, `${architecture}.${name}`);
}
