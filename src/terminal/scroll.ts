/** Whether the terminal shall move rows itself (DECSTBM and SU or SD) before the rest is repaired. */
import { type Cell, type CellLine, DEFAULT_ATTR } from '../../widgets/blessed-shim.js';
import { blankRow, type ShownLine } from './shown.js';

/** Rows top..bottom (screen rows, inclusive) moved up by `by` rows; negative: down. */
export interface ScrollHint {
  readonly top: number;
  readonly bottom: number;
  readonly by: number;
}

/** Bytes of setting the region, scrolling and resetting it. */
const SCROLL_BYTES = 20;
/** Bytes of going to a run of changed cells, and often of a change of style. */
const RUN_BYTES = 9;

/**
 * About the bytes of scrolling and of all repairs; null when repainting is shorter. Whole rows scroll, so what stands beside the pane is
 * repaired too, and counted.
 */
export function scrollCost(
  lines: readonly CellLine[],
  shown: readonly ShownLine[],
  { top, bottom, by }: ScrollHint,
): number | null {
  const height = bottom - top + 1;
  if (by === 0 || Math.abs(by) >= height || top < 0 || bottom >= lines.length) return null;
  let repair = SCROLL_BYTES;
  for (let y = top; y <= bottom; y++) {
    const line = lines[y] as CellLine;
    const source = y + by;
    repair += source >= top && source <= bottom ? cost(line, shown[source] as ShownLine) : costOfNew(line);
  }
  let repaint = 0;
  // Most often a few rows tell.
  for (let y = top; y <= bottom && repaint <= repair; y++)
    repaint += cost(lines[y] as CellLine, shown[y] as ShownLine);
  return repair < repaint ? repair : null;
}

/** Does to `shown` what the terminal does. The rows that leave come back blank. */
export function scrollRows(shown: ShownLine[], { top, bottom, by }: ScrollHint): void {
  const count = Math.abs(by);
  const gone = shown.splice(by > 0 ? top : bottom + 1 - count, count);
  gone.forEach(blankRow);
  shown.splice(by > 0 ? bottom + 1 - count : top, 0, ...gone);
}

/** About the bytes that turn `old` into `line`. */
function cost(line: CellLine, { attrs, texts }: ShownLine): number {
  let bytes = 0;
  let lastChanged = -10;
  for (let x = 0; x < line.length; x++) {
    const cell = line[x] as Cell;
    if (cell[0] === attrs[x] && cell[1] === texts[x]) continue;
    bytes += x - lastChanged > 4 ? RUN_BYTES : x - lastChanged - 1;
    bytes += cell[1] > '~' ? 3 : 1;
    lastChanged = x;
  }
  return bytes;
}

function costOfNew(line: CellLine): number {
  let bytes = RUN_BYTES;
  for (const cell of line) if (cell[1] !== ' ' || cell[0] !== DEFAULT_ATTR) bytes += cell[1] > '~' ? 3 : 1;
  return bytes;
}

/** Blanks a line where it stands: a screen has thousands of cells, and each new one would be in the way of the first frame. */
export function blank(line: CellLine): void {
  line.dirty = true;
  for (const cell of line) {
    cell[0] = DEFAULT_ATTR;
    cell[1] = ' ';
  }
}
