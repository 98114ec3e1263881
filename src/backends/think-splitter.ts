/** A piece of an answer, told apart. */
export interface SplitPiece {
  readonly kind: 'reasoning' | 'text';
  readonly text: string;
}

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Takes `<think>…</think>` at the begin of an answer out of the text, over any borders of pieces. Only at the begin: in the middle of an
 * answer the tag is something that the model writes about. Templates that open the tag in the prompt leave only `</think>`: it closes
 * what came before it as long as nothing of that was given out.
 */
export class ThinkSplitter {
  #state: 'start' | 'thinking' | 'after' | 'text' = 'start';
  #held = '';
  #gaveText = false;

  feed(text: string): SplitPiece[] {
    const pieces: SplitPiece[] = [];
    let rest = this.#held + text;
    this.#held = '';
    while (rest !== '') rest = this.#step(rest, pieces);
    return pieces;
  }

  /** What was held back because it could have become a tag. */
  end(): SplitPiece[] {
    const held = this.#held;
    this.#held = '';
    if (held === '') return [];
    return [{ kind: this.#state === 'thinking' ? 'reasoning' : 'text', text: held }];
  }

  /** The server separates the thinking itself: the tags are nothing but text from here on. */
  leaveTags(): void {
    if (this.#state !== 'start') return;
    this.#state = 'text';
    this.#gaveText = true;
  }

  /** Handles what is at the front and returns what is left to look at. */
  #step(rest: string, pieces: SplitPiece[]): string {
    switch (this.#state) {
      case 'start':
        return this.#atStart(rest);
      case 'thinking':
        return this.#inThinking(rest, pieces);
      case 'after': {
        // Models put blank lines between the thinking and the answer.
        const trimmed = rest.replace(/^\s+/, '');
        if (trimmed !== '') this.#state = 'text';
        return trimmed;
      }
      case 'text':
        return this.#inText(rest, pieces);
    }
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

  #inThinking(rest: string, pieces: SplitPiece[]): string {
    const close = rest.indexOf(CLOSE);
    const end = close === -1 ? rest.length - tailThatMayBecome(CLOSE, rest) : close;
    give(pieces, 'reasoning', rest.slice(0, end));
    if (close === -1) {
      this.#held = rest.slice(end);
      return '';
    }
    this.#state = 'after';
    this.#gaveText = true;
    return rest.slice(close + CLOSE.length);
  }

  #inText(rest: string, pieces: SplitPiece[]): string {
    const close = this.#gaveText || rest.includes(OPEN) ? -1 : rest.indexOf(CLOSE);
    this.#gaveText = true;
    if (close === -1) {
      give(pieces, 'text', rest);
      return '';
    }
    give(pieces, 'reasoning', rest.slice(0, close));
    this.#state = 'after';
    return rest.slice(close + CLOSE.length);
  }
}

function give(pieces: SplitPiece[], kind: SplitPiece['kind'], text: string): void {
  if (text !== '') pieces.push({ kind, text });
}

function tailThatMayBecome(tag: string, text: string): number {
  const from = text.lastIndexOf('<');
  if (from === -1 || text.length - from >= tag.length) return 0;
  return tag.startsWith(text.slice(from)) ? text.length - from : 0;
}
