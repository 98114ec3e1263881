/** What went wrong with a server or a request, in classes that the screen and the exit code can act on. */
export type FaultCode =
  | 'not-running' // connection refused, no route, DNS: nothing answers there
  | 'timeout'
  | 'not-a-server' // a web page, another protocol, TLS mismatch
  | 'unauthorized' // key missing or wrong
  | 'forbidden'
  | 'unknown-model'
  | 'unknown-endpoint'
  | 'context-full'
  | 'out-of-memory'
  | 'busy' // queue full, rate limit
  | 'loading' // the server is still loading its model
  | 'unsupported' // the model or server cannot do this
  | 'broken' // transport error in mid-answer
  | 'server-error'; // the server reported an error of its own

/** Plain data, already sanitised, without keys or credentials. */
export interface Fault {
  readonly code: FaultCode;
  /** One sentence: what happened. */
  readonly message: string;
  /** One sentence: the next step. Null when there is nothing to do. */
  readonly hint: string | null;
  /** HTTP status, when there was an answer. */
  readonly status: number | null;
  /** For context-full: tokens of the request and tokens that fit, when the server said so. */
  readonly promptTokens?: number;
  readonly contextTokens?: number;
  /** For loading: how far the load is, 0..1, when the server said so. */
  readonly loadProgress?: number;
  /** Milliseconds until the server wants to be asked again (Retry-After). */
  readonly retryAfterMs?: number;
}
