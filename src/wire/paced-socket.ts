/**
 * Reading in step with the eye. A model sends a packet for every token, and each one that is read by itself wakes the whole program up:
 * event loop, system calls, HTTP parser, streams. While packets come in quick succession this socket stops reading after each one for
 * about the time of a frame and then takes all that has come; the kernel holds it meanwhile.
 */
import net from 'node:net';
import { Duplex } from 'node:stream';
import type { WatchdogClock } from './watchdog.js';

/** A little longer than a frame at 30 a second, so that each read finds the screen ready for a frame. */
const PACE_MS = 38;
/** Packets further apart than that are read as they come: no wake-up would be saved. */
const QUICK_MS = PACE_MS * 1.5;
const BUFFER_BYTES = 64 * 1024;
/** So much in one read is no trickle of tokens but a backlog, which is drained at full speed. */
const BACKLOG_BYTES = 16 * 1024;

/** Stands for a socket in an HTTP request; the parser stays Node's own. */
export class PacedSocket extends Duplex {
  readonly #socket: net.Socket;
  readonly #clock: WatchdogClock;
  #lastRead = -Infinity;
  #cancelPause: (() => void) | null = null;
  /** Who reads from us has room. */
  #wanted = true;

  constructor(to: net.TcpNetConnectOpts, clock: WatchdogClock) {
    super();
    this.#clock = clock;
    this.#socket = net.connect({
      ...to,
      onread: {
        buffer: Buffer.alloc(BUFFER_BYTES),
        callback: (bytes, buffer) => this.#onRead(bytes, buffer),
      },
    });
    this.#socket.once('connect', () => void this.emit('connect'));
    this.#socket.once('end', () => this.push(null));
    this.#socket.on('error', (error) => this.destroy(error));
    this.#socket.once('close', () => this.destroy());
  }

  get connecting(): boolean {
    return this.#socket.connecting;
  }

  setNoDelay(on: boolean): this {
    this.#socket.setNoDelay(on);
    return this;
  }

  /** Returns false to stop reading. */
  #onRead(bytes: number, buffer: Uint8Array): boolean {
    const now = this.#clock.monotonic();
    const quick = now - this.#lastRead < QUICK_MS;
    this.#lastRead = now;
    // The buffer is used again.
    this.#wanted = this.push(Buffer.from(buffer.subarray(0, bytes)));
    const pause = quick && bytes < BACKLOG_BYTES;
    if (pause) {
      this.#cancelPause = this.#clock.after(PACE_MS, () => {
        this.#cancelPause = null;
        this.#readOn();
      });
    }
    return this.#wanted && !pause;
  }

  #readOn(): void {
    if (this.#wanted && this.#cancelPause === null && !this.destroyed) this.#socket.resume();
  }

  override _read(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#readOn();
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#cancelPause?.();
    this.#socket.destroy();
    done(error);
  }
}
