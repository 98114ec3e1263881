/** What a view shows of one entry: `count` rows from `row` on. The first of them is row `at` of the view. */
export interface Part {
  readonly entryId: string;
  readonly row: number;
  readonly at: number;
  readonly count: number;
}

/** How far the rows moved up since the last view, as far as the first row of one is found in the other. */
export function scrolled(before: readonly Part[], now: readonly Part[]): number {
  const first = now[0];
  const firstBefore = before[0];
  if (first === undefined || firstBefore === undefined) return 0;
  const up = placeIn(before, first);
  if (up !== null) return up;
  return -(placeIn(now, firstBefore) ?? 0);
}

/** Where in a view the row stands with which another one begins; null: it is not in it. */
function placeIn(view: readonly Part[], { entryId, row }: Part): number | null {
  const part = view.find((each) => each.entryId === entryId);
  if (part === undefined || row < part.row || row >= part.row + part.count) return null;
  return part.at + row - part.row;
}
