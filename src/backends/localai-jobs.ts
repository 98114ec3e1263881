import { faultFor } from '../domain/fault-table.js';
import type { PullProgress } from '../domain/model.js';
import type { Fault } from '../domain/fault.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from './backend.js';
import { type BackendWire, pause } from './backend-wire.js';
import { type JsonObject, asCount, asObject, asSize, asText, field } from './json.js';
import { listedModels } from './openai-models.js';

const POLL_MS = 1000;
const START_TIMEOUT_MS = 60_000;
const CANCEL_TIMEOUT_MS = 3000;
/** Until a job is in its list. */
const UNKNOWN_MS = 10_000;

/**
 * Installs a model of a gallery (`gallery@name`) or of an address, and follows the job. When the signal ends, the job is cancelled.
 * `stalledMs`: without any change for so long it is given up; null: never.
 */
export async function* localAiPull(
  wire: BackendWire,
  name: string,
  stalledMs: number | null,
  signal: AbortSignal,
): AsyncGenerator<PullProgress> {
  const body = /^(?:[a-z]+:\/\/|github:)/i.test(name) ? { url: name } : { id: name };
  const uuid = await startJob(wire, '/models/apply', body, name, signal);
  let over = false;
  let last = '';
  let heard = wire.clock.monotonic();
  try {
    yield { phase: 'preparing', status: 'queued', completedBytes: null, totalBytes: null, layers: [] };
    while (!over) {
      await wait(wire, signal);
      const job = await askJob(wire, uuid, wire.clock.monotonic() - heard < UNKNOWN_MS, signal);
      if (job === null) continue;
      const fault = failureOf(job, name);
      over = fault !== null || field(job, 'processed') === true;
      if (fault !== null) throw new BackendError(fault);
      const progress = progressOf(job, over);
      const now = JSON.stringify(progress);
      if (now === last && stalledMs !== null && wire.clock.monotonic() - heard > stalledMs)
        throw stalled(name);
      if (now !== last) heard = wire.clock.monotonic();
      last = now;
      yield progress;
    }
  } finally {
    if (!over) await cancelJob(wire, uuid);
  }
}

/** Deletes a model: a job, too. Older versions lose its number, so a name that is no longer listed counts as well. */
export async function localAiDelete(
  wire: BackendWire,
  name: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const uuid = await startJob(wire, `/models/delete/${encodeURIComponent(name)}`, undefined, name, signal);
  const since = wire.clock.monotonic();
  for (;;) {
    const job = await askJob(wire, uuid, true, signal);
    const fault = job === null ? null : failureOf(job, name);
    if (fault !== null) throw new BackendError(fault);
    if (field(job, 'processed') === true) return;
    const list = listedModels(await wire.askJson({ path: '/v1/models', signal }));
    if (job === null && !list.has(name)) return;
    if (wire.clock.monotonic() - since > limitMs) throw stalled(name);
    await wait(wire, signal);
  }
}

async function startJob(
  wire: BackendWire,
  path: string,
  body: unknown,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const ask = { method: 'POST', path, body, signal, timeoutMs: START_TIMEOUT_MS, model: name } as const;
  const answer = asObject(await wire.askJson(ask));
  const uuid = asText(field(answer, 'uuid'));
  if (uuid === null) throw new BackendError(wire.faultOfBody(answer, name));
  return uuid;
}

/** At the known address: that which the server gives is made of what it takes for its own name. Null: not in its list (yet). */
async function askJob(
  wire: BackendWire,
  uuid: string,
  mayBeUnknown: boolean,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  const answer = await wire.ask({ path: `/models/jobs/${encodeURIComponent(uuid)}`, signal });
  if (answer.status >= 200 && answer.status <= 299) return asObject(answer.json);
  const fault = wire.faultOf(answer, null);
  if (mayBeUnknown && (answer.status === 404 || answer.status === 500)) return null;
  throw new BackendError(fault);
}

function failureOf(job: JsonObject, name: string): Fault | null {
  const shown = sanitizeLine(name);
  if (field(job, 'cancelled') === true) return faultFor('localai-cancelled', { model: shown });
  const error = field(job, 'error');
  // Older versions write the error as an empty object; its words are in `message` then.
  if (error === undefined || error === null || error === '') return null;
  const words = asText(error) ?? asText(field(job, 'message')) ?? 'no reason was told';
  const line = sanitizeLine(words).slice(0, 300);
  const told = faultFor('localai-job', { model: shown, words: /[.!?]$/.test(line) ? line : `${line}.` });
  return /not found|no model found/i.test(line) ? { ...told, code: 'unknown-model' } : told;
}

function progressOf(job: JsonObject, done: boolean): PullProgress {
  const totalBytes = asSize(field(job, 'total_bytes'));
  const current = done ? totalBytes : asCount(field(job, 'current_bytes'));
  const percent = asCount(field(job, 'progress')) ?? 0;
  const words = asText(field(job, 'phase')) ?? asText(field(job, 'message')) ?? 'working';
  const shown = sanitizeLine(words).slice(0, 80);
  const begun = percent > 0 || current !== null;
  return {
    phase: done ? 'done' : /verif|checksum/i.test(words) ? 'verifying' : begun ? 'downloading' : 'preparing',
    status: totalBytes === null && !done && percent > 0 ? `${shown} ${Math.round(percent)} %` : shown,
    completedBytes: current === null || totalBytes === null ? null : Math.min(current, totalBytes),
    totalBytes,
    layers: [],
  };
}

/** Whatever comes of it: nobody waits for this job any more. */
async function cancelJob(wire: BackendWire, uuid: string): Promise<void> {
  const path = `/api/operations/${encodeURIComponent(uuid)}/cancel`;
  const signal = new AbortController().signal;
  await wire.ask({ method: 'POST', path, signal, timeoutMs: CANCEL_TIMEOUT_MS }).catch(() => undefined);
}

async function wait(wire: BackendWire, signal: AbortSignal): Promise<void> {
  try {
    await pause(wire.clock, POLL_MS, signal);
  } catch (error) {
    throw wire.toBackendError(error);
  }
}

function stalled(name: string): BackendError {
  return new BackendError(faultFor('localai-stalled', { model: sanitizeLine(name) }));
}
