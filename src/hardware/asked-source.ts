import type { SourceState } from '../domain/hardware.js';
import type { Clock } from '../ports.js';
import { createSourceLife } from './source-life.js';

/** What came of a question: readings (told by the question itself), nothing to ask here, or a reason. */
export type Asked = 'told' | 'absent' | { readonly reason: string; readonly hint?: string };

export interface AskedSourceOptions {
  readonly clock: Clock;
  readonly tell: (state: SourceState) => void;
  /** Never asked more often. */
  readonly leastMs: number;
  /** An answer that takes longer counts as a failure; it is waited for all the same before the next question. */
  readonly timeoutMs: number;
  /** One question. Never rejects for what the outside does wrong. */
  ask(): Promise<Asked>;
  readonly backOffMs?: readonly number[];
}

export interface AskedSource {
  start(intervalMs: number): void;
  stop(): void;
}

/** A source that is asked again and again; the next question follows the answer of the last, so slow ones never pile up. */
export function createAskedSource(options: AskedSourceOptions): AskedSource {
  const { clock, timeoutMs } = options;
  const life = createSourceLife({
    clock,
    tell: options.tell,
    retry: turn,
    ...(options.backOffMs && { backOffMs: options.backOffMs }),
  });
  let wanted = false;
  let asking = false;
  let pauseMs = options.leastMs;
  let cancelNext: (() => void) | null = null;

  function turn(): void {
    cancelNext?.();
    cancelNext = null;
    if (!wanted) return;
    // One that hangs in a driver must not get company.
    if (asking) return life.failed('does not answer');
    if (life.state.state !== 'live' && life.state.state !== 'stale') life.probing();
    asking = true;
    let late = false;
    const cancelLate = clock.after(timeoutMs, () => {
      late = true;
      if (wanted) life.failed('does not answer');
    });
    void options
      .ask()
      .catch((): Asked => ({ reason: 'cannot be read' }))
      .then((asked) => {
        cancelLate();
        asking = false;
        // One that came too late was told as a failure, with its next try.
        if (!wanted || late) return;
        if (asked === 'absent') return life.absent();
        if (asked !== 'told') return life.failed(asked.reason, asked.hint);
        life.live(3 * pauseMs + timeoutMs);
        cancelNext = clock.after(pauseMs, turn);
      });
  }

  return {
    start(intervalMs) {
      pauseMs = Math.max(options.leastMs, intervalMs);
      wanted = true;
      // What is under way is waited for; the new pause comes after it.
      if (!asking) turn();
    },
    stop() {
      wanted = false;
      cancelNext?.();
      cancelNext = null;
      life.stop();
    },
  };
}
