import type { Model } from '../domain/model.js';
import { openModelCache } from '../sessions/remembered.js';
import type { AskedServer } from './find-backends.js';

const GIGABYTE = 1e9;
const MEGABYTE = 1e6;

/** One object per model, for scripts; null is what the server did not tell. Sizes in bytes. */
export function modelsAsJson(servers: readonly AskedServer[]): readonly Readonly<Record<string, unknown>>[] {
  return servers.flatMap(({ backend, url, models }) =>
    models.map((model) => ({
      key: model.key,
      name: model.name,
      server: backend?.info.kind ?? null,
      url,
      sizeBytes: model.sizeBytes,
      family: model.family,
      parameters: model.parameters,
      quantization: model.quantization,
      contextMax: model.contextMax,
      contextAllocated: model.contextAllocated,
      chat: model.chat,
      state: model.loadState,
      digest: model.digest,
    })),
  );
}

/** One line per model, under a line per server. */
export function modelsAsTable(servers: readonly AskedServer[]): string {
  const all = servers.flatMap(({ models }) => models);
  const width = Math.max(0, ...all.map((model) => model.label.length));
  return servers
    .filter(({ fault }) => fault === null)
    .map(({ title, url, models }) => {
      const lines = models.map((model) => `  ${rowOf(model, width)}\n`);
      return `${title}${url === '' ? '' : ` ${url}`}\n${lines.length === 0 ? '  no models\n' : lines.join('')}`;
    })
    .join('');
}

/** Keeps the list for the next start of the dashboard and for the completions. Servers that did not answer keep theirs. */
export function rememberModels(file: string, servers: readonly AskedServer[]): void {
  const cache = openModelCache(file);
  const answered = servers.flatMap(({ backend, models, fault }) =>
    backend && !fault && backend.info.kind !== 'mock' ? [{ backend: backend.info, models }] : [],
  );
  if (answered.length === 0) return;
  const others = (cache.read() ?? []).filter(
    (old) => !answered.some((fresh) => fresh.backend.id === old.backend.id),
  );
  cache.write([...answered, ...others]);
}

function rowOf(model: Model, width: number): string {
  const context = model.contextAllocated ?? model.contextMax;
  return [
    model.label.padEnd(width),
    sizeOf(model.sizeBytes).padStart(8),
    (model.parameters ?? '—').padStart(7),
    (model.quantization ?? '—').padStart(8),
    (context === null ? '—' : `${context} ctx`).padStart(11),
    model.chat ? (model.loadState === 'loaded' ? 'loaded' : '') : 'not for chat',
  ]
    .join('  ')
    .trimEnd();
}

function sizeOf(bytes: number | null): string {
  if (bytes === null) return '—';
  return bytes >= GIGABYTE ? `${(bytes / GIGABYTE).toFixed(1)} GB` : `${Math.round(bytes / MEGABYTE)} MB`;
}
