import type { Stamped, StoredChat } from '../events/catalogue.js';
import { withNotice } from './notices.js';
import { emptyChat, type State } from './state.js';

const TITLE_CHARS = 60;

export function newChat(state: State, event: Stamped): State {
  return {
    ...state,
    chat: { ...emptyChat(`${state.idSeed}-${event.seq}`), chats: state.chat.chats },
    view: { ...state.view, anchor: null, pane: 'message' },
  };
}

export function openChat(state: State, event: Stamped, stored: StoredChat): State {
  const opened: State = {
    ...state,
    chat: {
      ...emptyChat(stored.id),
      title: stored.title,
      stored: true,
      done: stored.turns,
      dropped: stored.turns.at(-1)?.droppedTurns ?? [],
      chats: state.chat.chats,
    },
    view: { ...state.view, anchor: null, pane: 'message' },
  };
  if (stored.skippedLines === 0) return opened;
  const lines = stored.skippedLines === 1 ? '1 line' : `${stored.skippedLines} lines`;
  return withNotice(
    opened,
    event,
    'warn',
    `${lines} of this chat could not be read`,
    'They stay in its file.',
  );
}

/** The first line of a message, shortened. */
export function titleOf(text: string): string {
  const line = (text.trim().split('\n', 1)[0] ?? '').trimEnd();
  return line.length > TITLE_CHARS ? line.slice(0, TITLE_CHARS - 1).trimEnd() + '…' : line;
}
