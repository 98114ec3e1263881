import { LmappError, messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Clock } from '../ports.js';
import { type ChatStore, openStore } from '../sessions/store.js';

/** The chats on the disk: what is written of the running one, and earlier ones that are listed and opened. */
export interface KeptChats extends Pick<
  ChatStore,
  'startChat' | 'write' | 'close' | 'flushSync' | 'unsaved'
> {
  list(): Promise<void>;
  open(chatId: string): Promise<void>;
  /** Opens the newest chat, or says that there is none. */
  continueLast(): Promise<void>;
}

export function openKeptChats(folder: string, clock: Clock, publish: (event: AppEvent) => void): KeptChats {
  const store = openStore(folder, {
    clock,
    onProblem: ({ level, message, hint }) => publish({ type: 'notice.raised', level, text: message, hint }),
  });

  async function open(chatId: string): Promise<void> {
    try {
      await store.flush();
      publish({ type: 'session.opened', chat: await store.read(chatId) });
    } catch (error) {
      const hint = error instanceof LmappError ? error.hint : null;
      publish({ type: 'session.failed', message: messageOf(error), hint });
    }
  }

  return {
    startChat: store.startChat,
    write: store.write,
    close: store.close,
    flushSync: store.flushSync,
    unsaved: store.unsaved,
    open,
    async list() {
      publish({ type: 'session.listed', chats: await store.list() });
    },
    async continueLast() {
      const chats = await store.list();
      publish({ type: 'session.listed', chats });
      const [last] = chats;
      if (last) await open(last.id);
      else
        publish({
          type: 'notice.raised',
          level: 'info',
          text: 'there is no earlier chat to go on with',
          hint: null,
        });
    },
  };
}
