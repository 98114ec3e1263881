/**
 * Flow control. Between us and the user's eyes lie buffers of megabytes (sshd, TCP); only the terminal itself can say what it has shown.
 * Every frame ends with a question (DSR, `ESC[5n`) whose answer (`ESC[0n`) says that the frame is through; at most two frames are on
 * their way. What is not sent yet costs nothing: the next frame is drawn from the newest state.
 */
import type { Clock } from '../ports.js';
import { createLinkRate } from './link-rate.js';
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
/** With each answer that is quicker the slowest one counts so much less. */
const SLOWEST_KEPT = 0.9;

export interface WriterOptions {
  readonly clock: Clock;
  readonly output: Output;
  /** False in tmux and screen, which answer for themselves. */
  readonly acknowledged: boolean;
  /** The terminal is gone. */
  readonly onClosed: (error: Error) => void;
}

export interface Writer {
  /** A frame may be sent now. When it says no, `onWritable` follows. On a slow link an urgent frame may go where another one must wait. */
  ready(urgent?: boolean): boolean;
  /** About how many characters the next frame may have. */
  room(urgent: boolean): number;
  frame(bytes: string): void;
  /** Bytes outside of frames: titles, the clipboard, questions. Keeps the order. */
  aside(bytes: string): void;
  /** Questions, followed by an ACK_REQUEST. */
  ask(bytes: string): void;
  /** The terminal answered an ACK_REQUEST. */
  acknowledge(): void;
  /** Frames are wrapped in mode 2026 (synchronised output) from now on. */
  useSynchronisedOutput(): void;
  /** Longer frames appear in one piece. */
  readonly atomic: boolean;
  /** The terminal knows mode 2026; all that do know REP too (Apple's Terminal and the Linux console know neither). */
  readonly modern: boolean;
  /** Called once after `ready` said no, when a frame may be sent. */
  onWritable(receive: () => void): void;
  /** Sends it before it returns, after all that still waits. */
  sendSync(bytes: string): void;
  /** Questions that are not answered yet. */
  readonly unanswered: number;
  /** How long the slowest of the last answers took, in ms; 0 before the first. */
  readonly answerMs: number;
  /** Forgets what was asked: after leaving and entering the answers do not come any more. */
  reset(): void;
}

export function createWriter({ clock, output, acknowledged, onClosed }: WriterOptions): Writer {
  let sending = 0;
  /** When each unanswered question was asked, and the bytes before it. */
  let asked: { readonly at: number; readonly bytes: number }[] = [];
  const rate = createLinkRate();
  let acksOn = acknowledged;
  /** Answers are to be expected: none was waited for in vain. */
  let answering = true;
  let ackTimeoutMs = ACK_TIMEOUT_MS;
  let answerMs = 0;
  let pausedUntil = 0;
  let synchronised = false;
  let refused = false;
  let refusedUrgent = false;
  let closed = false;
  let receiveWritable: () => void = () => {};
  let cancelTimer: (() => void) | null = null;

  // On a slow link one frame is on its way and the second place is kept for what someone types.
  const windowOf = (urgent: boolean): number => (rate.slow && !urgent ? 1 : WINDOW_FRAMES);
  const ready = (urgent: boolean): boolean =>
    !closed &&
    sending === 0 &&
    (!acksOn || asked.length < windowOf(urgent)) &&
    clock.monotonic() >= pausedUntil;
  const wake = (): void => {
    if (!(refused && ready(false)) && !(refusedUrgent && ready(true))) return;
    refused = refusedUrgent = false;
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
      if (clock.monotonic() - oldest.at >= ackTimeoutMs) acksOn = answering = false;
      else watchAnswers();
      wake();
    });
  };
  const pause = (): void => {
    pausedUntil = clock.monotonic() + UNACKNOWLEDGED_INTERVAL_MS;
    clock.after(UNACKNOWLEDGED_INTERVAL_MS + 1, wake);
  };

  return {
    ready(urgent = false) {
      const free = ready(urgent);
      if (!free) refused = true;
      if (!free && urgent) refusedUrgent = true;
      return free;
    },
    room: (urgent) => (acksOn ? rate.room(urgent) : Infinity),
    frame(bytes) {
      // On a slow link a frame is a part of the picture anyway, and its first bytes shall show at once.
      const body =
        bytes.length >= SYNC_MIN_CHARS && synchronised && !rate.slow
          ? `\x1b[?2026h${bytes}\x1b[?2026l`
          : bytes;
      if (acksOn) {
        asked.push({ at: clock.monotonic(), bytes: body.length });
        send(body + ACK_REQUEST);
        watchAnswers();
        return;
      }
      send(body);
      if (acknowledged) pause();
    },
    aside: (bytes) => send(bytes),
    ask(bytes) {
      asked.push({ at: clock.monotonic(), bytes: bytes.length });
      send(bytes + ACK_REQUEST);
      watchAnswers();
    },
    acknowledge() {
      const answered = asked.shift();
      if (answered === undefined) return;
      const now = clock.monotonic();
      const tookMs = now - answered.at;
      answerMs = Math.max(tookMs, answerMs * SLOWEST_KEPT);
      rate.answered(answered.at, now, answered.bytes);
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
    get atomic() {
      return synchronised && !rate.slow;
    },
    get modern() {
      return synchronised;
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
    get answerMs() {
      return answerMs;
    },
    reset() {
      asked = [];
      cancelTimer?.();
      cancelTimer = null;
      pausedUntil = 0;
    },
  };
}
