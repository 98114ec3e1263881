import type { ModelDetails } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { factsOf, longText, NO_DETAILS } from './details.js';
import { asArray, asObject, asSize, asText, asTexts, field, type JsonObject } from './json.js';

/** What `/props` tells about a llama.cpp server. */
export interface LlamaCppProps {
  readonly router: boolean;
  readonly sleeping: boolean;
  /** Builds since the end of 2025 may put an idle model to sleep. */
  readonly canSleep: boolean;
  readonly contextAllocated: number | null;
  /** Older servers do not tell their build: those before November 2024, and llamafile 0.9. */
  readonly tellsBuild: boolean;
  readonly version: string | null;
  /** Null: an older server that does not say which questions it answers. */
  readonly slots: boolean | null;
  readonly metrics: boolean | null;
}

export function propsOf(body: unknown): LlamaCppProps {
  const props = asObject(body);
  const build = asText(field(props, 'build_info'));
  return {
    router: field(props, 'role') === 'router',
    sleeping: field(props, 'is_sleeping') === true,
    canSleep: field(props, 'is_sleeping') !== undefined,
    contextAllocated: asSize(field(asObject(field(props, 'default_generation_settings')), 'n_ctx')),
    tellsBuild: build !== null,
    // Builds from a package have no number: `b0-unknown`.
    version:
      build === null || build.startsWith('b0-')
        ? null
        : (/^b\d+/.exec(build)?.[0] ?? sanitizeLine(build).slice(0, 20)),
    slots: yesOrNo(field(props, 'endpoint_slots')),
    metrics: yesOrNo(field(props, 'endpoint_metrics')),
  };
}

/** Slots at work and slots in all, from `/slots`. Early servers told a state, 1 for "at work". */
export function slotsOf(body: unknown): { readonly busy: number; readonly total: number } {
  const slots = asArray(body).map(asObject);
  const isBusy = (slot: JsonObject | null): boolean =>
    field(slot, 'is_processing') === true || field(slot, 'state') === 1;
  return { busy: slots.filter(isBusy).length, total: slots.length };
}

/** Settings that somebody looks up; the others are about one request. */
const PARAMETERS = [
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'typical_p',
  'repeat_penalty',
  'repeat_last_n',
  'presence_penalty',
  'frequency_penalty',
  'dry_multiplier',
  'mirostat',
  'n_predict',
];

/** Details from `/props` (null: not to be asked) and from the entry of the list. */
export function detailsFrom(body: unknown, item: JsonObject | null): ModelDetails {
  const props = asObject(body);
  const settings = asObject(field(props, 'default_generation_settings'));
  // Early servers have the settings without a level of their own.
  const params = asObject(field(settings, 'params')) ?? settings;
  const meta = asObject(field(item, 'meta'));
  return {
    ...NO_DETAILS,
    system: longText(field(props, 'system_prompt')),
    template: longText(field(props, 'chat_template')),
    parameters: factsOf([
      ...PARAMETERS.map((name) => [name, field(params, name)] as const),
      ['samplers', asTexts(field(params, 'samplers'))?.join(' ')],
    ]),
    facts: factsOf([
      ['file', field(props, 'model_path') ?? field(item, 'path')],
      ['source', field(item, 'source')],
      ['reads', modalitiesOf(props, item)],
      ['slots', asSize(field(props, 'total_slots'))],
      ['context of a slot', asSize(field(settings, 'n_ctx'))],
      ['weights', asSize(field(meta, 'n_params'))],
      ['embedding', asSize(field(meta, 'n_embd'))],
      ['vocabulary', asSize(field(meta, 'n_vocab'))],
      ['begin token', field(props, 'bos_token')],
      ['end token', field(props, 'eos_token')],
      ['aliases', asTexts(field(item, 'aliases'))?.join(', ')],
      ['build', field(props, 'build_info')],
      ['sleeps', field(props, 'is_sleeping') === true || null],
    ]),
  };
}

function modalitiesOf(props: JsonObject | null, item: JsonObject | null): string | null {
  const listed = asTexts(field(asObject(field(item, 'architecture')), 'input_modalities'));
  if (listed !== null) return listed.join(', ');
  const modalities = asObject(field(props, 'modalities'));
  if (modalities === null) return null;
  return ['text', ...Object.keys(modalities).filter((name) => field(modalities, name) === true)].join(', ');
}

function yesOrNo(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
