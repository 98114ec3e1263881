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

/** Cells of one row and one style that are written without moving in between. */
interface Run {
  readonly x: number;
  readonly y: number;
  readonly attr: number;
  text: string;
  /** Where the cursor is after it; -1 when terminals disagree. */
  end: number;
}

/** Collects runs and puts them into an order and bytes. */
class Pen {
  readonly #runs: Run[] = [];
  #scrolls = '';
  #run: Run | null = null;
  #x = 0;
  #y = 0;

  constructor(readonly palette: Palette) {}

  /** The next thing is written at x; a few unchanged cells in between become part of the run. */
  moveTo(x: number, y: number, line: CellLine): void {
    const run = this.#run;
    if (run === null || run.y !== y || run.end < 0 || run.end > x || x - run.end > BRIDGE_MAX_CELLS) {
      this.#run = null;
    } else {
      let bridge = '';
      for (let i = run.end; i < x; i++) {
        const cell = line[i] as Cell;
        if (cell[0] !== run.attr || cell[1].length !== 1 || cell[1] > '~') {
          this.#run = null;
          break;
        }
        bridge += cell[1];
      }
      if (this.#run !== null) {
        run.text += bridge;
        run.end = x;
      }
    }
    this.#x = x;
    this.#y = y;
  }

  write(attr: number, text: string, width: number, columns: number): void {
    const run = this.#runOf(attr);
    const end = this.#x + width;
    // Whatever width the terminal gives a risky cluster: its cells are blank first, and the cursor goes on where we think it is.
    run.text += isRisky(text) ? `\x1b[${width}X${text}\x1b[${Math.min(end + 1, columns)}G` : text;
    // At the right margin the cursor waits in the last column; where it is differs between terminals.
    run.end = end >= columns ? -1 : end;
  }

  eraseLine(): void {
    this.#runOf(DEFAULT_ATTR).text += '\x1b[K';
  }

  erase(cells: number): void {
    this.#runOf(DEFAULT_ATTR).text += `\x1b[${cells}X`;
  }

  scroll({ top, bottom, by }: ScrollHint): void {
    this.#scrolls += `\x1b[${top + 1};${bottom + 1}r\x1b[${Math.abs(by)}${by > 0 ? 'S' : 'T'}\x1b[r`;
  }

  #runOf(attr: number): Run {
    if (this.#run?.attr === attr) return this.#run;
    this.#run = { x: this.#x, y: this.#y, attr, text: '', end: this.#x };
    this.#runs.push(this.#run);
    return this.#run;
  }

  /** The frame's bytes. It begins and ends in the default style, so that rows scroll in blank and nothing else is coloured. */
  finish(): string {
    // What stands beside a scrolled pane is repaired in many short runs: style by style they need few changes of style.
    const runs = this.#scrolls === '' ? this.#runs : groupByStyle(this.#runs);
    const out = [this.#scrolls];
    let x = -1;
    let y = -1;
    let attr = DEFAULT_ATTR;
    for (const run of runs) {
      out.push(move(x, y, run.x, run.y), this.palette.transition(attr, run.attr), run.text);
      x = run.end;
      y = run.y;
      attr = run.attr;
    }
    out.push(this.palette.transition(attr, DEFAULT_ATTR));
    return out.join('');
  }
}

function groupByStyle(runs: readonly Run[]): Run[] {
  const groups = new Map<number, Run[]>();
  for (const run of runs) {
    const group = groups.get(run.attr);
    if (group === undefined) groups.set(run.attr, [run]);
    else group.push(run);
  }
  return [...groups.values()].flat();
}

/** The shortest way there. */
function move(fromX: number, fromY: number, x: number, y: number): string {
  if (fromX === x && fromY === y) return '';
  if (fromX >= 0 && fromY === y) {
    if (fromX < x) return x - fromX === 1 ? '\x1b[C' : `\x1b[${x - fromX}C`;
    return `\x1b[${x + 1}G`;
  }
  // One row down: backspaces are one byte each.
  if (fromX >= x && fromY === y - 1 && fromX - x <= 4) return `\x1b[B${'\b'.repeat(fromX - x)}`;
  return x === 0 ? `\x1b[${y + 1}H` : `\x1b[${y + 1};${x + 1}H`;
}
