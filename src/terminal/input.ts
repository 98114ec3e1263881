/** Raw stdin to decoded input: bytes that are split anywhere, and the timers that tell a lone ESC from a sequence. */
import { StringDecoder } from 'node:string_decoder';
import type { Clock, Environment } from '../ports.js';
import { createDecoder, type Reply } from './decoder.js';
import type { TerminalInput } from './terminal.js';
import { takeTypedAhead } from './typed-ahead.js';

/** The stream that stands for the keyboard: process.stdin or a test's. */
export interface InputStream {
  readonly isTTY?: boolean | undefined;
  readonly fd?: number | undefined;
  setRawMode?(raw: boolean): unknown;
  /** Puts bytes before those that are still to be read. */
  unshift?(chunk: Buffer): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const ESCAPE_MS = 30;
/** Packets of one key may arrive apart. */
const ESCAPE_SSH_MS = 100;
/** An unfinished sequence that long is none. */
const SEQUENCE_MS = 500;
const PASTE_STALL_MS = 2000;
/** The answer to ACK_REQUEST. */
const ACKNOWLEDGED = Buffer.from('\x1b[0n');

export interface InputOptions {
  readonly stdin: InputStream;
  readonly env: Environment;
  readonly clock: Clock;
  readonly onInput: (input: TerminalInput) => void;
  readonly onReply: (reply: Reply) => void;
  readonly onClosed: () => void;
}

export interface Input {
  /** Starts to read. */
  start(): void;
  /** Lets a child have the keyboard. */
  stop(): void;
}

export function createInput({ stdin, env, clock, onInput, onReply, onClosed }: InputOptions): Input {
  const escapeMs =
    env['SSH_CONNECTION'] === undefined && env['SSH_TTY'] === undefined ? ESCAPE_MS : ESCAPE_SSH_MS;
  const decoder = createDecoder(onInput, onReply);
  const utf8 = new StringDecoder('utf8');
  let cancelTimer: (() => void) | null = null;
  let listening = false;

  const read = (chunk: Buffer | string): void => {
    // One comes for every frame, mostly by itself: no need to take it apart letter by letter.
    if (typeof chunk !== 'string' && decoder.waiting === 'nothing' && chunk.equals(ACKNOWLEDGED)) {
      onReply({ kind: 'acknowledged' });
      return;
    }
    cancelTimer?.();
    cancelTimer = null;
    decoder.push(typeof chunk === 'string' ? chunk : utf8.write(chunk));
    if (decoder.waiting === 'nothing') return;
    const delayMs = { key: escapeMs, sequence: SEQUENCE_MS, paste: PASTE_STALL_MS }[decoder.waiting];
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = null;
      decoder.expire();
    });
  };

  return {
    start() {
      stdin.setRawMode?.(true);
      if (!listening) {
        listening = true;
        const typed = takeTypedAhead(stdin);
        if (typed.length > 0) stdin.unshift?.(typed);
        stdin.on('data', read);
        stdin.on('end', onClosed);
        stdin.on('close', onClosed);
        stdin.on('error', onClosed);
      }
      stdin.resume();
    },
    stop() {
      cancelTimer?.();
      cancelTimer = null;
      try {
        stdin.setRawMode?.(false);
      } catch {
        // The terminal is gone: nothing to restore.
      }
      stdin.pause();
    },
  };
}
