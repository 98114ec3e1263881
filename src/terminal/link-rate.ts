/** What the answers of the terminal tell about the link: how fast it is, and so how long a frame may be. */

/** Below this a whole frame takes so long that a key would be felt to wait. */
const SLOW_BYTES_PER_MS = 60;
/** The time that one frame may take on a slow link. */
const FRAME_MS = 42;
/** The same for what goes out at a key while another frame is on its way. */
const URGENT_MS = 20;
const MIN_ROOM_CHARS = 120;
/** Shorter frames say more about delay than about width. */
const MIN_SAMPLE_BYTES = 128;
const NEW_SAMPLE_WEIGHT = 0.3;
/** The shortest delay is forgotten slowly: the way may have become longer. */
const DELAY_GROWTH = 1.002;

export interface LinkRate {
  /** So many bytes sent at `sentAt` were shown at `now` (ms of the monotonic clock). */
  answered(sentAt: number, now: number, bytes: number): void;
  readonly slow: boolean;
  /** Infinity on a link that is fast enough for whole frames. */
  room(urgent: boolean): number;
}

export function createLinkRate(): LinkRate {
  let delayMs = Infinity;
  let msPerByte = 0;
  let lastAnswer = -Infinity;
  const isSlow = (): boolean => msPerByte > 1 / SLOW_BYTES_PER_MS;
  return {
    answered(sentAt, now, bytes) {
      const tookMs = now - sentAt;
      delayMs = Math.min(delayMs * DELAY_GROWTH, tookMs);
      // Behind another frame it could not set out before that one had arrived.
      const busyMs = sentAt < lastAnswer ? Math.min(tookMs, now - lastAnswer) : tookMs - delayMs;
      lastAnswer = now;
      if (bytes < MIN_SAMPLE_BYTES) return;
      msPerByte += NEW_SAMPLE_WEIGHT * (Math.max(0, busyMs) / bytes - msPerByte);
    },
    get slow() {
      return isSlow();
    },
    room: (urgent) =>
      isSlow() ? Math.max(MIN_ROOM_CHARS, (urgent ? URGENT_MS : FRAME_MS) / msPerByte) : Infinity,
  };
}
