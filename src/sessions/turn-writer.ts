import type { Turn } from '../domain/chat.js';
import { textFrom } from '../domain/text.js';
import type { ChatLine } from './chat-lines.js';
import { continueLine, endLine, promptLine } from './chat-lines.js';

/** How far a turn has been written: what is on the disk for certain. */
interface Written {
  readonly prompt: boolean;
  readonly thinking: number;
  readonly answer: number;
  readonly end: boolean;
  /** The number of the run that is written. */
  readonly run: number;
  /** How many warnings the end that is written knew of. */
  readonly warnings: number;
}

/** The lines that are still to be written, and a way to say that they were. */
export interface Batch {
  readonly text: string;
  commit(): void;
}

const NOTHING: Written = { prompt: false, thinking: 0, answer: 0, end: false, run: 0, warnings: 0 };

const runOf = (turn: Turn): number => turn.earlier?.runs ?? 0;

/** A turn that is gone on with and not known here is on the disk as far as it goes. */
function writtenBefore(turn: Turn): Written {
  if (turn.earlier === null) return NOTHING;
  return { ...writtenSoFar(turn), run: runOf(turn) - 1 };
}

function writtenSoFar(turn: Turn): Written {
  const { thinking, answer } = turn;
  return {
    prompt: true,
    thinking: thinking.length,
    answer: answer.length,
    end: false,
    run: runOf(turn),
    warnings: 0,
  };
}

/**
 * Remembers the newest state of every turn that is not fully on the disk, and makes the missing lines of it. No text is copied before
 * it is written, and what could not be written is made again the next time.
 */
export class TurnWriter {
  readonly #turns = new Map<string, { turn: Turn; written: Written }>();
  /**
   * Turns that are on the disk with their end: the number of that run, and the warnings that it knew of. Late events of it are ignored, but
   * for a warning more, for which the end is written again.
   */
  readonly #closed = new Map<string, { readonly run: number; readonly warnings: number }>();

  take(turn: Turn): void {
    const closed = this.#closed.get(turn.id);
    const isKnown = closed !== undefined && closed.run >= runOf(turn);
    if (isKnown && (closed.run > runOf(turn) || turn.logWarnings.length <= closed.warnings)) return;
    const before = isKnown ? writtenSoFar(turn) : writtenBefore(turn);
    this.#turns.set(turn.id, { turn, written: this.#turns.get(turn.id)?.written ?? before });
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
      if (turn.earlier !== null && written.run < runOf(turn)) lines.push(continueLine(turn, turn.earlier));
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
        const end = turn.outcome !== null;
        done.set(id, { ...writtenSoFar(turn), end, warnings: turn.logWarnings.length });
      }
    }
    if (lines.length === 0) return null;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    return { text, commit: () => this.#commit(done) };
  }

  /** Something waits that should be written at once: a question, or the end of an answer. */
  get urgent(): boolean {
    for (const { turn, written } of this.#turns.values())
      if (!written.prompt || turn.outcome !== null || written.run < runOf(turn)) return true;
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
      const { run, warnings } = written;
      if (written.end) this.#closed.set(id, { run, warnings });
      // It may have been gone on with while its end was being written.
      const isAll = runOf(entry.turn) === run && entry.turn.logWarnings.length <= warnings;
      if (written.end && isAll) this.#turns.delete(id);
      else entry.written = { ...written, end: false };
    }
  }
}
