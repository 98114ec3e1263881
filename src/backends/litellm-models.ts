import type { Model, ModelDetails } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { NO_DETAILS } from './details.js';
import { type JsonObject, asArray, asObject, asSize, asText, field } from './json.js';

/** What LiteLLM was told of the models behind one name. */
export interface Deployment {
  readonly model: Pick<Model, 'chat' | 'remote' | 'contextMax' | 'capabilities'>;
  /** One of them for each server, key or region that takes turns under this name. */
  readonly entries: readonly JsonObject[];
}

export type Deployments = ReadonlyMap<string, Deployment>;

/** Kinds of work that are a chat; no word means that nobody told. */
const CHAT_MODES = ['chat', 'completion', 'responses'];
/** Providers that run where their user does, as long as no address says otherwise. */
const OWN =
  /^(ollama|ollama_chat|vllm|hosted_vllm|lm_studio|llamafile|xinference|lemonade|docker_model_runner)\//;
const CAPABILITIES = [
  ['supports_vision', 'vision'],
  ['supports_function_calling', 'tools'],
  ['supports_reasoning', 'thinking'],
] as const;

/** Reads `/model/info`, which has an entry for each deployment. */
export function deploymentsOf(body: unknown): Deployments {
  const groups = new Map<string, JsonObject[]>();
  for (const entry of asArray(field(asObject(body), 'data'))) {
    const item = asObject(entry);
    const name = asText(field(item, 'model_name'));
    if (item === null || name === null) continue;
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return new Map([...groups].map(([name, entries]) => [name, { model: modelOf(entries), entries }]));
}

function modelOf(entries: readonly JsonObject[]): Deployment['model'] {
  const infos = entries.map((entry) => asObject(field(entry, 'model_info')));
  const modes = infos.flatMap((info) => asText(field(info, 'mode')) ?? []);
  // Any of them may answer: what counts is what all of them can.
  const lengths = infos.flatMap((info) => asSize(field(info, 'max_input_tokens')) ?? []);
  const told = CAPABILITIES.filter(([key]) => infos.every((info) => field(info, key) === true));
  const capabilities = [
    ...modes.filter((mode) => mode === 'embedding').slice(0, 1),
    ...told.map(([, name]) => name),
  ];
  return {
    chat: modes.length === 0 || modes.some((mode) => CHAT_MODES.includes(mode)),
    remote: entries.every(isRemote),
    contextMax: lengths.length === 0 ? null : Math.min(...lengths),
    capabilities: capabilities.length === 0 ? null : capabilities,
  };
}

/** A provider of the cloud: named, and without an address of its own. */
function isRemote(entry: JsonObject): boolean {
  const parameters = asObject(field(entry, 'litellm_params'));
  const model = asText(field(parameters, 'model'));
  return model !== null && asText(field(parameters, 'api_base')) === null && !OWN.test(model);
}

/** For the details of a model; addresses without credentials. */
export function describeDeployments(deployment: Deployment | null): ModelDetails {
  const entries = deployment?.entries ?? [];
  const upstream = entries.map((entry): readonly [string, string] => {
    const parameters = asObject(field(entry, 'litellm_params'));
    const host = hostOf(asText(field(parameters, 'api_base')));
    const name = asText(field(parameters, 'model')) ?? '—';
    return ['answered by', sanitizeLine(host === null ? name : `${name} at ${host}`)];
  });
  const modes = new Set(
    entries.flatMap((entry) => asText(field(asObject(field(entry, 'model_info')), 'mode')) ?? []),
  );
  return {
    ...NO_DETAILS,
    facts: [
      ...(entries.length > 1 ? [['deployments', `×${entries.length}`] as const] : []),
      ...upstream,
      ...[...modes].map((mode) => ['mode', sanitizeLine(mode)] as const),
    ],
  };
}

function hostOf(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null;
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}`;
}
