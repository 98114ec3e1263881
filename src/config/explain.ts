import { nearestNames } from '../domain/names.js';
import type { ValueSchema } from './schema.js';
import { SETTING_KEYS } from './schema.js';
import { validate } from './validate.js';

/** One thing that is wrong with a configuration. */
export interface SettingFault {
  /** The path in the file, e.g. `backends[0].url`; empty: the whole. */
  readonly path: string;
  /** The setting that the path belongs to; null: none, or a key that does not exist. */
  readonly top: string | null;
  /** A sentence without a stop at its end: the path, the value, what is allowed. */
  readonly message: string;
  /** An unknown key does no harm: the rest is used. */
  readonly unknownKey: boolean;
}

/** Longer values are cut in messages. */
const VALUE_CHARS = 60;

/** Everything that is wrong with `value` as the contents of a configuration file, in words. */
export function faultsOf(value: unknown): readonly SettingFault[] {
  return validate(value).map((error) => {
    const steps = error.instancePath.split('/').slice(1).map(unescapeStep);
    const top = steps[0] ?? null;
    if (error.keyword === 'additionalProperties')
      return unknownKey(steps, String(error.params['additionalProperty']), error.parentSchema);
    const path = pathOf(steps);
    if (error.keyword === 'required') {
      return {
        path,
        top,
        unknownKey: false,
        message: `${path} has no ${String(error.params['missingProperty'])}`,
      };
    }
    const schema = error.parentSchema as ValueSchema;
    const shown = steps.at(-1) === 'key' ? '••••' : shortened(error.data);
    const place = path === '' ? 'the file' : path;
    return { path, top, unknownKey: false, message: `${place} is ${shown}; ${allowedBy(schema)}` };
  });
}

/** What a value may be: `allowed is a whole number from 0 to 120`. */
export function allowedBy(schema: ValueSchema): string {
  return `allowed is ${kindOf(schema)}`;
}

/** The kind of a value in words, for messages and documentation. */
export function kindOf(schema: ValueSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number':
      return `a ${schema.type === 'integer' ? 'whole number' : 'number'}${rangeOf(schema)}${schema.nullable ? ', or null' : ''}`;
    case 'array':
      return schema.items?.type === 'object' ? 'a list of objects' : 'a list of texts';
    case 'object':
      return 'an object';
    case 'string':
      return schema.pattern === '\\S'
        ? 'a text that is not empty'
        : schema.pattern
          ? 'a duration such as 10m, 1h, 0 or -1'
          : 'a text';
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: ValueSchema): string {
  if (exclusiveMinimum !== undefined && maximum !== undefined)
    return ` above ${exclusiveMinimum}, at most ${maximum}`;
  if (minimum === undefined || maximum === undefined) return '';
  return ` from ${minimum} to ${maximum}`;
}

function unknownKey(steps: readonly string[], key: string, parent: unknown): SettingFault {
  const known = steps.length === 0 ? SETTING_KEYS : Object.keys((parent as ValueSchema).properties ?? {});
  const nearest = nearestNames(key, known, 1)[0];
  const path = pathOf([...steps, key]);
  const message = `${path} is not a known setting${nearest === undefined ? '' : `; did you mean ${pathOf([...steps, nearest])}?`}`;
  return { path, top: steps[0] ?? null, unknownKey: true, message };
}

function pathOf(steps: readonly string[]): string {
  return steps.reduce(
    (path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
    '',
  );
}

/** JSON pointer escapes. */
function unescapeStep(step: string): string {
  return step.replace(/~1/g, '/').replace(/~0/g, '~');
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  // A whole list or object may hold a key.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS - 1)}…` : text;
}
