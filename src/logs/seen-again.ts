/** So many of the last lines are compared: fewer would be found again where a server repeats itself. */
const MOST_COMPARED = 32;

/** What a source has shown, to know it again when the source is read from some lines before its end. */
export interface SeenLines {
  add(texts: readonly string[]): void;
  /** How many of the first of these lines were shown before. */
  again(texts: readonly string[]): number;
}

export function createSeenLines(): SeenLines {
  let last: readonly string[] = [];

  /** Whether the line at `index` is the last one that was shown, by what stands before it. */
  function endsAt(texts: readonly string[], index: number): boolean {
    for (let back = 0; back < last.length && back <= index; back++)
      if (texts[index - back] !== last[last.length - 1 - back]) return false;
    return true;
  }

  return {
    add(texts) {
      last = [...last, ...texts.slice(-MOST_COMPARED)].slice(-MOST_COMPARED);
    },
    again(texts) {
      if (last.length === 0) return 0;
      // Where all that is compared is there it is that; nearer to the beginning only the end of it can be.
      for (let index = last.length - 1; index < texts.length; index++)
        if (endsAt(texts, index)) return index + 1;
      for (let index = Math.min(last.length - 1, texts.length) - 1; index >= 0; index--)
        if (endsAt(texts, index)) return index + 1;
      return 0;
    },
  };
}
