import fs from 'node:fs';
import path from 'node:path';
import { makePrivateDirectory, PRIVATE_FILE_MODE, systemCode } from '../files.js';
import type { HeaderLine } from './chat-lines.js';
import type { ChatLock } from './chat-lock.js';
import { takeChatLock } from './chat-lock.js';

/** The end of the names of all chat files. */
export const CHAT_FILE_END = '.ndjson';

/** The file of a chat. Ids are made by lmapp; whatever else comes must not lead out of the directory. */
export function chatFileOf(directory: string, id: string): string {
  return path.join(directory, `${id.replace(/[^A-Za-z0-9_-]/g, '_')}${CHAT_FILE_END}`);
}

/** An open file that is only ever appended to. All methods throw the errors of node:fs. */
export class ChatFile {
  readonly #fd: number;
  readonly #lock: ChatLock;
  /** The last byte on the disk is no line end: a torn write of ours, or of a process that was killed. */
  #torn: boolean;
  #writing = false;

  private constructor(fd: number, lock: ChatLock, torn: boolean) {
    this.#fd = fd;
    this.#lock = lock;
    this.#torn = torn;
  }

  /**
   * Opens the chat's file, creating it with `header`. Null: another process is writing to it. A file that is new and whose header
   * cannot be written is removed again.
   */
  static open(directory: string, header: HeaderLine): ChatFile | null {
    makePrivateDirectory(directory);
    const file = chatFileOf(directory, header.id);
    const lock = takeChatLock(`${file}.lock`);
    if (lock === null) return null;
    try {
      // O_APPEND: the position is always the end, also when somebody else has written.
      const fd = fs.openSync(file, 'a+', PRIVATE_FILE_MODE);
      try {
        const { size } = fs.fstatSync(fd);
        if (size === 0) fs.writeSync(fd, `${JSON.stringify(header)}\n`);
        return new ChatFile(fd, lock, !endsWithLineEnd(fd));
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Makes a copy of `from` under the id of `header`: its header first, then all lines that are whole. */
  static fork(directory: string, from: string, header: HeaderLine): ChatFile | null {
    const copy = ChatFile.open(directory, header);
    if (copy === null) return null;
    try {
      const text = fs.readFileSync(chatFileOf(directory, from), 'utf8');
      copy.appendSync(text.slice(0, text.lastIndexOf('\n') + 1));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        copy.close();
        throw error;
      }
    }
    return copy;
  }

  /** Appends whole lines. The caller waits for one append before it begins the next. */
  append(lines: string): Promise<void> {
    const bytes = Buffer.from(this.#torn ? `\n${lines}` : lines);
    this.#torn = true;
    this.#writing = true;
    return new Promise((resolve, reject) => {
      const writeFrom = (offset: number) =>
        fs.write(this.#fd, bytes, offset, bytes.length - offset, null, (error, count) => {
          if (!error && offset + count < bytes.length && count > 0) return writeFrom(offset + count);
          this.#writing = false;
          if (error || count === 0) return reject(error ?? new Error('nothing could be written'));
          this.#torn = false;
          resolve();
        });
      writeFrom(0);
    });
  }

  /** The same before the process ends; also while an append is under way, whose end may or may not still come. */
  appendSync(lines: string): void {
    const bytes = Buffer.from(this.#torn || this.#writing ? `\n${lines}` : lines);
    this.#torn = true;
    for (let offset = 0; offset < bytes.length;) offset += fs.writeSync(this.#fd, bytes, offset);
    this.#torn = false;
  }

  close(): void {
    try {
      fs.closeSync(this.#fd);
    } finally {
      this.#lock.release();
    }
  }
}

function endsWithLineEnd(fd: number): boolean {
  // Not a regular file (a device): there is no end to look at.
  const { size } = fs.fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  fs.readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
