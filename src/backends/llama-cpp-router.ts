import { faultFor } from '../domain/fault-table.js';
import type { LoadState, Model } from '../domain/model.js';
import { BackendError, type LoadOptions } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { valuesOfPlace } from './server-fault.js';
import { type JsonObject, asObject, asText, field } from './json.js';
import { EVENTS_PATH, loadProgress, progressOf } from './llama-cpp-events.js';
import { listedModels, openAiModel } from './openai-models.js';

const POLL_MS = 300;
/** A load that was ordered shows in the list a moment later. */
const BEGIN_MS = 2000;

/** A model of a router with its status. */
export function routerModel(item: JsonObject, name: string, backendId: string): Model {
  const status = statusOf(item);
  return {
    ...openAiModel(item, name, backendId, status.state),
    loadProgress: status.state === 'loading' ? progressOf(status.progress) : null,
  };
}

/** True when the list is that of a router: a single server has no status per model. */
export function isRouterList(items: ReadonlyMap<string, JsonObject>): boolean {
  return [...items.values()].some((item) => asObject(field(item, 'status')) !== null);
}

/** On its way to the router: nothing can be done with it yet. */
export function isDownloading(item: JsonObject): boolean {
  return asText(field(asObject(field(item, 'status')), 'value')) === 'downloading';
}

/** True when the router fetches and deletes models: it then tells which ones it may delete. */
export function managesModels(items: ReadonlyMap<string, JsonObject>): boolean {
  return [...items.values()].some((item) => typeof field(item, 'can_remove') === 'boolean');
}

/** For questions about one model that must not load it. */
export function modelQuery(name: string): string {
  return `?model=${encodeURIComponent(name)}&autoload=false`;
}

/** Loads a model of a router: the answer comes at once, the list tells when it is done, and the events how far it is. */
export async function routerLoad(
  wire: BackendWire,
  model: Model,
  options: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const told = { events: false };
  const watch = (async () => {
    for await (const progress of loadProgress(wire, model.name, AbortSignal.any([signal, over.signal]))) {
      told.events = true;
      options.onProgress(progress, EVENTS_PATH);
    }
  })().catch(() => undefined);
  try {
    options.onProgress(null, '/models');
    await order(wire, '/models/load', model, signal, /already (?:running|loaded)/i);
    await untilLoaded(wire, model, signal, (progress) => {
      if (!told.events && progress !== null) options.onProgress(progress, '/models');
    });
  } finally {
    over.abort();
    await watch;
  }
}

async function untilLoaded(
  wire: BackendWire,
  model: Model,
  signal: AbortSignal,
  onProgress: (progress: number | null) => void,
): Promise<void> {
  const since = wire.clock.monotonic();
  let woken = false;
  for (let begun = false; ;) {
    const status = await askStatus(wire, model.name, signal);
    const ms = wire.clock.monotonic() - since;
    if (status.state === 'loaded') return;
    if (status.state === 'loading') onProgress(progressOf(status.progress));
    begun ||= status.state === 'loading';
    if (status.failed && (begun || ms > BEGIN_MS)) throw loadFailed(wire, model, status.exitCode);
    if (wire.limits.loadMs !== null && ms > wire.limits.loadMs)
      throw new BackendError(faultFor('load-timeout', valuesOfPlace(wire.place(model.label))));
    if (status.sleeping && !woken) {
      woken = true;
      await wake(wire, model, signal);
    }
    await wait(wire, signal);
  }
}

/** A model that sleeps counts as running: only a task wakes it. */
async function wake(wire: BackendWire, model: Model, signal: AbortSignal): Promise<void> {
  await wire.ask({
    method: 'POST',
    path: '/tokenize',
    body: { model: model.name, content: '' },
    signal,
    timeoutMs: wire.limits.loadMs,
  });
}

/** Asks for the unload and waits until the list says so. */
export async function routerUnload(wire: BackendWire, model: Model, signal: AbortSignal): Promise<void> {
  await order(wire, '/models/unload', model, signal, /not (?:running|loaded)/i);
  const since = wire.clock.monotonic();
  while (wire.clock.monotonic() - since < wire.limits.unloadMs) {
    const status = await askStatus(wire, model.name, signal);
    if (status.state === 'unloaded' && !status.sleeping) return;
    await wait(wire, signal);
  }
}

/** Deletes a model of the router's cache; those of a folder or a preset are not its own. */
export async function routerDelete(wire: BackendWire, model: Model, signal: AbortSignal): Promise<void> {
  const item = (await listOf(wire, signal)).get(model.name);
  if (item !== undefined && field(item, 'can_remove') === false) {
    throw new BackendError(faultFor('not-in-cache', valuesOfPlace(wire.place(model.label))));
  }
  await wire.order({
    method: 'DELETE',
    path: `/models?model=${encodeURIComponent(model.name)}`,
    signal,
    timeoutMs: wire.limits.unloadMs,
    model: model.name,
  });
}

interface RouterStatus {
  readonly state: LoadState;
  /** Out of memory until somebody asks it. */
  readonly sleeping: boolean;
  readonly failed: boolean;
  readonly exitCode: number | null;
  readonly progress: unknown;
}

const STATES = new Map<string | null, LoadState>([
  ['loaded', 'loaded'],
  ['loading', 'loading'],
  ['unloaded', 'unloaded'],
  // Not to be woken by looking.
  ['sleeping', 'unloaded'],
  ['downloading', 'unloaded'],
]);

function statusOf(item: JsonObject | undefined): RouterStatus {
  const status = asObject(field(item ?? null, 'status'));
  const value = asText(field(status, 'value'));
  const exit = field(status, 'exit_code');
  return {
    state: STATES.get(value) ?? 'unknown',
    sleeping: value === 'sleeping',
    failed: field(status, 'failed') === true,
    exitCode: typeof exit === 'number' ? exit : null,
    progress: field(status, 'progress'),
  };
}

async function order(
  wire: BackendWire,
  path: string,
  model: Model,
  signal: AbortSignal,
  done: RegExp,
): Promise<void> {
  const answer = await wire.ask({
    method: 'POST',
    path,
    body: { model: model.name },
    signal,
    timeoutMs: wire.limits.unloadMs,
  });
  if (answer.status >= 200 && answer.status <= 299) return;
  if (answer.status === 400 && done.test(answer.text)) return;
  // The router tells an unknown model like an unknown path.
  const told = wire.faultOf(answer, model.name);
  if (answer.status !== 404) throw new BackendError(told);
  throw new BackendError(faultFor('unknown-model', valuesOfPlace(wire.place(model.label)), answer.status));
}

async function listOf(wire: BackendWire, signal: AbortSignal): Promise<ReadonlyMap<string, JsonObject>> {
  return listedModels(await wire.askJson({ path: '/v1/models', signal, timeoutMs: wire.limits.detailsMs }));
}

async function askStatus(wire: BackendWire, name: string, signal: AbortSignal): Promise<RouterStatus> {
  return statusOf((await listOf(wire, signal)).get(name));
}

async function wait(wire: BackendWire, signal: AbortSignal): Promise<void> {
  try {
    await pause(wire.clock, POLL_MS, signal);
  } catch (error) {
    throw wire.toBackendError(error);
  }
}

function loadFailed(wire: BackendWire, model: Model, exitCode: number | null): BackendError {
  const words = exitCode === null ? '' : ` (exit code ${exitCode})`;
  return new BackendError(faultFor('load-failed', { ...valuesOfPlace(wire.place(model.label)), words }));
}
