/**
 * The only place that touches blessed. It keeps boxes, their layout and the cell arrays; it gets a program that neither reads, writes,
 * compiles terminfo, runs `tmux -V` nor listens to the process. Its files are imported one by one: the package's main file loads forty
 * widgets by computed names.
 */
import { EventEmitter } from 'node:events';
import Box from 'blessed/lib/widgets/box.js';
import Screen from 'blessed/lib/widgets/screen.js';

/** Style and text of one cell. The second cell of a wide cluster has no text. */
export type Cell = [attr: number, text: string];

export interface CellLine extends Array<Cell> {
  dirty: boolean;
}

export interface BlessedScreen {
  /** What the next frame shows. */
  lines: CellLine[];
  draw: (start: number, end: number) => void;
  /** Makes the cells. */
  alloc: () => void;
  render(): void;
}

export interface BlessedBorder {
  readonly type: 'line';
  readonly left: boolean;
  readonly right: boolean;
  readonly top: boolean;
  readonly bottom: boolean;
}

/** Border on all four sides. */
export const LINE_BORDER: BlessedBorder = { type: 'line', left: true, right: true, top: true, bottom: true };

export interface BlessedBox {
  hidden: boolean;
  border: BlessedBorder | null | undefined;
  position: { left: number; top: number; width: number; height: number };
}

export interface BlessedScreenConstructor {
  new (options: { program: QuietProgram; autoPadding: boolean }): BlessedScreen;
  /** blessed adds listeners for signals, exit and exceptions unless it thinks that it has done so. */
  _bound?: boolean;
}

export interface BlessedBoxConstructor {
  new (options: {
    screen: BlessedScreen;
    parent: BlessedScreen;
    hidden: boolean;
    wrap: boolean;
    style: { border: object };
  }): BlessedBox;
}

/** blessed's attribute of a cell without any style. */
export const DEFAULT_ATTR = 0x3ffff;

/** What blessed's screen asks of its program, doing nothing. */
class QuietProgram extends EventEmitter {
  readonly tput = { unicode: true, features: { unicode: true }, numbers: {}, strings: {} };
  readonly options: Record<string, unknown> = {};
  /** Entered already: the life-cycle is the session's. */
  readonly isAlt = true;
  readonly useBuffer = true;
  readonly zero = true;

  constructor(
    public cols: number,
    public rows: number,
  ) {
    super();
  }

  setupTput(): void {}
  clear(): void {}
  flush(): void {}
  destroy(): void {}
}

export interface BoxTree {
  readonly screen: BlessedScreen;
  /** A hidden box above the existing ones. */
  box(): BlessedBox;
  /** New cell arrays of that size, all blank. */
  resize(columns: number, rows: number): void;
}

/** A blessed screen that never reaches a terminal: `lines` is read by our own drawing. */
export function createBoxTree(columns: number, rows: number): BoxTree {
  Screen._bound = true;
  // The constructor makes cells, too; those of the real size are made only once.
  const program = new QuietProgram(0, 0);
  const screen = new Screen({ program, autoPadding: false });
  screen.draw = () => {};
  // blessed's own makes them twice, for what shall be shown and for what is: the latter is with whoever draws.
  screen.alloc = () => {
    screen.lines = Array.from({ length: program.rows }, () => blankLine(program.cols));
  };
  const resize = (newColumns: number, newRows: number): void => {
    program.cols = newColumns;
    program.rows = newRows;
    screen.alloc();
  };
  resize(columns, rows);
  return {
    screen,
    box: () => new Box({ screen, parent: screen, hidden: true, wrap: false, style: { border: {} } }),
    resize,
  };
}

function blankLine(columns: number): CellLine {
  const line = Object.assign([] as Cell[], { dirty: false });
  for (let x = 0; x < columns; x++) line.push([DEFAULT_ATTR, ' ']);
  return line;
}
