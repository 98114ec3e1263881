/**
 * Text that grows at its end. Appending never copies what is already there (a string of 2 MB that is appended to 500 times a second
 * would be copied at every look), and old values stay valid, so a pure update can hold it.
 */
export interface GrowingText {
  /** Full blocks of BLOCK_CHARS or more. */
  readonly blocks: readonly string[];
  readonly tail: string;
  /** UTF-16 units in all. */
  readonly length: number;
}

const BLOCK_CHARS = 4096;

export const EMPTY_TEXT: GrowingText = { blocks: [], tail: '', length: 0 };

export function textOf(whole: string): GrowingText {
  return appendText(EMPTY_TEXT, whole);
}

/** The text with `more` at its end. */
export function appendText(text: GrowingText, more: string): GrowingText {
  if (more === '') return text;
  const tail = text.tail + more;
  const length = text.length + more.length;
  if (tail.length < BLOCK_CHARS) return { blocks: text.blocks, tail, length };
  return { blocks: text.blocks.concat(flat(tail)), tail: '', length };
}

/** The same text in the least memory, for one that has ended and is kept. */
export function settledText(text: GrowingText): GrowingText {
  flat(text.tail);
  return text;
}

/**
 * The same string in one piece. V8 keeps a joined string as a tree of its parts, eight times the memory of an answer that came in words,
 * until something reads it; a search does (a result that nobody looks at would be optimised away with a mere charCodeAt).
 */
export function flat(text: string): string {
  /^/.test(text);
  return text;
}

/** The same string without the longer one that it was cut from, which V8 keeps whole as long as a part of it is held. */
export function detached(text: string): string {
  return flat(` ${text}`).slice(1);
}

/** The whole text as one string. O(length): for saving and sending, not for drawing. */
export function wholeText(text: GrowingText): string {
  return text.blocks.length === 0 ? text.tail : text.blocks.join('') + text.tail;
}

/** The text from `offset` (UTF-16 units) to the end; touches only the blocks that hold it. */
export function textFrom(text: GrowingText, offset: number): string {
  if (offset >= text.length) return '';
  let start = text.length - text.tail.length;
  if (offset >= start) return text.tail.slice(offset - start);
  const pieces: string[] = [text.tail];
  for (let i = text.blocks.length - 1; i >= 0; i--) {
    const block = text.blocks[i] ?? '';
    start -= block.length;
    if (offset >= start) {
      pieces.push(block.slice(offset - start));
      break;
    }
    pieces.push(block);
  }
  return pieces.reverse().join('');
}
