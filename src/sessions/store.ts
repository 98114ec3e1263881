import { randomBytes } from 'node:crypto';
import type { Turn } from '../domain/chat.js';
import { messageOf } from '../errors.js';
import type { ChatSummary, StoredChat } from '../events/catalogue.js';
import { systemCode } from '../files.js';
import type { Clock } from '../ports.js';
import { ChatFile } from './chat-file.js';
import type { HeaderLine } from './chat-lines.js';
import { createChatList } from './chat-list.js';
import { readChat } from './read-chat.js';
import { TurnWriter } from './turn-writer.js';

/** Received text is on the disk at most this much later (and a write). */
export const WRITE_INTERVAL_MS = 500;
/** A disk that refused is asked again. */
export const RETRY_INTERVAL_MS = 5000;

/** Something about keeping chats that the user should know. Sentences without a stop. */
export interface StoreProblem {
  readonly level: 'info' | 'good' | 'bad';
  readonly message: string;
  readonly hint: string | null;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** Told once when writing begins to fail, once when it works again, and when a chat goes on as a copy. */
  readonly onProblem: (problem: StoreProblem) => void;
}

/** The chats of one directory, one append-only file each. Nothing here throws because of a disk; `onProblem` tells. */
export interface ChatStore {
  /** A new chat. Its file is created with the first turn. */
  startChat(id: string, title: string): void;
  /** Takes the newest state of a turn; what is new in it is appended soon. Cheap: may be called for every piece. */
  write(chatId: string, turn: Turn): void;
  /** Waits until all that was taken is on the disk, or until the disk refuses. */
  flush(): Promise<void>;
  /** The same at once, for the end of the process. */
  flushSync(): void;
  /** All chats that have a turn, the newest first. */
  list(): Promise<readonly ChatSummary[]>;
  /** Errors: LmappError when it cannot be read. */
  read(id: string): Promise<StoredChat>;
  /** Writes what is left and lets go of the files. */
  close(): Promise<void>;
  /** What the disk has not taken, and why, for the end of the process: a sentence without a stop. Null: all is saved. */
  unsaved(): string | null;
}

interface OpenChat {
  /** As the state knows it; the id of the file differs when the chat goes on as a copy. */
  readonly id: string;
  header: HeaderLine;
  readonly turns: TurnWriter;
  file: ChatFile | null;
  /** Something of it is on the disk. */
  begun: boolean;
}

/**
 * Writes are made one after the other by a single loop: at once when a question or an end waits, else every WRITE_INTERVAL_MS. A turn
 * counts as written only after the disk has taken it; until then its lines are made again at the next try, so a disk that was full
 * for a while loses nothing.
 */
