/** A longer line is cut there; what follows up to its end is thrown away. */
export const LONGEST_LINE_BYTES = 64 * 1024;
/** Stands at the end of a line that was cut. */
export const CUT_MARK = ' … (cut)';

const NEWLINE = 10;
const RETURN = 13;

/** Cuts a stream of bytes into lines; a line or a character split over two reads is put together again. */
export interface LineCutter {
  /** Hands over the lines that are complete with these bytes. The bytes may be overwritten afterwards. */
  push(bytes: Buffer, take: (line: string) => void): void;
  /** The file ended: hands over a last line without a line break. */
  end(take: (line: string) => void): void;
  /** What stands on a line that was begun anew by a carriage return and has not ended: a progress bar. Null: nothing does. */
  progress(): string | null;
  /** A line waits for its end. `told`: it was cut and told, and its rest is being thrown away. */
  readonly open: 'waits' | 'told' | null;
  /** Throws away what waits, and with `untilNewline` the rest of a line that began before. */
  reset(untilNewline: boolean): void;
}

/**
 * A carriage return within a line begins it anew, as on a terminal: of a progress bar only the last state is a line. `longest` is in
 * bytes.
 */
export function createLineCutter(longest: number = LONGEST_LINE_BYTES): LineCutter {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let discarding = false;
  /** The line that waits was begun anew. */
  let returned = false;

  function hold(bytes: Buffer): void {
    // Of a progress bar that never ends its line only what stands after the last return matters.
    const from = bytes.subarray(0, -1).lastIndexOf(RETURN) + 1;
    if (from > 0) {
      rest = [];
      restBytes = 0;
    }
    if (from > 0 || bytes.at(-1) === RETURN) returned = true;
    rest.push(Buffer.from(bytes.subarray(from)));
    restBytes += bytes.length - from;
  }

  function whole(last: Buffer): Buffer {
    if (rest.length === 0) return last;
    const line = Buffer.concat([...rest, last]);
    rest = [];
    restBytes = 0;
    returned = false;
    return line;
  }

  function tell(bytes: Buffer, take: (line: string) => void): void {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === RETURN) end--;
    const from = end === 0 ? 0 : bytes.subarray(0, end).lastIndexOf(RETURN) + 1;
    const long = end - from > longest;
    take(bytes.toString('utf8', from, long ? from + longest : end) + (long ? CUT_MARK : ''));
  }

  return {
    push(bytes, take) {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        if (discarding) discarding = false;
        else tell(whole(bytes.subarray(from, at)), take);
        from = at + 1;
      }
      if (discarding || from >= bytes.length) return;
      hold(bytes.subarray(from));
      if (restBytes <= longest) return;
      tell(whole(Buffer.alloc(0)), take);
      discarding = true;
    },
    end(take) {
      if (restBytes > 0 && !discarding) tell(whole(Buffer.alloc(0)), take);
      discarding = false;
    },
    get open() {
      return discarding ? 'told' : restBytes > 0 ? 'waits' : null;
    },
    progress() {
      if (!returned || discarding) return null;
      let text: string | null = null;
      tell(Buffer.concat(rest), (line) => (text = line));
      return text;
    },
    reset(untilNewline) {
      rest = [];
      restBytes = 0;
      returned = false;
      discarding = untilNewline;
    },
  };
}

/** Number of line breaks in the bytes. */
export function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
