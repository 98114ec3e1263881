/** Where bytes go: a non-blocking file description of our own on the terminal if it can be had, else the stream. */
import fs from 'node:fs';
import type { Clock } from '../ports.js';

/** The stream that stands for the terminal: process.stdout or a test's. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly fd?: number | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(chunk: Uint8Array, done?: (error?: Error | null) => void): boolean;
  on(event: 'resize', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface Output {
  /** Sends all of it, in order, without blocking. `done` comes when the kernel has taken the last byte, at once if it can. */
  send(bytes: Uint8Array, done: (error: Error | null) => void): void;
  /** Sends it, and what was still waiting before it, before it returns. Gives up after a while on a link that takes nothing. */
  sendSync(bytes: Uint8Array): void;
  close(): void;
}

const RETRY_FIRST_MS = 2;
const RETRY_MAX_MS = 16;
const SYNC_TIMEOUT_MS = 2000;
const SYNC_RETRY_MS = 2;

/** The other end is gone for good. */
export function isClosedError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['EIO', 'EPIPE', 'ENXIO', 'EBADF', 'ERR_STREAM_DESTROYED'].includes(code);
}

/**
 * Node's own stdout blocks the whole event loop while a pty is full. A second description of the same terminal can be non-blocking
 * without changing the one that the shell shares with us, and its writes happen at once, in this turn of the loop.
 */
export function openOutput(stream: OutputStream, clock: Clock): Output {
  if (stream.isTTY === true && stream.fd !== undefined && process.platform !== 'win32') {
    for (const path of [`/proc/self/fd/${stream.fd}`, '/dev/tty']) {
      try {
        const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
        return descriptorOutput(fs.openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY), clock);
      } catch {
        // Not on this platform, or not permitted after `su`: the next one.
      }
    }
  }
  return streamOutput(stream);
}

/** Writes to a non-blocking descriptor. */
export function descriptorOutput(fd: number, clock: Clock): Output {
  let waiting: { rest: Uint8Array; done: (error: Error | null) => void }[] = [];
  let cancelRetry: (() => void) | null = null;

  /** Sends as much as fits; true when nothing waits any more. */
  const pump = (): boolean => {
    while (waiting.length > 0) {
      const first = waiting[0] as (typeof waiting)[number];
      let taken: number;
      try {
        taken = fs.writeSync(fd, first.rest);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        const dropped = waiting;
        waiting = [];
        for (const { done } of dropped) done(error as Error);
        return true;
      }
      first.rest = first.rest.subarray(taken);
      if (first.rest.length > 0) continue;
      waiting.shift();
      first.done(null);
    }
    return true;
  };
  // A pty gives no event for a second descriptor; a few wake-ups while it is full cost less than a thread.
  const retry = (delayMs: number): void => {
    cancelRetry = clock.after(delayMs, () => {
      cancelRetry = null;
      if (!pump()) retry(Math.min(delayMs * 2, RETRY_MAX_MS));
    });
  };

  return {
    send(bytes, done) {
      waiting.push({ rest: bytes, done });
      if (waiting.length === 1 && !pump() && cancelRetry === null) retry(RETRY_FIRST_MS);
    },
    sendSync(bytes) {
      waiting.push({ rest: bytes, done: () => {} });
      const end = clock.monotonic() + SYNC_TIMEOUT_MS;
      while (!pump() && clock.monotonic() < end) sleepSync(SYNC_RETRY_MS);
    },
    close() {
      cancelRetry?.();
      fs.closeSync(fd);
    },
  };
}

/** Writes to a stream, which keeps the order itself. */
export function streamOutput(stream: OutputStream): Output {
  return {
    send: (bytes, done) => void stream.write(bytes, (error) => done(error ?? null)),
    sendSync(bytes) {
      try {
        if (stream.fd === undefined) stream.write(bytes);
        else fs.writeSync(stream.fd, bytes);
      } catch (error) {
        if (!isClosedError(error)) throw error;
      }
    },
    close() {},
  };
}

/** Blocks the thread: only while leaving, when there is no loop to go back to. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
