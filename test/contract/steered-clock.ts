/** A clock that stands still until the test moves it. */
export class SteeredClock {
  #monotonic = 0;
  #wall = Date.parse('2026-11-23T12:00:00Z');
  #timers: { at: number; run: () => void }[] = [];

  readonly now = (): number => this.#wall + this.#monotonic;
  readonly monotonic = (): number => this.#monotonic;

  readonly after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { at: this.#monotonic + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Lets time pass, with every timer at its own time. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.run();
    }
    this.#monotonic = end;
  }

  /** The machine sleeps: timers fire late, all at once. */
  sleep(ms: number): void {
    this.#monotonic += ms;
    this.advance(0);
  }

  /** Somebody sets the clock on the wall. */
  setBack(ms: number): void {
    this.#wall -= ms;
  }
}

/** Lets sockets deliver what was written. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 5));
}
