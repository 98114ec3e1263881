import type { Turn } from '../domain/chat.js';

/** Tokens a second; `estimated` when it is counted from the pieces that came and our own clock. */
export interface Speed {
  readonly perSecond: number | null;
  readonly estimated: boolean;
}

/** Below this no speed is said: a rate over a few milliseconds is noise. */
const SHORTEST_MS = 200;

/** The speed of an answer: the server's figure, else its token count over our clock, else pieces over our clock. */
export function speedOf(turn: Turn, pieces: number, mono: number): Speed {
  const told = turn.usage.answerPerSecond;
  if (told !== null && Number.isFinite(told)) return { perSecond: told, estimated: false };
  if (turn.firstTokenMono === null) return { perSecond: null, estimated: true };
  const ms = (turn.endedMono ?? mono) - turn.firstTokenMono;
  const count = turn.usage.answerTokens ?? pieces - (turn.earlier?.pieces ?? 0);
  if (ms < SHORTEST_MS || count < 2) return { perSecond: null, estimated: true };
  return { perSecond: ((count - 1) * 1000) / ms, estimated: true };
}
