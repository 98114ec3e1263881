/**
 * Reading in step with the eye. A model sends a packet for every token, and each one that is read by itself wakes the whole program up:
 * event loop, system calls, HTTP parser, streams. While packets come in quick succession this socket stops reading after each one for
 * about the time of a frame and then takes all that has come; the kernel holds it meanwhile.
 */
import net from 'node:net';
import type { WatchdogClock } from './watchdog.js';

/** A little longer than a frame at 30 a second, so that each read finds the screen ready for a frame. */
const PACE_MS = 38;
/** Packets further apart than that are read as they come: no wake-up would be saved. */
const QUICK_MS = PACE_MS * 1.5;
/** So much in one read is no trickle of tokens but a backlog, which is drained at full speed. */
const BACKLOG_BYTES = 16 * 1024;

/** Like any socket, except for when it reads. */
export class PacedSocket extends net.Socket {
  readonly #clock: WatchdogClock;
  #lastRead = -Infinity;
  #cancelPause: (() => void) | null = null;
  /** More is wanted as soon as the pause is over. */
  #asked = false;

  constructor(to: net.TcpNetConnectOpts, clock: WatchdogClock) {
    super();
    this.#clock = clock;
    this.connect(to);
  }

  /** What was read, or null at the end. Returns false to stop reading. */
  override push(bytes: Buffer | null): boolean {
    if (bytes === null) return super.push(null);
    const now = this.#clock.monotonic();
    const quick = now - this.#lastRead < QUICK_MS;
    this.#lastRead = now;
    if (quick && bytes.length < BACKLOG_BYTES)
      this.#cancelPause = this.#clock.after(PACE_MS, () => this.#onPauseOver());
    const isWanted = super.push(bytes);
    return isWanted && this.#cancelPause === null;
  }

  override _read(size: number): void {
    if (this.#cancelPause === null) super._read(size);
    else this.#asked = true;
  }

  #onPauseOver(): void {
    this.#cancelPause = null;
    if (!this.#asked) return;
    this.#asked = false;
    super._read(0);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancelPause?.();
    super._destroy(error, done);
  }
}
