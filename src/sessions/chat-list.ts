import fs from 'node:fs/promises';
import path from 'node:path';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { ChatSummary } from '../events/catalogue.js';
import { CHAT_FILE_END } from './chat-file.js';
import { PROMPT_LINE_START } from './chat-lines.js';
import { parseChat } from './read-chat.js';

const CHUNK_BYTES = 256 * 1024;
/** Files read at the same time. */
const AT_ONCE = 16;

interface Known {
  readonly size: number;
  readonly modifiedMs: number;
  /** Null: no chat, or one without a turn. */
  readonly summary: ChatSummary | null;
}

/** Lists the chats of a directory. A file that has not changed since the last call is not read again. */
export function createChatList(directory: string): { list(): Promise<readonly ChatSummary[]> } {
  const known = new Map<string, Known>();

  async function look(name: string): Promise<ChatSummary | null> {
    const file = path.join(directory, name);
    const stat = await fs.stat(file).catch(() => null);
    if (!stat?.isFile()) return null;
    const before = known.get(name);
    if (before && before.size === stat.size && before.modifiedMs === stat.mtimeMs) return before.summary;
    const summary = await summarise(file, stat.mtimeMs).catch(() => null);
    known.set(name, { size: stat.size, modifiedMs: stat.mtimeMs, summary });
    return summary;
  }

  return {
    async list() {
      const all = await fs.readdir(directory).catch(() => [] as string[]);
      const names = all.filter((name) => name.endsWith(CHAT_FILE_END));
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
      const found: ChatSummary[] = [];
      const worker = async (): Promise<void> => {
        for (let name = names.pop(); name !== undefined; name = names.pop()) {
          const summary = await look(name);
          if (summary) found.push(summary);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return found.sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1));
    },
  };
}

/** Title from the first lines; the questions are counted by how their lines begin, without parsing answers of megabytes. */
async function summarise(file: string, modifiedMs: number): Promise<ChatSummary | null> {
  const id = path.basename(file, CHAT_FILE_END);
  const handle = await fs.open(file, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const prompts = new Set<string>();
    let title: string | null = null;
    // The beginning of a line that the last chunk ended in; more of it than the id of the turn is not needed.
    let rest = '';
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      const text = rest + chunk.toString('utf8', 0, bytesRead);
      title ??= titleIn(id, text);
      const lines = text.split('\n');
      rest = (lines.pop() ?? '').slice(0, 200);
      for (const line of lines) countPrompt(line, prompts);
    }
    countPrompt(rest, prompts);
    if (prompts.size === 0) return null;
    return { id, title: sanitizeLine(title ?? ''), updatedAt: Math.round(modifiedMs), turns: prompts.size };
  } finally {
    await handle.close();
  }
}

function titleIn(id: string, text: string): string {
  const head = text.split('\n', 3).join('\n');
  return parseChat(id, head).title;
}

function countPrompt(line: string, prompts: Set<string>): void {
  if (!line.startsWith(PROMPT_LINE_START)) return;
  const turn = /^\{"t":"prompt","turn":"([^"]*)"/.exec(line.slice(0, 200))?.[1];
  if (turn !== undefined) prompts.add(turn);
}
