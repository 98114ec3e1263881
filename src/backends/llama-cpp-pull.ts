import type { PullLayer, PullProgress } from '../domain/model.js';
import { Watchdog } from '../wire/watchdog.js';
import type { Fault } from '../domain/fault.js';
import { faultFor } from '../domain/fault-table.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { asCount, asObject, asSize, asText, field, type JsonObject } from './json.js';
import { routerEvents } from './llama-cpp-events.js';

/** A large model comes in some ten files. */
const FILES_LIMIT = 500;
const CANCEL_TIMEOUT_MS = 2500;

/**
 * `POST /models`: the router fetches in the background and tells by its events how far it is. A cancel must be ordered: it goes on
 * without us otherwise.
 */
export async function* routerPull(
  wire: BackendWire,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress> {
  const stalled = new AbortController();
  const watchdog = new Watchdog(wire.clock, () => stalled.abort());
  let begun = false;
  let over = false;
  try {
    const events = await routerEvents(wire, AbortSignal.any([signal, stalled.signal]));
    const body = { model: name };
    await wire.order({
      method: 'POST',
      path: '/models',
      body,
      signal,
      timeoutMs: wire.limits.unloadMs,
      model: name,
    });
    begun = true;
    watchdog.watch(wire.limits.pullMs);
    yield { phase: 'preparing', status: 'asked for', completedBytes: null, totalBytes: null, layers: [] };
    let bytes = -1;
    for await (const { model, event, data } of events) {
      if (model !== name) continue;
      over = event === 'download_finished' || event === 'download_failed';
      if (event === 'download_failed') throw new BackendError(failed(data));
      if (over) {
        yield { phase: 'done', status: event, completedBytes: null, totalBytes: null, layers: [] };
        return;
      }
      if (event !== 'download_progress') continue;
      const progress = progressOf(data);
      if (progress.completedBytes !== bytes) watchdog.watch(wire.limits.pullMs);
      bytes = progress.completedBytes ?? bytes;
      yield progress;
    }
    throw new BackendError(
      faultFor('pull-interrupted', { words: 'The router stopped telling how far the download is.' }),
    );
  } catch (error) {
    if (!stalled.signal.aborted || signal.aborted) throw wire.toBackendError(error);
    const words = String(Math.round((wire.limits.pullMs ?? 0) / 60_000));
    throw new BackendError(faultFor('pull-stalled', { words }), error);
  } finally {
    watchdog.stop();
    if (begun && !over) await cancel(wire, name);
  }
}

/** One file of the model is one layer, known by its address. */
function progressOf(data: JsonObject | null): PullProgress {
  const layers = Object.keys(data ?? {})
    .slice(0, FILES_LIMIT)
    .flatMap((url): PullLayer[] => {
      const file = asObject(field(data, url));
      const total = asSize(field(file, 'total'));
      if (total === null) return [];
      const id = sanitizeLine(
        url
          .replace(/[?#].*$/, '')
          .replace(/^.*\//, '')
          .slice(-80),
      );
      return [{ id, totalBytes: total, completedBytes: Math.min(asCount(field(file, 'done')) ?? 0, total) }];
    });
  const sum = (of: 'completedBytes' | 'totalBytes'): number | null =>
    layers.length === 0 ? null : layers.reduce((all, layer) => all + layer[of], 0);
  return {
    phase: 'downloading',
    status: 'downloading',
    completedBytes: sum('completedBytes'),
    totalBytes: sum('totalBytes'),
    layers,
  };
}

function failed(data: JsonObject | null): Fault {
  const told = asText(field(data, 'message')) ?? asText(field(data, 'error')) ?? 'the router told no reason';
  return faultFor('llama.cpp-pull', { words: sanitizeLine(told.slice(0, 300)) });
}

async function cancel(wire: BackendWire, name: string): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
  await wire
    .order({ method: 'POST', path: '/models/unload', body: { model: name }, signal })
    .catch(() => undefined);
}
