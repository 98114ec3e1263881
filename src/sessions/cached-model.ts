import type { Model } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';

/**
 * A model as `models.json` holds it; null when it is none. The file may be of another lmapp, or damaged: what is not of its kind counts as
 * not told. What a server did then says nothing about now and is left out.
 */
export function cachedModelOf(value: unknown, backendId: string): Model | null {
  if (typeof value !== 'object' || value === null) return null;
  const told = value as Readonly<Partial<Record<keyof Model, unknown>>>;
  const { key, name } = told;
  if (typeof key !== 'string' || typeof name !== 'string' || !key.startsWith(`${backendId}/`)) return null;
  return {
    key,
    backendId,
    name,
    label: textOf(told.label) ?? sanitizeLine(name),
    digest: textOf(told.digest),
    sizeBytes: sizeOf(told.sizeBytes),
    family: textOf(told.family),
    parameters: textOf(told.parameters),
    quantization: textOf(told.quantization),
    contextMax: sizeOf(told.contextMax),
    contextAllocated: sizeOf(told.contextAllocated),
    capabilities: textsOf(told.capabilities),
    chat: told.chat !== false,
    remote: told.remote === true,
    loadState: 'unknown',
    loadProgress: null,
    memoryBytes: null,
    vramBytes: null,
    expiry: null,
  };
}

function textsOf(value: unknown): readonly string[] | null {
  const texts = Array.isArray(value) ? value.flatMap((each) => textOf(each) ?? []) : [];
  return texts.length === 0 ? null : texts;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? sanitizeLine(value) : null;
}

function sizeOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
