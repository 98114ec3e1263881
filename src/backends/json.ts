/** Reading of foreign JSON: every field may be absent or of another type. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** Null when it is no text or empty: servers write "" for "not told". */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Null when it is not a finite number of at least zero. */
export function asCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Like asCount, but 0 is "not told" too: sizes, context lengths. */
export function asSize(value: unknown): number | null {
  const count = asCount(value);
  return count === 0 ? null : count;
}

/** Only own fields: a name like `__proto__` in foreign JSON finds nothing. */
export function field(object: JsonObject | null, name: string): unknown {
  return object !== null && Object.hasOwn(object, name) ? object[name] : undefined;
}

export function asTexts(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter((item): item is string => typeof item === 'string' && item !== '');
}
