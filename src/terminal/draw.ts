/**
 * The difference between what the terminal shows and what it shall show, as few bytes. `shown` is what was sent, so skipping a frame is always
 * safe and losing a byte never is.
 */
import type { Cell, CellLine } from '../../widgets/blessed-shim.js';
import type { Palette } from './palette.js';
import { isOneCell, isRisky, Pen } from './pen.js';
import { scrollCost, type ScrollHint, scrollRows } from './scroll.js';
import type { ShownLine } from './shown.js';

/** From so many blanks on, erasing and moving is shorter than writing them. */
const ERASE_MIN_CELLS = 9;
const ERASE_LINE_MIN_CELLS = 4;

/** How much may be drawn now, and what first. What finds no room stays dirty for the next time. */
export interface Room {
  /** About so many characters. At least one row is drawn. */
  readonly chars: number;
  /** The row to begin with. */
  readonly from: number;
  /** Nearest rows first (someone types there), and no scrolling; else from there on and round. */
  readonly near: boolean;
  /** The terminal repeats characters by itself (REP). */
  readonly repeats: boolean;
}

export interface Drawn {
  readonly text: string;
  /** The first dirty row that found no room; -1 when all is drawn. */
  readonly left: number;
  /** Scrolls that found no room. */
  readonly hints: readonly ScrollHint[];
}

const ALL: Room = { chars: Infinity, from: 0, near: false, repeats: false };
/** A scroll that takes little more than the room is worth it: without it the whole pane is drawn, over several frames. */
const SCROLL_MAX_ROOM = 1.25;

/** Writes the changes of the dirty lines, as far as there is room, and makes `shown` equal to `lines` there. */
export function drawChanges(
  lines: CellLine[],
  shown: ShownLine[],
  hints: readonly ScrollHint[],
  palette: Palette,
  room: Room = ALL,
): Drawn {
  const pen = new Pen(palette, room.repeats);
  const later: ScrollHint[] = [];
  for (const hint of hints) {
    if (room.near) {
      later.push(hint);
      continue;
    }
    const cost = scrollCost(lines, shown, hint);
    if (cost === null) continue;
    if (pen.chars + cost > room.chars * SCROLL_MAX_ROOM) {
      later.push(hint);
      continue;
    }
    pen.scroll(hint);
    scrollRows(shown, hint);
    for (let y = hint.top; y <= hint.bottom; y++) (lines[y] as CellLine).dirty = true;
    // What stands beside the pane has moved too: it is put right in the same frame.
    if (room.chars < Infinity) for (let y = hint.top; y <= hint.bottom; y++) drawDirty(pen, y, lines, shown);
  }
  let left = -1;
  for (let step = 0; step < lines.length; step++) {
    const y = room.near ? nearRow(room.from, step, lines.length) : (room.from + step) % lines.length;
    if (!lines[y]?.dirty) continue;
    if (pen.chars >= room.chars && left < 0) left = y;
    if (left < 0) drawDirty(pen, y, lines, shown);
  }
  return { text: pen.finish(), left, hints: later };
}

function drawDirty(pen: Pen, y: number, lines: readonly CellLine[], shown: readonly ShownLine[]): void {
  const line = lines[y] as CellLine;
  if (!line.dirty) return;
  line.dirty = false;
  drawLine(pen, y, line, shown[y] as ShownLine);
}

/** from, from + 1, from - 1, from + 2 …: every row once. */
function nearRow(from: number, step: number, rows: number): number {
  const reach = Math.min(from, rows - 1 - from);
  if (step > 2 * reach) return from <= rows - 1 - from ? step : rows - 1 - step;
  return step % 2 === 1 ? from + (step + 1) / 2 : from - step / 2;
}

