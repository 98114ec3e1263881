/** An overlap shorter than this may be chance. */
const SHORTEST_OVERLAP_CHARS = 20;
/** Nobody repeats more than this, and it bounds the work. */
const LONGEST_OVERLAP_CHARS = 2000;

/** Text that is to follow another one, without what it repeats of its end. */
export interface Seam {
  /** What of the text so far is certain. */
  push(text: string): string;
  /** The rest. */
  end(): string;
}

/**
 * A model that is asked in words to go on may begin with the last words again. An exact repetition of the end of `before`, of 20
 * characters or more, right at the beginning is left out; all else stays. Text is held only while it may still be such a repetition.
 */
export function createSeam(before: string): Seam {
  const tail = before.slice(-LONGEST_OVERLAP_CHARS);
  let held = '';
  let joined = false;

  function rest(): string {
    joined = true;
    const text = held.slice(overlapOf(tail, held));
    held = '';
    return text;
  }

  return {
    push(text) {
      if (joined) return text;
      held += text;
      return tail.includes(held) && mayGrow(tail, held) ? '' : rest();
    },
    end: () => (joined ? '' : rest()),
  };
}

/** It may be the beginning of an end of the tail: more is needed to know. */
function mayGrow(tail: string, held: string): boolean {
  for (let at = tail.indexOf(held); at >= 0; at = tail.indexOf(held, at + 1))
    if (tail.length - at >= SHORTEST_OVERLAP_CHARS) return true;
  return false;
}

/** Characters at the beginning of `text` that the tail ends with; the longest such piece, 0 when it is too short to mean anything. */
function overlapOf(tail: string, text: string): number {
  for (let length = Math.min(tail.length, text.length); length >= SHORTEST_OVERLAP_CHARS; length--)
    if (text.startsWith(tail.slice(-length))) return length;
  return 0;
}
