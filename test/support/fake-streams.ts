/** Streams and a clock in the place of a terminal, for tests of the terminal layer without a pty. */
import type { Clock } from '../../src/ports.js';

export class FakeStdout {
  bytes = 0;
  readonly chunks: string[] = [];
  readonly #done: (() => void)[] = [];
  #resized: () => void = () => {};
  /** Chunks are taken at once; false: only when `take` is called. */
  automatic = true;

  constructor(
    public columns: number,
    public rows: number,
    readonly receive: (chunk: Uint8Array) => void = () => {},
  ) {}

  write(chunk: Uint8Array, done?: (error?: Error | null) => void): boolean {
    this.bytes += chunk.length;
    this.chunks.push(Buffer.from(chunk).toString());
    this.receive(chunk);
    if (this.automatic) done?.();
    else if (done !== undefined) this.#done.push(() => done());
    return true;
  }

  /** The link takes everything that waits. */
  take(): void {
    for (const done of this.#done.splice(0)) done();
  }

  on(event: string, listener: ((error: Error) => void) | (() => void)): this {
    if (event === 'resize') this.#resized = listener as () => void;
    return this;
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#resized();
  }
}

export class FakeStdin {
  #data: (chunk: Buffer | string) => void = () => {};
  #end: () => void = () => {};

  on(
    event: string,
    listener: ((chunk: Buffer | string) => void) | ((error: Error) => void) | (() => void),
  ): this {
    if (event === 'data') this.#data = listener as (chunk: Buffer | string) => void;
    if (event === 'end') this.#end = listener as () => void;
    return this;
  }

  send(chunk: Buffer | string): void {
    this.#data(chunk);
  }

  end(): void {
    this.#end();
  }

  resume(): void {}
  pause(): void {}
}

/** Time that passes only when told. */
export class HandClock implements Clock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }
}
