import type { NoticeLevel, Stamped } from '../events/catalogue.js';
import type { Notice, State } from './state.js';

const KEPT_NOTICES = 100;

/** Adds a notice; the same text again within the kept ones moves to the end instead of standing twice. */
export function withNotice(
  state: State,
  event: Stamped,
  level: NoticeLevel,
  text: string,
  hint: string | null,
): State {
  const notice: Notice = { id: event.seq, at: event.at, mono: event.mono, level, text, hint };
  const others = state.notices.filter((n) => n.text !== text || n.level !== level);
  return { ...state, at: event.at, mono: event.mono, notices: [...others, notice].slice(-KEPT_NOTICES) };
}
