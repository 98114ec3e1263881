import { faultFor } from '../domain/fault-table.js';
import { LineTooLongError } from '../wire/lines.js';
import { parseJson } from '../wire/read.js';
import { type SseItem, SseParser } from '../wire/sse.js';
import { BackendError } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { valuesOfPlace } from './server-fault.js';
import { asArray, asCount, asObject, asText, field, type JsonObject } from './json.js';

export const EVENTS_PATH = '/models/sse';

/** What a router tells of its models as it happens. */
export interface RouterEvent {
  readonly model: string;
  /** `status_change`, `model_status`, `download_progress`, `download_finished`, `download_failed`, … */
  readonly event: string;
  readonly data: JsonObject | null;
}

/**
 * The events of a router from now on; resolves when it listens, so that nothing of what is asked for next is missed. Closed by the
 * signal or by leaving the loop. Throws BackendError, also when the router has no events.
 */
export async function routerEvents(
  wire: BackendWire,
  signal: AbortSignal,
): Promise<AsyncGenerator<RouterEvent, void>> {
  const limits = { firstByteTimeoutMs: wire.limits.listMs, idleTimeoutMs: null };
  const answer = await wire.stream({ method: 'GET', path: EVENTS_PATH, signal, ...limits }, null);
  return (async function* () {
    const sse = new SseParser();
    try {
      for await (const text of answer.body) yield* eventsOf(sse.feed(text));
    } catch (error) {
      throw error instanceof LineTooLongError
        ? new BackendError(faultFor('line-too-long', valuesOfPlace(wire.place(null))))
        : wire.toBackendError(error);
    } finally {
      answer.close();
    }
  })();
}

function eventsOf(items: readonly SseItem[]): RouterEvent[] {
  return items.flatMap((item) => {
    const object = item.type === 'event' ? asObject(parseJson(item.data)) : null;
    const model = asText(field(object, 'model'));
    const event = asText(field(object, 'event'));
    return model === null || event === null ? [] : [{ model, event, data: asObject(field(object, 'data')) }];
  });
}

/** How far the load of a model is, 0..1, null for "at work"; ends when it is loaded, or not loading any more. */
export async function* loadProgress(
  wire: BackendWire,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<number | null, void> {
  let before: number | null | undefined;
  for await (const { model, data } of await routerEvents(wire, signal)) {
    const status = model === name ? asText(field(data, 'status')) : null;
    if (status === null) continue;
    if (status !== 'loading') return;
    const progress = progressOf(field(data, 'progress'));
    if (progress !== before) yield progress;
    before = progress;
  }
}

/** A load has stages (text, projector, draft model), each from 0 to 1. */
export function progressOf(value: unknown): number | null {
  const progress = asObject(value);
  const done = asCount(progress === null ? value : field(progress, 'value'));
  if (done === null) return null;
  const stages = asArray(field(progress, 'stages'));
  const at = Math.max(0, stages.indexOf(field(progress, 'current')));
  return (Math.min(done, 1) + at) / Math.max(1, stages.length);
}
