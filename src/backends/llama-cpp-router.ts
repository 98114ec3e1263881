import type { LoadState, Model } from '../domain/model.js';
import { BackendError } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { type JsonObject, asCount, asObject, asText, field } from './json.js';
import { listedModels, openAiModel } from './openai-models.js';

const LOAD_TIMEOUT_MS = 15 * 60_000;
const UNLOAD_TIMEOUT_MS = 30_000;
const POLL_MS = 300;

/** A model of a router with its status. */
export function routerModel(item: JsonObject, name: string, backendId: string): Model {
  const status = statusOf(item);
  const progress = asObject(status.progress);
  const value = asCount(field(progress, 'value')) ?? asCount(status.progress);
  return {
    ...openAiModel(item, name, backendId, status.state),
    loadProgress: status.state === 'loading' && value !== null ? Math.min(value, 1) : null,
  };
}

/** True when the list is that of a router: a single server has no status per model. */
export function isRouterList(items: ReadonlyMap<string, JsonObject>): boolean {
  return [...items.values()].some((item) => asObject(field(item, 'status')) !== null);
}

/** Loads a model of a router: the answer comes at once, the list tells when it is done. */
export async function routerLoad(wire: BackendWire, model: Model, signal: AbortSignal): Promise<void> {
  await order(wire, '/models/load', model, signal, /already (?:running|loaded)/i);
  const since = wire.clock.monotonic();
  for (let begun = false; ;) {
    const status = await askStatus(wire, model.name, signal);
    if (status.state === 'loaded') return;
    begun ||= status.state === 'loading';
    if (status.failed && (begun || wire.clock.monotonic() - since > 2000))
      throw loadFailed(model, status.exitCode);
    if (wire.clock.monotonic() - since > LOAD_TIMEOUT_MS) {
      throw new BackendError({
        code: 'timeout',
        message: `${model.label} was not loaded in time.`,
        hint: null,
        status: null,
      });
    }
    await wait(wire, signal);
  }
}

/** Asks for the unload and waits until the list says so, half a minute at most. */
export async function routerUnload(wire: BackendWire, model: Model, signal: AbortSignal): Promise<void> {
  await order(wire, '/models/unload', model, signal, /not (?:running|loaded)/i);
  const since = wire.clock.monotonic();
  while (wire.clock.monotonic() - since < UNLOAD_TIMEOUT_MS) {
    if ((await askStatus(wire, model.name, signal)).state === 'unloaded') return;
    await wait(wire, signal);
  }
}

interface RouterStatus {
  readonly state: LoadState;
  readonly failed: boolean;
  readonly exitCode: number | null;
  readonly progress: unknown;
}

function statusOf(item: JsonObject | undefined): RouterStatus {
  const status = asObject(field(item ?? null, 'status'));
  const value = asText(field(status, 'value'));
  const states = new Map<string | null, LoadState>([
    ['loaded', 'loaded'],
    ['loading', 'loading'],
    ['unloaded', 'unloaded'],
    // Out of memory until somebody asks it, and not to be woken.
    ['sleeping', 'unloaded'],
    ['downloading', 'unloaded'],
  ]);
  const exit = field(status, 'exit_code');
  return {
    state: states.get(value) ?? 'unknown',
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
    timeoutMs: UNLOAD_TIMEOUT_MS,
  });
  if (answer.status >= 200 && answer.status <= 299) return;
  if (answer.status === 400 && done.test(answer.text)) return;
  // The router tells an unknown model like an unknown path.
  const fault = wire.faultOf(answer, model.name);
  if (answer.status !== 404) throw new BackendError(fault);
  throw new BackendError({
    ...fault,
    code: 'unknown-model',
    message: `llama.cpp does not know the model ${model.label}.`,
    hint: 'Choose another model.',
  });
}

async function askStatus(wire: BackendWire, name: string, signal: AbortSignal): Promise<RouterStatus> {
  const body = await wire.askJson({ path: '/v1/models', signal, timeoutMs: 10_000 });
  return statusOf(listedModels(body).get(name));
}

async function wait(wire: BackendWire, signal: AbortSignal): Promise<void> {
  try {
    await pause(wire.clock, POLL_MS, signal);
  } catch (error) {
    throw wire.toBackendError(error);
  }
}

function loadFailed(model: Model, exitCode: number | null): BackendError {
  const code = exitCode === null ? '' : ` (exit code ${exitCode})`;
  return new BackendError({
    code: 'server-error',
    message: `The load of ${model.label} failed${code}.`,
    hint: 'Often memory is short: unload another model, or look into the log of the server.',
    status: null,
  });
}
