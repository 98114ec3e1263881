/** One surface: a blessed box for its rectangle and border, rows painted over it. */
import { type BlessedBox, type Cell, type CellLine, LINE_BORDER } from '../../widgets/blessed-shim.js';
import { EMPTY_ROW, type Row, type Span, type Token } from '../../widgets/text/span.js';
import { type Clip, writeRow } from '../../widgets/text-view.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { stringWidth } from '../../widgets/text/width.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { Palette } from './palette.js';
import type { ScrollHint } from './scroll.js';
import type { Area, Frame, Surface } from './terminal.js';

/** What surfaces share. */
export interface PaneHost {
  readonly glyphs: Glyphs;
  readonly palette: Palette;
  readonly lines: CellLine[];
  readonly columns: number;
  /** The next frame lays out everything, so painting can wait for it. */
  readonly layoutStale: boolean;
  ownerAt(x: number, y: number): number;
  relayout(): void;
}

export interface Pane {
  readonly surface: Surface;
  readonly area: Area | null;
  /** Paints border decoration and all rows, after the boxes were drawn; `above` may cover parts of it. */
  paintAll(above: readonly Pane[]): void;
  /** The scroll hint since the last frame, in screen rows. */
  takeScroll(): ScrollHint | null;
}

const NO_FRAME: Frame = { border: false, focused: false, title: null, footer: null };
const BLANK: Span = { text: ' ', token: 'border' };
/** Cells between a corner and the footer. */
const LABEL_INSET = 1;

export function createPane(box: BlessedBox, index: number, host: PaneHost): Pane {
  let area: Area | null = null;
  let frame: Frame = NO_FRAME;
  let rows: readonly Row[] = [];
  let painted: (Row | undefined)[] = [];
  let covered = false;
  let scrolled = 0;

  const inset = (): number => (frame.border ? 1 : 0);
  const innerWidth = (): number => (area === null ? 0 : Math.max(0, area.width - 2 * inset()));
  const innerHeight = (): number => (area === null ? 0 : Math.max(0, area.height - 2 * inset()));
  const clipOf = (y: number): Clip => (covered ? (x) => host.ownerAt(x, y) === index : null);

  function paintRow(at: number): void {
    if (area === null) return;
    const row = rows[at] ?? EMPTY_ROW;
    if (painted[at] === row) return;
    painted[at] = row;
    const y = area.y + inset() + at;
    const line = host.lines[y];
    if (line !== undefined) writeRow(line, area.x + inset(), innerWidth(), row, host.palette, clipOf(y));
  }

  /** Rows that moved up take their cells with them: they need not be written anew. */
  function moveCells(by: number, height: number): void {
    if (area === null) return;
    const { lines } = host;
    const top = area.y + inset();
    const left = area.x + inset();
    const right = left + innerWidth();
    if (top < 0 || left < 0 || top + height > lines.length || right > host.columns) return;
    for (let at = 0; at + by < height; at++) {
      const line = lines[top + at] as CellLine;
      const source = lines[top + at + by] as CellLine;
      for (let x = left; x < right; x++) {
        const cell = line[x] as Cell;
        line[x] = source[x] as Cell;
        source[x] = cell;
      }
      line.dirty = true;
      painted[at] = painted[at + by];
    }
    for (let at = height - by; at < height; at++) painted[at] = undefined;
  }

  function paintFrame(): void {
    if (area === null || !frame.border || area.width < 2 || area.height < 2) return;
    const { border } = host.glyphs;
    const token: Token = frame.focused ? 'borderFocused' : 'border';
    const middle = border.h.repeat(area.width - 2);
    const side: Row = { spans: [{ text: border.v, token }] };
    const bottom = area.y + area.height - 1;
    const write = (x: number, y: number, width: number, row: Row): void => {
      const line = host.lines[y];
      if (line !== undefined) writeRow(line, x, width, row, host.palette, clipOf(y));
    };
    write(area.x, area.y, area.width, { spans: [{ text: border.tl + middle + border.tr, token }] });
    for (let y = area.y + 1; y < bottom; y++) {
      write(area.x, y, 1, side);
      write(area.x + area.width - 1, y, 1, side);
    }
    write(area.x, bottom, area.width, { spans: [{ text: border.bl + middle + border.br, token }] });
    const room = area.width - 2 - 2 * LABEL_INSET;
    if (frame.title !== null && room > 0) {
      const spaced: Row = { spans: [BLANK, ...frame.title.spans, BLANK] };
      write(area.x + 1, area.y, Math.min(area.width - 2, rowWidth(frame.title) + 2), spaced);
    }
    if (frame.footer !== null && room > 0) {
      const width = Math.min(room, rowWidth(frame.footer));
      write(area.x + area.width - 1 - LABEL_INSET - width, bottom, width, frame.footer);
    }
  }

  const surface: Surface = {
    place(next) {
      if (sameArea(area, next)) return;
      area = next;
      box.hidden = next === null || next.width <= 0 || next.height <= 0;
      if (next !== null)
        Object.assign(box.position, { left: next.x, top: next.y, width: next.width, height: next.height });
      host.relayout();
    },
    get size() {
      return { width: innerWidth(), height: innerHeight() };
    },
    frame(next) {
      if (sameFrame(frame, next)) return;
      const moved = next.border !== frame.border;
      frame = next;
      box.border = next.border ? LINE_BORDER : null;
      if (moved) host.relayout();
      else if (!host.layoutStale) paintFrame();
    },
    paint(next, scrolledBy = 0) {
      rows = next;
      scrolled += scrolledBy;
      if (area === null || host.layoutStale) return;
      const height = innerHeight();
      if (scrolledBy > 0 && scrolledBy < height && !covered) moveCells(scrolledBy, height);
      for (let at = 0; at < height; at++) paintRow(at);
    },
  };

  return {
    surface,
    get area() {
      return box.hidden ? null : area;
    },
    paintAll(above) {
      painted = [];
      scrolled = 0;
      if (area === null || box.hidden) return;
      const mine = area;
      covered = above.some(({ area: other }) => other !== null && overlaps(mine, other));
      paintFrame();
      for (let at = 0; at < innerHeight(); at++) paintRow(at);
    },
    takeScroll() {
      const by = scrolled;
      scrolled = 0;
      if (by === 0 || area === null || box.hidden) return null;
      const top = area.y + inset();
      return { top, bottom: top + innerHeight() - 1, by };
    },
  };
}

function rowWidth(row: Row): number {
  return row.spans.reduce((width, { text }) => width + stringWidth(sanitizeLine(text)), 0);
}

function overlaps(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function sameArea(a: Area | null, b: Area | null): boolean {
  return (
    a === b ||
    (a !== null && b !== null && a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height)
  );
}

function sameFrame(a: Frame, b: Frame): boolean {
  return (
    a.border === b.border &&
    a.focused === b.focused &&
    sameRow(a.title, b.title) &&
    sameRow(a.footer, b.footer)
  );
}

function sameRow(a: Row | null, b: Row | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.fill !== b.fill || a.spans.length !== b.spans.length) return false;
  return a.spans.every((span, i) => span.text === b.spans[i]?.text && span.token === b.spans[i]?.token);
}
