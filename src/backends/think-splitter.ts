/** A piece of an answer, told apart. */
export interface SplitPiece {
  readonly kind: 'reasoning' | 'text';
  readonly text: string;
}

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Takes `<think>…</think>` at the begin of an answer out of the text, over any borders of pieces. Only at the begin: in the middle of an
 * answer the tag is something that the model writes about. A `</think>` that was never opened closes what came before it, as far as
 * that was not given out yet; `orphan` then tells that the text before it was thinking.
 */
export class ThinkSplitter {
  #state: 'start' | 'thinking' | 'after' | 'text' = 'start';
  #held = '';
  #watchOrphan = true;
  #gaveText = false;
  orphan = false;

  feed(text: string): SplitPiece[] {
    const pieces: SplitPiece[] = [];
    let rest = this.#held + text;
    this.#held = '';
    while (rest !== '') rest = this.#step(rest, pieces);
    if (pieces.some((piece) => piece.kind === 'text')) this.#gaveText = true;
    return pieces;
  }

  /** What was held back because it could have become a tag. */
  end(): SplitPiece[] {
    const held = this.#held;
    this.#held = '';
    if (held === '' || this.#state === 'after') return [];
    return [{ kind: this.#state === 'thinking' ? 'reasoning' : 'text', text: held }];
  }

  /** The server separates the thinking itself: the tags are nothing but text from here on. */
  leaveTags(): void {
    this.#watchOrphan = false;
    if (this.#state === 'start') this.#state = 'text';
  }

  /** Handles what is at the front and returns what is left to look at. */
  #step(rest: string, pieces: SplitPiece[]): string {
    if (this.#state === 'start') return this.#atStart(rest);
    if (this.#state === 'after') {
      // Models put blank lines between the thinking and the answer.
      const trimmed = rest.replace(/^\s+/, '');
      if (trimmed !== '') this.#state = 'text';
      return trimmed;
    }
    if (this.#state === 'text' && !this.#watchOrphan) return give(pieces, 'text', rest);
    const kind = this.#state === 'thinking' ? 'reasoning' : 'text';
    const close = rest.indexOf(CLOSE);
    if (close === -1) {
      const keep = tailThatMayBecome(CLOSE, rest);
      this.#held = rest.slice(rest.length - keep);
      return give(pieces, kind, rest.slice(0, rest.length - keep));
    }
    if (kind === 'text') {
      this.#watchOrphan = false;
      this.orphan = true;
      // Nothing was given out yet: it can still go where it belongs.
      give(pieces, pieces.length === 0 && !this.#gaveText ? 'reasoning' : 'text', rest.slice(0, close));
    } else {
      give(pieces, 'reasoning', rest.slice(0, close));
      this.#watchOrphan = false;
    }
    this.#state = 'after';
    return rest.slice(close + CLOSE.length);
  }

  #atStart(rest: string): string {
    const begin = rest.replace(/^\s+/, '');
    if (begin.startsWith(OPEN)) {
      this.#state = 'thinking';
      return begin.slice(OPEN.length).replace(/^\s+/, '');
    }
    if (OPEN.startsWith(begin)) {
      this.#held = rest;
      return '';
    }
    this.#state = 'text';
    return rest;
  }
}

function give(pieces: SplitPiece[], kind: SplitPiece['kind'], text: string): '' {
  if (text !== '') pieces.push({ kind, text });
  return '';
}

function tailThatMayBecome(tag: string, text: string): number {
  const from = text.lastIndexOf('<');
  if (from === -1 || text.length - from >= tag.length) return 0;
  return tag.startsWith(text.slice(from)) ? text.length - from : 0;
}
