import type { ModelDetails } from '../domain/model.js';
import { sanitize, sanitizeLine } from '../../widgets/text/sanitize.js';
import { asText } from './json.js';

/** Licences and templates have some ten thousand characters; nobody reads more than this in a dashboard. */
const TEXT_LIMIT_CHARS = 64 * 1024;
const LINE_LIMIT_CHARS = 400;

/** Details of which a server tells nothing. */
export const NO_DETAILS: ModelDetails = {
  license: null,
  system: null,
  template: null,
  parameters: [],
  modifiedAt: null,
  facts: [],
  shape: null,
};

/** A text of several lines, made safe and cut to a length that can be shown. */
export function longText(value: unknown): string | null {
  const text = asText(value);
  if (text === null) return null;
  const safe = sanitize(text.slice(0, TEXT_LIMIT_CHARS)).trim();
  return asText(text.length > TEXT_LIMIT_CHARS ? `${safe}\n…` : safe);
}

/** A value as one safe line; null when there is none. Fractions lose the digits that 32 bits do not hold. */
export function shortText(value: unknown): string | null {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return null;
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(7)));
  }
  const text = asText(value);
  return text === null ? null : asText(sanitizeLine(text.slice(0, LINE_LIMIT_CHARS)).trim());
}

/** Those pairs of a name and a value that have a value. */
export function factsOf(
  pairs: readonly (readonly [name: string, value: unknown])[],
): readonly (readonly [string, string])[] {
  return pairs.flatMap(([name, value]) => {
    const text = shortText(value);
    return text === null ? [] : [[sanitizeLine(name), text] as const];
  });
}
