import { faultFor, type FaultId, faultWords } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import type { PullLayer, PullProgress } from '../domain/model.js';
import type { WireAnswer } from '../wire/http.js';
import { LineTooLongError } from '../wire/lines.js';
import { type NdjsonLine, NdjsonParser } from '../wire/ndjson.js';
import { Watchdog } from '../wire/watchdog.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { type ErrorText, errorTextOf } from './error-text.js';
import { type FaultPlace, faultOfText, valuesOfPlace } from './server-fault.js';
import { asCount, asObject, asSize, asText, field, type JsonObject } from './json.js';

/** A model has some ten layers. */
const LAYERS_LIMIT = 500;
const STATUS_LIMIT_CHARS = 120;

/** How far a pull is, from the lines of `/api/pull`. Pure. */
export class PullLines {
  readonly #layers = new Map<string, PullLayer>();
  #verified = false;

  /** What a line of progress tells. */
  progress(line: JsonObject): PullProgress {
    const status = sanitizeLine((asText(field(line, 'status')) ?? '').slice(0, STATUS_LIMIT_CHARS));
    const digest = asText(field(line, 'digest'));
    const total = asSize(field(line, 'total'));
    if (digest !== null && total !== null)
      this.#onLayer(digest, total, asCount(field(line, 'completed')) ?? 0);
    if (digest !== null) this.#verified = false;
    else if (/^(?:verifying|writing|removing)/i.test(status)) this.#verified = true;
    const layers = [...this.#layers.values()];
    const sum = (of: 'completedBytes' | 'totalBytes'): number | null =>
      layers.length === 0 ? null : layers.reduce((all, layer) => all + layer[of], 0);
    return {
      phase: this.#phase(status),
      status,
      completedBytes: sum('completedBytes'),
      totalBytes: sum('totalBytes'),
      layers,
    };
  }

  #phase(status: string): PullProgress['phase'] {
    if (status === 'success') return 'done';
    if (this.#verified) return 'verifying';
    return this.#layers.size > 0 ? 'downloading' : 'preparing';
  }

  #onLayer(digest: string, total: number, completed: number): void {
    if (!this.#layers.has(digest) && this.#layers.size >= LAYERS_LIMIT) return;
    this.#layers.set(digest, {
      id: sanitizeLine(digest.slice(0, 80)),
      completedBytes: Math.min(completed, total),
      totalBytes: total,
    });
  }
}

/** `POST /api/pull`. Closing its socket is the cancel: the server keeps what came, and the next pull goes on from there. */
export async function* ollamaPull(
  wire: BackendWire,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress> {
  const stalled = new AbortController();
  const watchdog = new Watchdog(wire.clock, () => stalled.abort());
  try {
    watchdog.watch(wire.limits.pullMs);
    const body = { model: name, stream: true };
    const limited = AbortSignal.any([signal, stalled.signal]);
    const answer = await wire.stream({ method: 'POST', path: '/api/pull', body, signal: limited }, name);
    const pull = new PullLines();
    let before: PullProgress | null = null;
    try {
      for await (const line of objectsOf(answer, wire.place(name))) {
        const problem = errorTextOf(line);
        if (problem !== null) throw new BackendError(pullFault(problem, wire.place(name)));
        const progress = pull.progress(line);
        // The lines come all the time, also when no byte does; and while it verifies the server is silent for minutes.
        if (progress.phase === 'verifying') watchdog.stop();
        else if (hasMoved(before, progress)) watchdog.watch(wire.limits.pullMs);
        before = progress;
        yield progress;
        if (progress.phase === 'done') return;
      }
    } finally {
      answer.close();
    }
    throw new BackendError(interrupted('The download was interrupted.'));
  } catch (error) {
    if (stalled.signal.aborted && !signal.aborted) throw new BackendError(noProgress(wire), error);
    throw ofPull(wire, name, error);
  } finally {
    watchdog.stop();
  }
}

async function* objectsOf(answer: WireAnswer, place: FaultPlace): AsyncGenerator<JsonObject> {
  const parser = new NdjsonParser();
  const objects = (lines: readonly NdjsonLine[]): JsonObject[] =>
    lines.flatMap((line) => {
      const object = line.ok ? asObject(line.value) : null;
      return object === null ? [] : [object];
    });
  try {
    for await (const text of answer.body) yield* objects(parser.feed(text));
    yield* objects(parser.end());
  } catch (error) {
    throw error instanceof LineTooLongError
      ? new BackendError(faultFor('line-too-long', valuesOfPlace(place)))
      : error;
  }
}

function hasMoved(before: PullProgress | null, now: PullProgress): boolean {
  return (
    before === null ||
    before.phase !== now.phase ||
    before.completedBytes !== now.completedBytes ||
    before.totalBytes !== now.totalBytes
  );
}

/** The causes that the words of the server tell, each with its next step. */
const CAUSES: readonly (readonly [RegExp, FaultId])[] = [
  [/no space left|disk full|not enough (?:disk )?space/i, 'pull-no-space'],
  [/newer version of ollama|requires ollama/i, 'pull-old-server'],
  [/no such host|dial tcp|i\/o timeout|network is unreachable|tls/i, 'pull-no-network'],
  [/unauthorized|denied|forbidden/i, 'pull-sign-in'],
];

function pullFault(problem: ErrorText, place: FaultPlace): Fault {
  const told = faultOfText(problem, 200, place);
  if (/file does not exist|manifest unknown|not found|invalid model name/i.test(problem.message))
    return unknownName(told.message);
  const cause = CAUSES.find(([words]) => words.test(problem.message));
  return { ...told, hint: faultWords(cause?.[1] ?? 'pull-interrupted').hint };
}

function unknownName(words: string): Fault {
  return faultFor('unknown-pull', { words });
}

function interrupted(message: string): Fault {
  return faultFor('pull-interrupted', { words: message });
}

function noProgress(wire: BackendWire): Fault {
  const minutes = Math.round((wire.limits.pullMs ?? 0) / 60_000);
  return faultFor('pull-stalled', { words: String(minutes) });
}

/** What ended a pull from outside. */
function ofPull(wire: BackendWire, name: string, error: unknown): BackendError {
  const known = wire.toBackendError(error);
  // The name was refused before anything was asked of the registry.
  if (known.fault.code === 'unknown-model' && known.fault.status !== null)
    return new BackendError({ ...unknownName(sanitizeLine(name)), status: known.fault.status }, error);
  return known.fault.code === 'broken' && !(error instanceof BackendError)
    ? new BackendError(interrupted(`The download was interrupted: ${known.fault.message}`), error)
    : known;
}
