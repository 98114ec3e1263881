/** Runs of cells as bytes: the shortest moves, few changes of style, and care with clusters of doubtful width. */
import { type Cell, type CellLine, DEFAULT_ATTR } from '../../widgets/blessed-shim.js';
import type { Palette } from './palette.js';
import type { ScrollHint } from './scroll.js';

/** Rewriting up to so many unchanged ASCII cells is shorter than `ESC[nC`. */
const BRIDGE_MAX_CELLS = 4;
/** Going to a run and taking its style, on the average. */
const RUN_CHARS = 9;

/** Box drawing and blocks, three bytes each. Nothing that could be a part of a cluster. */
const REPEATED_MIN_CHARS = 4;
const REPEATED = /([\u2500-\u259f])\1{3,}/g;

/** Clusters on whose width terminals may disagree. The ranges left out are those that the interface itself uses, and letters. */
const RISKY =
  /^[^\x20-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0481\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u2070-\u22ff\u2500-\u25fc\u2605-\u260d\u2800-\u28ff\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]|^.[^]/u;

/** Lines and blocks of our own, and letters: no question what they take. */
export function isOneCell(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 0x300 ? code >= 0xa0 : code >= 0x2500 && code <= 0x25fc;
}

const riskyClusters = new Map<string, boolean>();

export function isRisky(text: string): boolean {
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
export class Pen {
  /** About the characters so far. */
  chars = 0;
  readonly #runs: Run[] = [];
  #scrolls = '';
  #run: Run | null = null;
  #x = 0;
  #y = 0;

  /** `repeats`: the terminal knows REP. */
  constructor(
    readonly palette: Palette,
    readonly repeats = false,
  ) {}

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
        this.chars += bridge.length;
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
    this.chars += text.length;
  }

  /** Characters of one cell each. */
  writePlain(attr: number, text: string, columns: number): void {
    const run = this.#runOf(attr);
    const end = this.#x + text.length;
    run.text += text;
    run.end = end >= columns ? -1 : end;
    this.chars += text.length;
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
    this.chars += RUN_CHARS;
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
      out.push(
        move(x, y, run.x, run.y),
        this.palette.transition(attr, run.attr),
        this.repeats && run.text.length >= REPEATED_MIN_CHARS ? shorten(run.text) : run.text,
      );
      x = run.end;
      y = run.y;
      attr = run.attr;
    }
    out.push(this.palette.transition(attr, DEFAULT_ATTR));
    return out.join('');
  }
}

/** Lines and bars of one character as the character and REP: a border of 40 cells takes 8 bytes instead of 120. */
function shorten(text: string): string {
  return text.replace(REPEATED, (all, first: string) => `${first}\x1b[${all.length - 1}b`);
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
