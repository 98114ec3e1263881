import type { NoticeLevel, Stamped } from '../events/catalogue.js';
import type { Notice, State } from './state.js';

const KEPT_NOTICES = 100;
/** What a notice is about that says that a message waits for a model. */
export const MESSAGE_WAITS = 'message waits';

/** Adds a notice; the same text again within the kept ones moves to the end instead of standing twice. */
export function withNotice(
  state: State,
  event: Stamped,
  level: NoticeLevel,
  text: string,
  hint: string | null,
  about: string | null = null,
): State {
  const { seq: id, at, mono } = event;
  const notice: Notice = { id, at, mono, level, text, hint, about, over: false };
  const others = state.notices.filter((n) => n.text !== text || n.level !== level);
  return { ...state, at: event.at, mono: event.mono, notices: [...others, notice].slice(-KEPT_NOTICES) };
}

/** What was told of it is not so any more: the server is back or out of the list, the message waits no longer. */
export function withNewsOver(state: State, about: string): State {
  if (!state.notices.some((n) => n.about === about && !n.over)) return state;
  return { ...state, notices: state.notices.map((n) => (n.about === about ? { ...n, over: true } : n)) };
}
