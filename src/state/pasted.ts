/** Long pasted texts within the message: whole in the text, and one chip on the screen, over which the cursor goes as over one character. */

export interface Pasted {
  /** UTF-16 offsets in the text of the message. */
  readonly start: number;
  readonly end: number;
  readonly lines: number;
}

/** Of more lines than that. */
const SHOWN_LINES = 20;

/** The chips after `start` to `end` of the text was replaced; one that was touched is plain text from then on. */
export function pastedAfter(
  pasted: readonly Pasted[],
  start: number,
  end: number,
  inserted: string,
): readonly Pasted[] {
  if (pasted.length === 0) return pasted;
  const by = inserted.length - (end - start);
  return pasted.flatMap((each) => {
    if (each.end <= start) return each;
    return each.start >= end ? { ...each, start: each.start + by, end: each.end + by } : [];
  });
}

/** The chips with the one for a text that was pasted at `start`, when it is long. */
export function withPasted(pasted: readonly Pasted[], start: number, text: string): readonly Pasted[] {
  let lines = text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  if (lines <= SHOWN_LINES) return pasted;
  return [...pasted, { start, end: start + text.length, lines }].sort((a, b) => a.start - b.start);
}

/** The chip that a step from `cursor` goes over. */
export function pastedBeside(
  pasted: readonly Pasted[],
  cursor: number,
  direction: -1 | 1,
): Pasted | undefined {
  return pasted.find((each) => (direction < 0 ? each.end : each.start) === cursor);
}

/** The offset, or where it stands within a chip the edge of that. */
export function outsidePasted(pasted: readonly Pasted[], offset: number, direction: -1 | 1): number {
  const around = pasted.find((each) => each.start < offset && offset < each.end);
  return around ? (direction < 0 ? around.start : around.end) : offset;
}
