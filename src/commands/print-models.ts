import { formatBytes } from '../../widgets/text/format.js';
import type { Model } from '../domain/model.js';
import { withoutModels } from '../domain/pull-names.js';
import { openModelCache } from '../sessions/remembered.js';
import type { AskedServer } from './find-backends.js';

/** One object per model, for scripts (docs/models.md). */
export function modelsAsJson(servers: readonly AskedServer[]): readonly Readonly<Record<string, unknown>>[] {
  return servers.flatMap(({ backend, url, models }) =>
    models.map((model) => modelAsJson(backend?.info.kind ?? null, url, model)),
  );
}

/** Null is what the server did not tell. Sizes in bytes, contexts in tokens, times in ms since the epoch. */
export function modelAsJson(
  kind: string | null,
  url: string,
  model: Model,
): Readonly<Record<string, unknown>> {
  return {
    key: model.key,
    name: model.name,
    server: kind,
    url,
    sizeBytes: model.sizeBytes,
    family: model.family,
    parameters: model.parameters,
    quantization: model.quantization,
    contextMax: model.contextMax,
    contextAllocated: model.contextAllocated,
    capabilities: model.capabilities,
    chat: model.chat,
    remote: model.remote,
    state: model.loadState,
    memoryBytes: model.memoryBytes,
    vramBytes: model.vramBytes,
    loadedUntil: typeof model.expiry === 'object' ? (model.expiry?.at ?? null) : model.expiry,
    digest: model.digest,
  };
}

/** One line per model, under a line per server. */
export function modelsAsTable(servers: readonly AskedServer[]): string {
  const all = servers.flatMap(({ models }) => models);
  const widest = (of: (model: Model) => string | null, least: number): number =>
    Math.max(least, ...all.map((model) => of(model)?.length ?? 0));
  const widths = {
    label: widest(({ label }) => label, 0),
    parameters: widest(({ parameters }) => parameters, 7),
    // llama.cpp writes it out: `Q4_K - Medium`.
    quantization: widest(({ quantization }) => quantization, 8),
  };
  return servers
    .filter(({ fault }) => fault === null)
    .map(({ backend, title, url, models }) => {
      const lines = models.map((model) => `  ${rowOf(model, widths)}\n`);
      const none = `  no models: ${nextStep(backend)}\n`;
      return `${title}${url === '' ? '' : ` ${url}`}\n${lines.length === 0 ? none : lines.join('')}`;
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

function nextStep(backend: AskedServer['backend']): string {
  if (backend?.info.features.pull) return 'lmapp models pull NAME';
  return withoutModels(backend?.info.kind ?? '');
}

function rowOf(
  model: Model,
  widths: Readonly<Record<'label' | 'parameters' | 'quantization', number>>,
): string {
  const context = model.contextAllocated ?? model.contextMax;
  return [
    model.label.padEnd(widths.label),
    (model.remote ? 'cloud' : formatBytes(model.sizeBytes)).padStart(8),
    (model.parameters ?? '—').padStart(widths.parameters),
    (model.quantization ?? '—').padStart(widths.quantization),
    (context === null ? '—' : `${context} ctx`).padStart(11),
    model.chat ? (model.loadState === 'loaded' ? 'loaded' : '') : 'not for chat',
  ]
    .join('  ')
    .trimEnd();
}
