/**
 * The difference between what the terminal shows and what it shall show, as few bytes. Works on blessed's cell arrays: `olines` is what
 * was sent, so skipping a frame is always safe and losing a byte never is.
 */
import { type Cell, type CellLine, DEFAULT_ATTR } from '../../widgets/blessed-shim.js';
import type { Palette } from './palette.js';
import { bestScroll, type ScrollHint } from './scroll.js';

/** Rewriting up to so many unchanged ASCII cells is shorter than `ESC[nC`. */
const BRIDGE_MAX_CELLS = 4;
/** From so many blanks on, erasing and moving is shorter than writing them. */
const ERASE_MIN_CELLS = 9;
const ERASE_LINE_MIN_CELLS = 4;

/** Clusters on whose width terminals may disagree. The ranges left out are those that the interface itself uses, and letters. */
const RISKY =
  /^[^\x20-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0481\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u2070-\u22ff\u2500-\u25fc\u2605-\u260d\u2800-\u28ff\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]|^.[^]/u;

/** Writes the changes of all dirty lines and makes `olines` equal to `lines`. Returns '' when there are none. */
export function drawChanges(
  lines: CellLine[],
  olines: CellLine[],
  hints: readonly ScrollHint[],
  palette: Palette,
): string {
  const pen = new Pen(palette);
  for (const hint of hints) {
    const scrolled = bestScroll(lines, olines, hint);
    if (scrolled === null) continue;
    pen.scroll(hint);
    for (let y = hint.top; y <= hint.bottom; y++) {
      olines[y] = scrolled[y - hint.top] as CellLine;
      (lines[y] as CellLine).dirty = true;
    }
  }
  for (const [y, line] of lines.entries()) {
    if (!line.dirty) continue;
    line.dirty = false;
    drawLine(pen, y, line, olines[y] as CellLine);
  }
  return pen.finish();
}

function drawLine(pen: Pen, y: number, line: CellLine, old: CellLine): void {
  const width = line.length;
  let contentEnd = -1;
  let forced = -1;
  for (let x = 0; x < width; x++) {
    const cell = line[x] as Cell;
    const shown = old[x] as Cell;
    if (x !== forced && cell[0] === shown[0] && cell[1] === shown[1]) continue;
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
    // The second cell of a wide cluster is written with its first one.
    const start = cell[1] === '' && x > 0 ? x - 1 : x;
    x = rewrite(pen, line, old, start, y);
    // A cluster that the terminal thinks wider than we do has covered its neighbour: that one is written again.
    if (isRisky((line[start] as Cell)[1])) forced = x + 1;
  }
}

/** Writes the cluster that starts at x. Returns its last cell. */
function rewrite(pen: Pen, line: CellLine, old: CellLine, x: number, y: number): number {
  const cell = line[x] as Cell;
  const wide = x + 1 < line.length && (line[x + 1] as Cell)[1] === '';
  pen.moveTo(x, y, line);
  pen.write(cell[0], cell[1], wide ? 2 : 1, line.length);
  const end = wide ? x + 2 : x + 1;
  copyCells(line, old, x, end);
  return end - 1;
}

function copyCells(line: CellLine, old: CellLine, from: number, to: number): void {
  for (let x = from; x < to; x++) {
    const source = line[x] as Cell;
    const target = old[x] as Cell;
    target[0] = source[0];
    target[1] = source[1];
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
function changedBlanks(line: CellLine, old: CellLine, x: number, run: number): number {
  let end = x + run;
  while (
    end > x &&
    (old[end - 1] as Cell)[1] === ' ' &&
    (old[end - 1] as Cell)[0] === (line[end - 1] as Cell)[0]
  )
    end--;
  return end - x;
}

const riskyClusters = new Map<string, boolean>();

function isRisky(text: string): boolean {
  if (text.length === 1 && text.charCodeAt(0) < 0x300) return false;
  let risky = riskyClusters.get(text);
  if (risky === undefined) {
    if (riskyClusters.size > 2000) riskyClusters.clear();
    riskyClusters.set(text, (risky = RISKY.test(text)));
  }
  return risky;
}

/** Where the terminal's cursor is and with which style it writes. */
class Pen {
  readonly #out: string[] = [];
  #x = -1;
  #y = -1;
  #attr = DEFAULT_ATTR;

  constructor(readonly palette: Palette) {}

  moveTo(x: number, y: number, line: CellLine): void {
    if (this.#y !== y || this.#x < 0) {
      this.#out.push(x === 0 ? `\x1b[${y + 1}H` : `\x1b[${y + 1};${x + 1}H`);
    } else if (this.#x < x) {
      const gap = x - this.#x;
      if (gap <= BRIDGE_MAX_CELLS && this.#bridges(line, x)) {
        for (let i = this.#x; i < x; i++) this.#out.push((line[i] as Cell)[1]);
      } else {
        this.#out.push(gap === 1 ? '\x1b[C' : `\x1b[${gap}C`);
      }
    } else if (this.#x > x) {
      this.#out.push(`\x1b[${x + 1}G`);
    }
    this.#x = x;
    this.#y = y;
  }

  #bridges(line: CellLine, x: number): boolean {
    for (let i = this.#x; i < x; i++) {
      const cell = line[i] as Cell;
      if (cell[0] !== this.#attr || cell[1].length !== 1 || cell[1] > '~') return false;
    }
    return true;
  }

  write(attr: number, text: string, width: number, columns: number): void {
    this.#style(attr);
    if (isRisky(text)) {
      // Whatever width the terminal gives it: its cells are blank first, and the cursor goes on where we think it is.
      this.#out.push(`\x1b[${width}X${text}\x1b[${Math.min(this.#x + width + 1, columns)}G`);
    } else {
      this.#out.push(text);
    }
    this.#x += width;
    // At the right margin the cursor waits in the last column; where it is differs between terminals.
    if (this.#x >= columns) this.#x = -1;
  }

  eraseLine(): void {
    this.#style(DEFAULT_ATTR);
    this.#out.push('\x1b[K');
  }

  erase(cells: number): void {
    this.#style(DEFAULT_ATTR);
    this.#out.push(`\x1b[${cells}X`);
  }

  scroll({ top, bottom, by }: ScrollHint): void {
    // Rows that come in take the current background.
    this.#style(DEFAULT_ATTR);
    this.#out.push(`\x1b[${top + 1};${bottom + 1}r\x1b[${Math.abs(by)}${by > 0 ? 'S' : 'T'}\x1b[r`);
    this.#x = -1;
  }

  /** Every frame ends in the default style, so that nothing written from elsewhere is coloured. */
  finish(): string {
    if (this.#out.length === 0) return '';
    this.#style(DEFAULT_ATTR);
    return this.#out.join('');
  }

  #style(attr: number): void {
    if (attr === this.#attr) return;
    this.#out.push(this.palette.transition(this.#attr, attr));
    this.#attr = attr;
  }
}
