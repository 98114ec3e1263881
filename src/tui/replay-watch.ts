/** What of a record could not be folded or painted. */
export interface ReplayFault {
  /** Lines of the file, one of which it is; they are the same when it is known. */
  readonly first: number;
  readonly last: number;
  readonly cause: unknown;
}

/** Knows which lines of a record are being shown, to be named when one of them cannot be. */
export interface ReplayWatch {
  /** The event of this line comes next. */
  line(number: number): void;
  /** All so far was painted. */
  painted(): void;
  failed(cause: unknown, during: 'update' | 'paint'): void;
  /** The first failure. */
  readonly fault: ReplayFault | null;
}

/**
 * A record is a file that anybody may have changed: an event with a known name and wrong contents passes the reader, and fails where it
 * is folded or painted. `onFault` is called once.
 */
export function createReplayWatch(onFault: () => void): ReplayWatch {
  let last = 1;
  let lastPainted = 1;
  let fault: ReplayFault | null = null;
  return {
    line(number) {
      last = number;
    },
    painted() {
      lastPainted = last;
    },
    failed(cause, during) {
      if (fault) return;
      // Without a new event since the last frame a key has brought to the screen what any line before may have told.
      const since = lastPainted < last ? lastPainted + 1 : 1;
      fault = { first: during === 'update' ? last : since, last, cause };
      onFault();
    },
    get fault() {
      return fault;
    },
  };
}