function drawLine(pen: Pen, y: number, line: CellLine, old: ShownLine): void {
  const width = line.length;
  const { attrs, texts } = old;
  let contentEnd = -1;
  let forced = -1;
  for (let x = 0; x < width; x++) {
    const cell = line[x] as Cell;
    if (x !== forced && cell[0] === attrs[x] && cell[1] === texts[x]) continue;
    if (cell[1] === ' ' && pen.palette.isPlain(cell[0])) {
      if (contentEnd < 0) contentEnd = contentLength(line, pen.palette);
      const blanks = blankRun(line, x, pen.palette);
      const changed = changedBlanks(line, old, x, blanks);
      if (x + blanks >= width && x >= contentEnd && changed >= ERASE_LINE_MIN_CELLS) {
        pen.moveTo(x, y, line);
        pen.eraseLine();
        copyCells(line, old, x, width);
        return;
      }
      if (changed >= ERASE_MIN_CELLS) {
        pen.moveTo(x, y, line);
        pen.erase(changed);
        copyCells(line, old, x, x + changed);
        x += changed - 1;
        continue;
      }
    }
    if (x !== forced && isPlainCell(line, x)) {
      x = rewriteRun(pen, line, old, x, y);
      continue;
    }
    // The second cell of a wide cluster is written with its first one.
    const start = cell[1] === '' && x > 0 ? x - 1 : x;
    x = rewrite(pen, line, old, start, y);
    // A cluster that the terminal thinks wider than we do has covered its neighbour: that one is written again.
    if (isRisky((line[start] as Cell)[1])) forced = x + 1;
  }
}

/** One character in one cell, about which no two terminals disagree. */
function isPlainCell(line: CellLine, x: number): boolean {
  const text = (line[x] as Cell)[1];
  return text.length === 1 && (text <= '~' || (isOneCell(text) && line[x + 1]?.[1] !== ''));
}

/**
 * Writes from x on what changed, stands next to each other and has one style, in one go: most of a frame. A blank that might be one of many
 * is left to be erased. Returns the last cell.
 */
function rewriteRun(pen: Pen, line: CellLine, old: ShownLine, x: number, y: number): number {
  const { attrs, texts } = old;
  const attr = (line[x] as Cell)[0];
  let run = '';
  let end = x;
  for (; end < line.length; end++) {
    const [style, text] = line[end] as Cell;
    if (style !== attr || (style === attrs[end] && text === texts[end])) break;
    if (end > x && (!isPlainCell(line, end) || (text === ' ' && line[end + 1]?.[1] === ' '))) break;
    run += text;
    attrs[end] = style;
    texts[end] = text;
  }
  pen.moveTo(x, y, line);
  pen.writePlain(attr, run, line.length);
  return end - 1;
}

/** Writes the cluster that starts at x. Returns its last cell. */
function rewrite(pen: Pen, line: CellLine, old: ShownLine, x: number, y: number): number {
  const cell = line[x] as Cell;
  const wide = x + 1 < line.length && (line[x + 1] as Cell)[1] === '';
  pen.moveTo(x, y, line);
  pen.write(cell[0], cell[1], wide ? 2 : 1, line.length);
  const end = wide ? x + 2 : x + 1;
  copyCells(line, old, x, end);
  return end - 1;
}

function copyCells(line: CellLine, { attrs, texts }: ShownLine, from: number, to: number): void {
  for (let x = from; x < to; x++) {
    const cell = line[x] as Cell;
    attrs[x] = cell[0];
    texts[x] = cell[1];
  }
}

/** Where the blank rest of the line begins. */
function contentLength(line: CellLine, palette: Palette): number {
  let end = line.length;
  while (end > 0 && (line[end - 1] as Cell)[1] === ' ' && palette.isPlain((line[end - 1] as Cell)[0])) end--;
  return end;
}

function blankRun(line: CellLine, x: number, palette: Palette): number {
  let end = x;
  while (end < line.length && (line[end] as Cell)[1] === ' ' && palette.isPlain((line[end] as Cell)[0]))
    end++;
  return end - x;
}

/** Length of the run up to its last cell that differs from the screen. */
function changedBlanks(line: CellLine, { attrs, texts }: ShownLine, x: number, run: number): number {
  let end = x + run;
  while (end > x && texts[end - 1] === ' ' && attrs[end - 1] === (line[end - 1] as Cell)[0]) end--;
  return end - x;
}
