import { faultFor } from '../domain/fault-table.js';
import type { PullProgress } from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { type JsonObject, asCount, asObject, asSize, asText, field } from './json.js';

const DOWNLOAD = '/api/v1/models/download';
const POLL_MS = 1000;
const START_TIMEOUT_MS = 60_000;

/**
 * Starts a download and follows it. There is no way to stop one: when the signal ends, only the following ends, and the server goes on.
 * `stalledMs`: without a new byte for so long it is given up; null: never.
 */
export async function* lmStudioPull(
  wire: BackendWire,
  name: string,
  stalledMs: number | null,
  signal: AbortSignal,
): AsyncGenerator<PullProgress> {
  const body = { model: name };
  const ask = { method: 'POST', path: DOWNLOAD, body, signal, timeoutMs: START_TIMEOUT_MS } as const;
  let job = asObject(await wire.askJson({ ...ask, model: name }));
  const id = asText(field(job, 'job_id'));
  let bytes = -1;
  let heard = wire.clock.monotonic();
  for (;;) {
    const status = asText(field(job, 'status')) ?? '';
    if (status === 'completed' || status === 'already_downloaded') {
      yield progressOf(job, 'done', status === 'completed' ? 'completed' : 'already downloaded');
      return;
    }
    if (status === 'failed' || status === '' || id === null) throw failedPull(wire, job, name);
    yield progressOf(job, 'downloading', `${sanitizeLine(status)}; LM Studio goes on with it when you stop`);
    const now = asCount(field(job, 'downloaded_bytes')) ?? 0;
    // A paused one waits for its user.
    if (now !== bytes || status === 'paused') heard = wire.clock.monotonic();
    bytes = now;
    if (stalledMs !== null && wire.clock.monotonic() - heard > stalledMs) throw stalled(name);
    await pause(wire.clock, POLL_MS, signal).catch((error: unknown) => {
      throw wire.toBackendError(error);
    });
    job = asObject(await wire.askJson({ path: `${DOWNLOAD}/status/${encodeURIComponent(id)}`, signal }));
  }
}

function progressOf(job: JsonObject | null, phase: PullProgress['phase'], status: string): PullProgress {
  const totalBytes = asSize(field(job, 'total_size_bytes'));
  const done = phase === 'done' ? totalBytes : asCount(field(job, 'downloaded_bytes'));
  const completedBytes = done === null || totalBytes === null ? done : Math.min(done, totalBytes);
  return { phase, status, completedBytes, totalBytes, layers: [] };
}

function failedPull(wire: BackendWire, job: JsonObject | null, name: string): BackendError {
  if (field(job, 'error') !== undefined) return new BackendError(wire.faultOfBody(job, name));
  return new BackendError(faultFor('lmstudio-pull', { model: sanitizeLine(name) }));
}

function stalled(name: string): BackendError {
  return new BackendError(faultFor('lmstudio-pull-stalled', { model: sanitizeLine(name) }));
}
