/** The clock of a watchdog; `Clock` of src/ports.ts fits. */
export interface WatchdogClock {
  monotonic(): number;
  after(delayMs: number, run: () => void): () => void;
}

const STEP_MS = 1000;

/**
 * Counts silence and calls `expired` once when it lasts longer than the limit. It counts in steps, and a step that took much longer
 * than asked for counts as one step only: the machine slept or was stopped, and that is not the silence of the server.
 */
export class Watchdog {
  readonly #clock: WatchdogClock;
  readonly #expired: () => void;
  #limitMs: number | null = null;
  #silentMs = 0;
  #stepFrom = 0;
  #stepMs = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: WatchdogClock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Starts counting from zero. Null: no limit. */
  watch(limitMs: number | null): void {
    this.stop();
    this.#limitMs = limitMs;
    this.#silentMs = 0;
    if (limitMs !== null) this.#arm();
  }

  /** Something was heard. Cheap: called for every packet, the running timer stays. */
  heard(): void {
    this.#silentMs = 0;
    this.#stepFrom = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #arm(): void {
    const left = (this.#limitMs ?? 0) - this.#silentMs;
    this.#stepMs = Math.max(1, Math.min(STEP_MS, Math.ceil(left)));
    this.#stepFrom = this.#clock.monotonic();
    this.#cancel = this.#clock.after(this.#stepMs, () => this.#onStep());
  }

  #onStep(): void {
    this.#cancel = null;
    if (this.#limitMs === null) return;
    this.#silentMs += Math.min(this.#clock.monotonic() - this.#stepFrom, this.#stepMs);
    // A timer may come a fraction of a millisecond early.
    if (this.#silentMs >= this.#limitMs - 1) this.#expired();
    else this.#arm();
  }
}
