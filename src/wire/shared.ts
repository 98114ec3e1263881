import { setMaxListeners } from 'node:events';
import { Watchdog, type WatchdogClock } from './watchdog.js';
import { cancelledError, WireError } from './wire-error.js';

/** A question that is under way, and how many wait for its answer. */
interface Open<T> {
  readonly answer: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

/** How long somebody waits for an answer. */
export interface Patience {
  readonly signal: AbortSignal;
  /** Null: without limit. */
  readonly limitMs: number | null;
  /** The error when that time is over. */
  readonly late: () => WireError;
}

/** Sends the question. The signal ends when nobody waits any more. Throws WireError. */
type Send<T> = (signal: AbortSignal, limitMs: number | null) => Promise<T>;

/**
 * The same question, asked by several at once, goes out once: a server that hangs is not asked twice. Everybody waits for the answer as long
 * as they want to.
 */
export class SharedQuestions<T> {
  readonly #clock: WatchdogClock;
  readonly #open = new Map<string, Open<T>>();

  constructor(clock: WatchdogClock) {
    this.#clock = clock;
  }

  /** Throws WireError. */
  async ask(question: string, patience: Patience, send: Send<T>): Promise<T> {
    const { signal, limitMs } = patience;
    if (signal.aborted) throw cancelledError();
    const before = this.#open.get(question);
    // Who asks first gives the question its own limit.
    if (before === undefined)
      return this.#wait(question, this.#begin(question, send, limitMs), { ...patience, limitMs: null });
    const since = this.#clock.monotonic();
    try {
      return await this.#wait(question, before, patience);
    } catch (error) {
      const leftMs = limitMs === null ? null : limitMs - (this.#clock.monotonic() - since);
      const isOver = signal.aborted || (leftMs !== null && leftMs < 1);
      if (isOver || !(error instanceof WireError) || error.fault.code !== 'timeout') throw error;
      // That was the limit of somebody with less patience.
      return this.ask(question, { ...patience, limitMs: leftMs }, send);
    }
  }

  #begin(question: string, send: Send<T>, limitMs: number | null): Open<T> {
    const end = new AbortController();
    const open: Open<T> = { answer: send(end.signal, limitMs), end, waiting: 0 };
    this.#open.set(question, open);
    return open;
  }

  #wait(question: string, open: Open<T>, { signal, limitMs, late }: Patience): Promise<T> {
    open.waiting += 1;
    return new Promise((resolve, reject) => {
      let left = false;
      const leave = (tell: () => void): void => {
        if (left) return;
        left = true;
        watchdog.stop();
        signal.removeEventListener('abort', onAbort);
        open.waiting -= 1;
        if (open.waiting === 0) this.#end(question, open);
        tell();
      };
      const watchdog = new Watchdog(this.#clock, () => leave(() => reject(late())));
      const onAbort = (): void => leave(() => reject(cancelledError()));
      // One signal may end the questions to any number of servers: Node warns of the eleventh on standard error.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort, { once: true });
      watchdog.watch(limitMs);
      const isOver = (tell: () => void): void => {
        if (this.#open.get(question) === open) this.#open.delete(question);
        leave(tell);
      };
      open.answer.then(
        (answer) => isOver(() => resolve(answer)),
        (error: unknown) => isOver(() => reject(error as Error)),
      );
    });
  }

  #end(question: string, open: Open<T>): void {
    if (this.#open.get(question) === open) this.#open.delete(question);
    open.end.abort();
  }
}
