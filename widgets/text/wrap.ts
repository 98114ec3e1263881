import { clusterWidth, graphemes, isSimple, unitWidth } from './width.js';

/** Greedy word wrap by grapheme cluster: where rows begin, and what of them is printed. */

const TAB_COLUMNS = 4;
/** Spaces that hang over the end of a row; more begin a new row, so that a row stays short whatever the text is. */
const MAX_HANGING = 256;

const TAB = 9;
const LINE_FEED = 10;
const SPACE = 32;

/**
 * The offset at which the row after the one starting at `start` begins; the text's length for the last row. A line break belongs to the
 * row that it ends, and so do spaces that no longer fit.
 */
export function nextRowStart(text: string, start: number, width: number): number {
  const columns = Math.max(1, width);
  let column = 0;
  let breakAt = start;
  // Characters that never join with a neighbour go by unit; the first other one sends the row by cluster.
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LINE_FEED) return at + 1;
    let cells = code === TAB ? TAB_COLUMNS - (column % TAB_COLUMNS) : 1;
    if (code >= 0x7f) {
      if (!isSimple(text.charAt(at))) return nextRowStartByCluster(text, start, columns);
      cells = unitWidth(code);
      // Scripts written without spaces may break before and after every wide character.
      if (cells === 2) breakAt = at;
    }
    const space = code === SPACE || code === TAB;
    if (column + cells > columns) {
      if (space) return afterHangingSpaces(text, at);
      if (breakAt > start) return breakAt;
      return at > start ? at : nextRowStartByCluster(text, start, columns);
    }
    column += cells;
    if (space || cells === 2) breakAt = at + 1;
  }
  return text.length;
}

function nextRowStartByCluster(text: string, start: number, columns: number): number {
  // Finding clusters is slow, so first only in what a row usually needs. The larger window is the limit: a flood of zero-width marks
  // must not make a row of unbounded length.
  return (
    rowStartInWindow(text, start, columns, columns * 2 + 16) ??
    rowStartInWindow(text, start, columns, columns * 8 + 64) ??
    start + columns * 8 + 63
  );
}

/** Null when the row does not end within the window. */
function rowStartInWindow(text: string, start: number, columns: number, limit: number): number | null {
  const window = text.slice(start, start + limit);
  const whole = start + window.length === text.length;
  let column = 0;
  let at = start;
  let breakAt = start;
  for (const cluster of graphemes(window)) {
    // A cluster at the edge of the window may go on behind it.
    if (!whole && at + cluster.length === start + window.length) break;
    if (cluster === '\n') return at + 1;
    const space = cluster === ' ' || cluster === '\t';
    const cells = cluster === '\t' ? TAB_COLUMNS - (column % TAB_COLUMNS) : clusterWidth(cluster);
    if (cells === 2) breakAt = at;
    if (column + cells > columns) {
      if (space) return afterHangingSpaces(text, at);
      if (breakAt > start) return breakAt;
      return at > start ? at : at + cluster.length;
    }
    column += cells;
    at += cluster.length;
    if (space || cells === 2) breakAt = at;
  }
  return whole ? text.length : null;
}

function afterHangingSpaces(text: string, start: number): number {
  let at = start;
  const limit = Math.min(text.length, start + MAX_HANGING);
  while (at < limit && (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB)) at++;
  return at < text.length && text.charCodeAt(at) === LINE_FEED ? at + 1 : at;
}

/** The printable text of a row: without its line break, tabs as spaces, at most `width` cells. */
export function printableRow(text: string, start: number, end: number, width: number): string {
  let raw = text.slice(start, end);
  if (raw.endsWith('\n')) raw = raw.slice(0, -1);
  if (raw.length <= width && /^[\x20-\x7e]*$/.test(raw)) return raw;
  let column = 0;
  let shown = '';
  for (const cluster of graphemes(raw)) {
    const cells = cluster === '\t' ? TAB_COLUMNS - (column % TAB_COLUMNS) : clusterWidth(cluster);
    if (column + cells > width) break;
    shown += cluster === '\t' ? ' '.repeat(cells) : cluster;
    column += cells;
  }
  return shown;
}

/** Column of the cell behind `end` in a row that begins at `start`. */
export function columnAt(text: string, start: number, end: number): number {
  let column = 0;
  for (const cluster of graphemes(text.slice(start, end))) {
    if (cluster === '\n') break;
    column += cluster === '\t' ? TAB_COLUMNS - (column % TAB_COLUMNS) : clusterWidth(cluster);
  }
  return column;
}

/** All rows of a short text. */
export function wrapText(text: string, width: number): string[] {
  if (width <= 0) return [];
  const rows: string[] = [];
  let start = 0;
  while (start < text.length) {
    const next = nextRowStart(text, start, width);
    rows.push(printableRow(text, start, next, width).trimEnd());
    start = next;
  }
  if (text === '' || text.endsWith('\n')) rows.push('');
  return rows;
}
