import { parsePrometheus, sumOf } from '../wire/prometheus.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { asArray, asObject, asSize, asText, field } from './json.js';

/** What `/props` tells about a llama.cpp server. */
export interface LlamaCppProps {
  readonly router: boolean;
  readonly sleeping: boolean;
  readonly contextAllocated: number | null;
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
    contextAllocated: asSize(field(asObject(field(props, 'default_generation_settings')), 'n_ctx')),
    // Builds from a package have no number: `b0-unknown`.
    version:
      build === null || build.startsWith('b0-')
        ? null
        : (/^b\d+/.exec(build)?.[0] ?? sanitizeLine(build).slice(0, 20)),
    slots: yesOrNo(field(props, 'endpoint_slots')),
    metrics: yesOrNo(field(props, 'endpoint_metrics')),
  };
}

/** Slots at work and slots in all, from `/slots`. */
export function slotsOf(body: unknown): { readonly busy: number; readonly total: number } {
  const slots = asArray(body).map(asObject);
  return { busy: slots.filter((slot) => field(slot, 'is_processing') === true).length, total: slots.length };
}

/** One number of a Prometheus text; null when it is not there. */
export function metricOf(text: string, name: string): number | null {
  return sumOf(parsePrometheus(text), name);
}

function yesOrNo(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
