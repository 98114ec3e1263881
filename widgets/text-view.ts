/** Styled rows to cells. The only way text reaches the screen, so it is also the last guard against control characters. */
import { DEFAULT_ATTR, type Cell, type CellLine } from './blessed-shim.js';
import { sanitizeLine } from './text/sanitize.js';
import type { Row, Token } from './text/span.js';
import { graphemes, isAscii, isSimple, measuredCluster, unitWidth } from './text/width.js';

/** Turns tokens into attributes of cells. */
export interface AttrSource {
  attr(token: Token, fill?: Token): number;
  /** The attribute of a space: styles that do not show on a space become the default, so that blanks compare equal. */
  blank(attr: number): number;
}

/** Whether this surface may write that column of the row; null: all of them. */
export type Clip = ((x: number) => boolean) | null;

/**
 * Writes one row into `width` cells of a line from column `x` on, blank behind its text. Wide clusters that do not fit, at the end or
 * under another surface, become spaces. Returns whether a cell changed, and marks the line then.
 */
export function writeRow(
  line: CellLine,
  x: number,
  width: number,
  row: Row,
  source: AttrSource,
  clip: Clip = null,
): boolean {
  const end = Math.min(x + width, line.length);
  let at = x;
  let changed = false;

  const put = (column: number, attr: number, text: string): void => {
    if (clip !== null && !clip(column)) return;
    const cell = line[column];
    if (cell === undefined || (cell[0] === attr && cell[1] === text)) return;
    cell[0] = attr;
    cell[1] = text;
    changed = true;
  };
  const putWide = (attr: number, text: string): void => {
    const whole = at + 1 < end && (clip === null || (clip(at) && clip(at + 1)));
    put(at, whole ? attr : source.blank(attr), whole ? text : ' ');
    if (at + 1 < end) put(at + 1, whole ? attr : source.blank(attr), whole ? '' : ' ');
    at += 2;
  };
  const putNarrow = (attr: number, blank: number, text: string): void => {
    put(at, text === ' ' ? blank : attr, text);
    at++;
  };

  for (const { text: raw, token } of row.spans) {
    if (at >= end) break;
    const attr = source.attr(token, row.fill);
    const blank = source.blank(attr);
    if (isAscii(raw)) {
      for (let i = 0; i < raw.length && at < end; i++) putNarrow(attr, blank, raw.charAt(i));
      continue;
    }
    if (isSimple(raw)) {
      for (let i = 0; i < raw.length && at < end; i++) {
        if (unitWidth(raw.charCodeAt(i)) === 1) putNarrow(attr, blank, raw.charAt(i));
        else putWide(attr, raw.charAt(i));
      }
      continue;
    }
    for (const segment of graphemes(sanitizeLine(raw))) {
      if (at >= end) break;
      const cluster = measuredCluster(segment);
      if (cluster.width === 0) continue;
      if (cluster.width === 1) putNarrow(attr, blank, cluster.text);
      // A flag has become two letters: two narrow cells.
      else if (isAscii(cluster.text))
        for (let i = 0; i < 2 && at < end; i++) putNarrow(attr, blank, cluster.text.charAt(i));
      else putWide(attr, cluster.text);
    }
  }
  const rest = row.fill === undefined ? DEFAULT_ATTR : source.blank(source.attr('text', row.fill));
  if (clip !== null) for (; at < end; at++) put(at, rest, ' ');
  // Most cells of a first frame; without the call for each of them.
  for (; at < end; at++) {
    const cell = line[at] as Cell;
    if (cell[0] === rest && cell[1] === ' ') continue;
    cell[0] = rest;
    cell[1] = ' ';
    changed = true;
  }
  if (changed) line.dirty = true;
  return changed;
}