export function openStore(directory: string, { clock, onProblem }: StoreOptions): ChatStore {
  const chats = new Map<string, OpenChat>();
  const chatList = createChatList(directory);
  let running: Promise<void> | null = null;
  let cancelTimer: (() => void) | null = null;
  let failing = false;
  let lastError: unknown = null;

  function chatOf(id: string, title: string): OpenChat {
    const known = chats.get(id);
    if (known) return known;
    const header: HeaderLine = { t: 'chat', v: 1, id, title, at: clock.now() };
    const chat: OpenChat = { id, header, turns: new TurnWriter(), file: null, begun: false };
    chats.set(id, chat);
    return chat;
  }

  function schedule(delayMs: number): void {
    cancelTimer ??= clock.after(delayMs, () => {
      cancelTimer = null;
      void run();
    });
  }

  function run(): Promise<void> {
    cancelTimer?.();
    cancelTimer = null;
    running ??= writeAll().finally(() => {
      running = null;
      if (![...chats.values()].some((chat) => chat.turns.pending)) return;
      if (failing) schedule(RETRY_INTERVAL_MS);
      else if (isUrgent()) void run();
      else schedule(WRITE_INTERVAL_MS);
    });
    return running;
  }

  function isUrgent(): boolean {
    return [...chats.values()].some((chat) => chat.turns.urgent);
  }

  async function writeAll(): Promise<void> {
    for (const chat of [...chats.values()]) {
      const batch = chat.turns.batch(clock.monotonic());
      if (batch === null) continue;
      try {
        chat.file ??= openFile(chat);
        await chat.file.append(batch.text);
        batch.commit();
        chat.begun = true;
        succeeded();
      } catch (error) {
        failed(error);
        return;
      }
    }
    letGoOfOthers();
  }

  /** The chat that was written last stays open; others give their lock back, so that another lmapp can go on with them. */
  function letGoOfOthers(): void {
    const open = [...chats.values()].filter((chat) => chat.file !== null);
    for (const chat of open.slice(0, -1)) if (chat.turns.idle) letGo(chat);
  }

  function openFile(chat: OpenChat): ChatFile {
    // Keeps the map in the order of opening.
    chats.delete(chat.id);
    chats.set(chat.id, chat);
    const file = ChatFile.open(directory, chat.header);
    if (file) return file;
    const from = chat.header.id;
    const header = {
      ...chat.header,
      id: `${chat.id}-${randomBytes(3).toString('hex')}`,
      at: clock.now(),
      forkedFrom: from,
    };
    const copy = ChatFile.fork(directory, from, header);
    if (copy === null) throw new Error('the chat is in use');
    chat.header = header;
    onProblem({
      level: 'info',
      message: 'this chat is open in another lmapp; it goes on here as a copy',
      hint: null,
    });
    return copy;
  }

  function succeeded(): void {
    if (failing) onProblem({ level: 'good', message: 'chats are saved again', hint: null });
    failing = false;
  }

  function failed(error: unknown): void {
    if (!failing) onProblem(problemOf(error, directory));
    failing = true;
    lastError = error;
  }

  return {
    startChat(id, title) {
      chatOf(id, title);
    },
    write(chatId, turn) {
      const { turns } = chatOf(chatId, '');
      turns.take(turn);
      if (running) return;
      // While the disk refuses, only the retry asks it again.
      if (failing) schedule(RETRY_INTERVAL_MS);
      else if (turns.urgent) void run();
      else schedule(WRITE_INTERVAL_MS);
    },
    async flush() {
      await running;
      await run();
    },
    flushSync() {
      for (const chat of [...chats.values()]) {
        const batch = chat.turns.batch(clock.monotonic());
        if (batch === null) continue;
        try {
          chat.file ??= openFile(chat);
          chat.file.appendSync(batch.text);
          batch.commit();
          chat.begun = true;
        } catch (error) {
          failed(error);
        }
      }
      for (const chat of chats.values()) letGo(chat);
    },
    list: () => chatList.list(),
    read: (id) => readChat(directory, id),
    async close() {
      await running;
      await run();
      cancelTimer?.();
      cancelTimer = null;
      for (const chat of chats.values()) letGo(chat);
    },
    unsaved() {
      const left = [...chats.values()].filter((chat) => chat.turns.pending);
      const [first] = left;
      if (!first) return null;
      const what = left.length === 1 ? `the chat "${first.header.title}" was` : `${left.length} chats were`;
      const reason = lastError === null ? 'the disk did not answer in time' : reasonOf(lastError);
      return `${what} not saved${left.some(({ begun }) => begun) ? ' to the end' : ''}: ${reason} (${directory})`;
    },
  };
}

function letGo(chat: OpenChat): void {
  try {
    chat.file?.close();
  } catch {
    // Everything that matters was written before; the lock is recognised as stale by the next one.
  }
  chat.file = null;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'the folder may not be written',
  EPERM: 'the folder may not be written',
  EROFS: 'the disk is read-only',
};

function reasonOf(error: unknown): string {
  return REASONS[systemCode(error)] ?? messageOf(error);
}

function problemOf(error: unknown, directory: string): StoreProblem {
  const room = 'Make room; what is not saved yet is kept in memory and saved then.';
  const writable = `Make ${directory} writable, or set XDG_DATA_HOME.`;
  const hints: Readonly<Record<string, string>> = {
    ENOSPC: room,
    EDQUOT: room,
    EACCES: writable,
    EPERM: writable,
    EROFS: 'Set XDG_DATA_HOME to a folder that can be written.',
  };
  const hint = hints[systemCode(error)] ?? `Check the folder ${directory}.`;
  return { level: 'bad', message: `this chat cannot be saved: ${reasonOf(error)}`, hint };
}
