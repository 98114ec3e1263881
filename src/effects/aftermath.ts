import type { Backend } from '../backends/backend.js';
import type { Aftermath } from '../domain/chat.js';
import type { Model } from '../domain/model.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Clock } from '../ports.js';

const LOOK_MS = 500;
/** A server that stops does it within this; then it is said that it goes on. */
const GOES_ON_MS = 3000;
const LONGEST_WATCH_MS = 120_000;

export interface AftermathWatch {
  /** Looks at the server of a stopped turn until it is idle. */
  watch(turnId: string, backend: Backend, model: Model): void;
  /** A new request goes to this server: what it works on cannot be told apart any more. */
  requested(backendId: string): void;
  stop(): void;
}

/** Watches what servers do after the user stopped an answer: one question at a time, two minutes at most. */
export function createAftermathWatch(clock: Clock, publish: (event: AppEvent) => void): AftermathWatch {
  const watches = new Map<string, Set<() => void>>();

  async function look(turnId: string, backend: Backend, model: Model, abort: AbortController): Promise<void> {
    const { signal } = abort;
    let told: Aftermath['state'] | null = null;
    let source: string | null = null;
    const tell = (state: Aftermath['state']): void => {
      if (state === told) return;
      told = state;
      publish({ type: 'turn.aftermath', turnId, aftermath: { state, source } });
    };
    tell('watching');
    const since = clock.monotonic();
    let failures = 0;
    while (!signal.aborted && clock.monotonic() - since < LONGEST_WATCH_MS) {
      await pause(LOOK_MS, signal);
      if (signal.aborted) break;
      try {
        const activity = await backend.activity?.(model, signal);
        failures = 0;
        if (!activity || activity.working === null) break;
        source = activity.source;
        if (signal.aborted) break;
        if (activity.working === 0) return tell('idle');
        if (clock.monotonic() - since >= GOES_ON_MS) tell('working');
      } catch {
        // It may be too busy to answer; one that is gone is not waited for.
        if (++failures >= 10) break;
      }
    }
    tell('unknown');
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const finish = (): void => {
        cancel();
        signal.removeEventListener('abort', finish);
        done();
      };
      const cancel = clock.after(ms, finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  return {
    watch(turnId, backend, model) {
      if (!backend.activity)
        return publish({ type: 'turn.aftermath', turnId, aftermath: { state: 'unknown', source: null } });
      const abort = new AbortController();
      const ends = watches.get(model.backendId) ?? new Set();
      watches.set(model.backendId, ends);
      const end = (): void => abort.abort();
      ends.add(end);
      void look(turnId, backend, model, abort).finally(() => ends.delete(end));
    },
    requested(backendId) {
      for (const end of watches.get(backendId) ?? []) end();
    },
    stop() {
      for (const ends of watches.values()) for (const end of ends) end();
    },
  };
}
