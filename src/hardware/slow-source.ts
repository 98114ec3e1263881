import type { SourceState } from '../domain/hardware.js';
import type { Clock } from '../ports.js';
import { createSourceLife } from './source-life.js';

export interface SlowSourceOptions<T> {
  readonly clock: Clock;
  /** Asks; null: there is nothing of the kind on this machine. Never called twice at once. */
  readonly ask: () => Promise<T | null>;
  /** What is wrong although it answered; null: nothing. */
  readonly complaint?: (value: T) => { readonly reason: string; readonly hint: string } | null;
  readonly tell: (state: SourceState) => void;
  /** Each answer; null when it is not known any more. */
  readonly onValue: (value: T | null) => void;
}

/** A source that is asked now and then, may take its time, and may never answer. */
export interface SlowSource {
  /** Asks when the last question is `everyMs` ago and answered. */
  follow(everyMs: number): void;
  stop(): void;
}

const WAIT_MS = 3000;

export function createSlowSource<T>(options: SlowSourceOptions<T>): SlowSource {
  const { clock } = options;
  let asking = false;
  let askedAt = -Infinity;
  let generation = 0;
  const life = createSourceLife({ clock, tell: options.tell, retry: ask });

  function ask(): void {
    if (asking) return;
    asking = true;
    askedAt = clock.monotonic();
    const asked = generation;
    if (life.state.state !== 'live' && life.state.state !== 'stale') life.probing();
    const cancel = clock.after(WAIT_MS, () => {
      options.onValue(null);
      life.stale(`no answer for ${Math.round(WAIT_MS / 1000)} s`);
    });
    options
      .ask()
      .then(
        (value) => {
          if (asked === generation) take(value);
        },
        (error: unknown) => {
          if (asked !== generation) return;
          options.onValue(null);
          life.failed(error instanceof Error ? error.message : String(error));
        },
      )
      .finally(() => {
        cancel();
        asking = false;
      });
  }

  function take(value: T | null): void {
    options.onValue(value);
    if (value === null) return life.absent();
    const complaint = options.complaint?.(value) ?? null;
    if (complaint) life.failed(complaint.reason, complaint.hint);
    else life.live();
  }

  return {
    follow(everyMs) {
      const { state } = life.state;
      // Those have their own pause.
      if (state === 'failed' || state === 'absent') return;
      if (clock.monotonic() - askedAt >= everyMs) ask();
    },
    stop() {
      generation++;
      askedAt = -Infinity;
      life.stop();
    },
  };
}
