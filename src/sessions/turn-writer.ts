import type { Turn } from '../domain/chat.js';
import { textFrom } from '../domain/text.js';
import type { ChatLine } from './chat-lines.js';
import { endLine, promptLine } from './chat-lines.js';

/** How far a turn has been written: what is on the disk for certain. */
interface Written {
  readonly prompt: boolean;
  readonly thinking: number;
  readonly answer: number;
  readonly end: boolean;
}

/** The lines that are still to be written, and a way to say that they were. */
export interface Batch {
  readonly text: string;
  commit(): void;
}

const NOTHING: Written = { prompt: false, thinking: 0, answer: 0, end: false };

/**
 * Remembers the newest state of every turn that is not fully on the disk, and makes the missing lines of it. No text is copied before
 * it is written, and what could not be written is made again the next time.
 */
export class TurnWriter {
  readonly #turns = new Map<string, { turn: Turn; written: Written }>();
  /** Turns that are on the disk with their end; late events of them are ignored. */
  readonly #closed = new Set<string>();

  take(turn: Turn): void {
    if (this.#closed.has(turn.id)) return;
    this.#turns.set(turn.id, { turn, written: this.#turns.get(turn.id)?.written ?? NOTHING });
  }

  get idle(): boolean {
    return this.#turns.size === 0;
  }

  /** The lines that are missing on the disk; null when there are none. `mono` is the monotonic time now. */
  batch(mono: number): Batch | null {
    const lines: ChatLine[] = [];
    const done = new Map<string, Written>();
    for (const [id, { turn, written }] of this.#turns) {
      const before = lines.length;
      if (!written.prompt) lines.push(promptLine(turn));
      const thinking = { from: written.thinking, text: textFrom(turn.thinking, written.thinking) };
      const answer = { from: written.answer, text: textFrom(turn.answer, written.answer) };
      if (thinking.text !== '' || answer.text !== '') {
        lines.push({
          t: 'delta',
          turn: id,
          ms: Math.round(mono - turn.startedMono),
          ...(thinking.text === '' ? {} : { thinking }),
          ...(answer.text === '' ? {} : { answer }),
        });
      }
      if (turn.outcome !== null) lines.push(endLine(turn, turn.outcome));
      if (lines.length > before) {
        done.set(id, {
          prompt: true,
          thinking: turn.thinking.length,
          answer: turn.answer.length,
          end: turn.outcome !== null,
        });
      }
    }
    if (lines.length === 0) return null;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    return { text, commit: () => this.#commit(done) };
  }

  /** Something waits that should be written at once: a question, or the end of an answer. */
  get urgent(): boolean {
    for (const { turn, written } of this.#turns.values())
      if (!written.prompt || turn.outcome !== null) return true;
    return false;
  }

  /** Something waits. */
  get pending(): boolean {
    for (const { turn, written } of this.#turns.values())
      if (turn.thinking.length > written.thinking || turn.answer.length > written.answer) return true;
    return this.urgent;
  }

  #commit(done: ReadonlyMap<string, Written>): void {
    for (const [id, written] of done) {
      const entry = this.#turns.get(id);
      if (!entry) continue;
      if (written.end) {
        this.#turns.delete(id);
        this.#closed.add(id);
      } else entry.written = written;
    }
  }
}
