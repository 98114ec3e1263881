import { sanitize, sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Backend } from '../backends/backend.js';
import type { Fault } from '../domain/fault.js';
import type { Model, ModelDetails, PullProgress } from '../domain/model.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Clock } from '../ports.js';
import type { Effect } from '../state/effect.js';
import { faultOf } from './polling.js';

export interface ModelEffectsOptions {
  readonly clock: Clock;
  readonly publish: (event: AppEvent) => void;
  /** As in LoadOptions, of a model that is not pinned. */
  readonly keepAlive: () => string;
  readonly model: (key: string) => Model | null;
  readonly backend: (id: string) => Backend | null;
}

export interface ModelEffects {
  load(effect: Extract<Effect, { readonly type: 'model.load' }>): void;
  unload(key: string): void;
  delete(key: string): void;
  details(key: string): void;
  startPull(effect: Extract<Effect, { readonly type: 'pull.start' }>): void;
  cancelPull(pullId: string): void;
  /** Closes all sockets; nothing is told any more. */
  stop(): void;
}

/** Servers report every 60 ms and layer; the screen needs no more than this. */
const PROGRESS_EVERY_MS = 250;
/** Characters of a text that are kept: a license may be a book. */
const LONGEST_TEXT = 200_000;
const MOST_LINES = 500;

const PIN = '-1';

const GONE: Fault = {
  code: 'unknown-model',
  message: 'The model is not listed any more.',
  hint: null,
  status: null,
};
const CANNOT: Fault = {
  code: 'unsupported',
  message: 'The server has no way to do it.',
  hint: null,
  status: null,
};
const BROKEN_OFF: Fault = {
  code: 'broken',
  message: 'The server ended the pull before it was complete.',
  hint: 'What came so far is kept by the server; pulled again it goes on from there.',
  status: null,
};

/** Does what is wanted of single models: load, unload, delete, details, pull. Everything runs beside everything else. */
export function createModelEffects(options: ModelEffectsOptions): ModelEffects {
  const { publish, clock } = options;
  const stopped = new AbortController();
  const pulls = new Map<string, AbortController>();

  /** Runs the work of one model and tells how it ended; nothing when the program ends in between. */
  function onModel(
    key: string,
    work: (backend: Backend, model: Model) => Promise<void> | undefined,
    ended: (fault: Fault | null) => AppEvent,
  ): void {
    const tell = (fault: Fault | null): void => {
      if (!stopped.signal.aborted) publish(ended(fault));
    };
    const model = options.model(key);
    const backend = model && options.backend(model.backendId);
    if (!model || !backend) return tell(GONE);
    const working = work(backend, model);
    if (!working) return tell(CANNOT);
    working.then(
      () => tell(null),
      (error: unknown) => tell(faultOf(error)),
    );
  }

  async function pull(
    pullId: string,
    backend: Backend | null,
    name: string,
    signal: AbortSignal,
  ): Promise<void> {
    let shown = -Infinity;
    let last: PullProgress | null = null;
    const show = (progress: PullProgress): void => {
      shown = clock.monotonic();
      publish({
        type: 'pull.progressed',
        pullId,
        progress: { ...progress, status: sanitizeLine(progress.status) },
      });
    };
    const tell = (fault: Fault | null): void => {
      if (stopped.signal.aborted) return;
      const cancelled = signal.aborted;
      publish({ type: 'pull.ended', pullId, fault: cancelled ? null : fault, cancelled });
    };
    publish({ type: 'pull.started', pullId, backendId: backend?.info.id ?? '', name });
    const reports = backend?.pull?.(name, signal);
    if (!reports) return tell(CANNOT);
    try {
      for await (const progress of reports) {
        if (signal.aborted) break;
        const fresh = last?.phase !== progress.phase || last.layers.length !== progress.layers.length;
        last = progress;
        if (fresh || clock.monotonic() - shown >= PROGRESS_EVERY_MS) show(progress);
      }
      if (last && !signal.aborted) show(last);
      tell(last?.phase === 'done' ? null : BROKEN_OFF);
    } catch (error) {
      if (last && !signal.aborted) show(last);
      tell(faultOf(error));
    }
  }

  return {
    load({ key, pin, contextTokens }) {
      publish({ type: 'model.load.started', key });
      onModel(
        key,
        (backend, model) =>
          backend.load?.(
            model,
            {
              keepAlive: pin ? PIN : options.keepAlive(),
              contextTokens,
              onProgress: (progress, source) =>
                stopped.signal.aborted || publish({ type: 'model.load.progressed', key, progress, source }),
            },
            stopped.signal,
          ),
        (fault) => ({ type: 'model.load.ended', key, fault }),
      );
    },
    unload(key) {
      publish({ type: 'model.unload.started', key });
      onModel(
        key,
        (backend, model) => backend.unload?.(model, stopped.signal),
        (fault) => ({ type: 'model.unload.ended', key, fault }),
      );
    },
    delete(key) {
      onModel(
        key,
        (backend, model) => backend.delete?.(model, stopped.signal),
        (fault) => ({ type: 'model.delete.ended', key, fault }),
      );
    },
    details(key) {
      let details: ModelDetails | null = null;
      onModel(
        key,
        async (backend, model) => {
          // A server that has no more to tell than its list is none that failed.
          const told = await backend.details?.(model, stopped.signal);
          details = told ? cleaned(told) : null;
        },
        (fault) => ({ type: 'model.detailed', key, details, fault }),
      );
    },
    startPull({ pullId, backendId, name }) {
      const abort = new AbortController();
      pulls.set(pullId, abort);
      void pull(pullId, options.backend(backendId), name, abort.signal).finally(() => pulls.delete(pullId));
    },
    cancelPull: (pullId) => pulls.get(pullId)?.abort(),
    stop() {
      stopped.abort();
      for (const abort of pulls.values()) abort.abort();
    },
  };
}

/** The door for what servers tell of a model: no control characters, no more than can be looked at. */
function cleaned(details: ModelDetails): ModelDetails {
  const text = (value: string | null): string | null =>
    value === null ? null : sanitize(value.slice(0, LONGEST_TEXT), { tabWidth: 4 });
  const pairs = (list: ModelDetails['facts']): ModelDetails['facts'] =>
    list
      .slice(0, MOST_LINES)
      .map(([name, value]) => [sanitizeLine(name), sanitizeLine(value.slice(0, LONGEST_TEXT))] as const);
  return {
    license: text(details.license),
    system: text(details.system),
    template: text(details.template),
    parameters: pairs(details.parameters),
    modifiedAt: details.modifiedAt,
    facts: pairs(details.facts),
    shape: details.shape ?? null,
  };
}
