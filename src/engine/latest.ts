import type { Clock } from '../ports.js';

/** Values of which only the latest counts, from one who has many to one who wants some. */
export interface Latest<T> {
  put(value: T): void;
  /** No more will come. */
  end(): void;
  /** What was put, as often as it is asked for; the last one is never lost. */
  all(): AsyncGenerator<T>;
}

/** A value within `everyMs` of the one before waits for its successor, unless it `differs` from it in what matters. */
export function latestOf<T>(
  clock: Pick<Clock, 'monotonic' | 'after'>,
  everyMs: number,
  differs: (before: T, now: T) => boolean,
): Latest<T> {
  let waiting: { readonly value: T } | null = null;
  let ended = false;
  let cancel: (() => void) | null = null;
  let wake: () => void = () => undefined;
  let told: { readonly value: T; readonly at: number } | null = null;
  const isDue = (): boolean => {
    if (waiting === null) return false;
    return (
      ended || told === null || clock.monotonic() - told.at >= everyMs || differs(told.value, waiting.value)
    );
  };
  return {
    put(value) {
      waiting = { value };
      if (isDue()) wake();
      // The next one may be long in coming.
      else
        cancel ??= clock.after(everyMs, () => {
          cancel = null;
          wake();
        });
    },
    end() {
      ended = true;
      cancel?.();
      wake();
    },
    async *all() {
      for (;;) {
        if (isDue() && waiting !== null) {
          const { value } = waiting;
          waiting = null;
          told = { value, at: clock.monotonic() };
          yield value;
        } else if (ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
