/** A line longer than this is a defect of the server; without a limit it would fill the memory. */
export const LINE_LIMIT_CHARS = 16 * 1024 * 1024;

/** A line passed the limit. */
export class LineTooLongError extends Error {
  constructor() {
    super('The server sent a line that is too long.');
    this.name = 'LineTooLongError';
  }
}

/** Cuts text into lines at LF or CRLF, over packet borders. */
export class LineCutter {
  readonly #limit: number;
  #pending: string[] = [];
  #pendingChars = 0;

  constructor(limitChars = LINE_LIMIT_CHARS) {
    this.#limit = limitChars;
  }

  /** The lines that are complete now. Throws LineTooLongError. */
  feed(text: string): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      lines.push(this.#complete(text.slice(start, end)));
      start = end + 1;
    }
    if (start < text.length) {
      this.#pending.push(start === 0 ? text : text.slice(start));
      this.#pendingChars += text.length - start;
      if (this.#pendingChars > this.#limit) {
        this.#pending = [];
        throw new LineTooLongError();
      }
    }
    return lines;
  }

  /** The last line when it had no end; null when there is none. */
  end(): string | null {
    return this.#pendingChars === 0 ? null : this.#complete('');
  }

  #complete(tail: string): string {
    let line = tail;
    if (this.#pendingChars > 0) {
      line = this.#pending.join('') + tail;
      this.#pending = [];
      this.#pendingChars = 0;
    }
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }
}
