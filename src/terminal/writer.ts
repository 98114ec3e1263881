/**
 * Flow control. Between us and the user's eyes lie buffers of megabytes (sshd, TCP); only the terminal itself can say what it has shown.
 * Every frame ends with a question (DSR, `ESC[5n`) whose answer (`ESC[0n`) says that the frame is through; at most two frames are on
 * their way. What is not sent yet costs nothing: the next frame is drawn from the newest state.
 */
import type { Clock } from '../ports.js';
import type { Output } from './output.js';

/** Asks "are you there"; answered in order with everything before it. */
export const ACK_REQUEST = '\x1b[5n';

const WINDOW_FRAMES = 2;
const ACK_TIMEOUT_MS = 1000;
/** Without acknowledgements the link may be slow without our seeing it. */
const UNACKNOWLEDGED_INTERVAL_MS = 80;
/** A frame this short is shown in one piece anyway. */
const SYNC_MIN_CHARS = 96;
/** Answers are waited for longer when one took long: slow links have round trips of seconds. */
const SLOW_ANSWER_FACTOR = 3;

export interface WriterOptions {
  readonly clock: Clock;
  readonly output: Output;
  /** False in tmux and screen, which answer for themselves. */
  readonly acknowledged: boolean;
  /** The terminal is gone. */
  readonly onClosed: (error: Error) => void;
}

export interface Writer {
  /** A frame may be sent now. When it says no, `onWritable` follows. */
  ready(): boolean;
  frame(bytes: string): void;
  /** Bytes outside of frames: titles, the clipboard, questions. Keeps the order. */
  aside(bytes: string): void;
  /** Questions, followed by an ACK_REQUEST. */
  ask(bytes: string): void;
  /** The terminal answered an ACK_REQUEST. */
  acknowledge(): void;
  /** Frames are wrapped in mode 2026 (synchronised output) from now on. */
  useSynchronisedOutput(): void;
  /** Called once after `ready` said no, when a frame may be sent. */
  onWritable(receive: () => void): void;
  /** Sends it before it returns, after all that still waits. */
  sendSync(bytes: string): void;
  /** Questions that are not answered yet. */
  readonly unanswered: number;
  /** Forgets what was asked: after leaving and entering the answers do not come any more. */
  reset(): void;
}

export function createWriter({ clock, output, acknowledged, onClosed }: WriterOptions): Writer {
  let sending = 0;
  /** When each unanswered question was asked. */
  let asked: number[] = [];
  let acksOn = acknowledged;
  /** Answers are to be expected: none was waited for in vain. */
  let answering = true;
  let ackTimeoutMs = ACK_TIMEOUT_MS;
  let pausedUntil = 0;
  let synchronised = false;
  let refused = false;
  let closed = false;
  let receiveWritable: () => void = () => {};
  let cancelTimer: (() => void) | null = null;

  const ready = (): boolean =>
    !closed && sending === 0 && (!acksOn || asked.length < WINDOW_FRAMES) && clock.monotonic() >= pausedUntil;
  const wake = (): void => {
    if (!refused || !ready()) return;
    refused = false;
    receiveWritable();
  };
  const send = (bytes: string): void => {
    if (closed) return;
    sending++;
    output.send(Buffer.from(bytes), (error) => {
      sending--;
      if (error === null) wake();
      else if (!closed) {
        closed = true;
        onClosed(error);
      }
    });
  };
  const watchAnswers = (): void => {
    if (cancelTimer !== null || asked.length === 0) return;
    cancelTimer = clock.after(ackTimeoutMs, () => {
      cancelTimer = null;
      const oldest = asked[0];
      if (oldest === undefined) return;
      if (clock.monotonic() - oldest >= ackTimeoutMs) acksOn = answering = false;
      else watchAnswers();
      wake();
    });
  };
  const pause = (): void => {
    pausedUntil = clock.monotonic() + UNACKNOWLEDGED_INTERVAL_MS;
    clock.after(UNACKNOWLEDGED_INTERVAL_MS + 1, wake);
  };

  return {
    ready() {
      const free = ready();
      if (!free) refused = true;
      return free;
    },
    frame(bytes) {
      const body = synchronised && bytes.length >= SYNC_MIN_CHARS ? `\x1b[?2026h${bytes}\x1b[?2026l` : bytes;
      if (acksOn) {
        asked.push(clock.monotonic());
        send(body + ACK_REQUEST);
        watchAnswers();
        return;
      }
      send(body);
      if (acknowledged) pause();
    },
    aside: (bytes) => send(bytes),
    ask(bytes) {
      asked.push(clock.monotonic());
      send(bytes + ACK_REQUEST);
      watchAnswers();
    },
    acknowledge() {
      const at = asked.shift();
      if (at === undefined) return;
      const tookMs = clock.monotonic() - at;
      answering = true;
      if (acknowledged && !acksOn) {
        // It does answer, only late: a slow link, where acknowledgements matter most.
        acksOn = true;
        ackTimeoutMs = Math.max(ACK_TIMEOUT_MS, tookMs * SLOW_ANSWER_FACTOR);
        watchAnswers();
      }
      wake();
    },
    useSynchronisedOutput() {
      synchronised = true;
    },
    onWritable(receive) {
      receiveWritable = receive;
    },
    sendSync(bytes) {
      if (!closed) output.sendSync(Buffer.from(bytes));
    },
    get unanswered() {
      return answering ? asked.length : 0;
    },
    reset() {
      asked = [];
      cancelTimer?.();
      cancelTimer = null;
      pausedUntil = 0;
    },
  };
}
