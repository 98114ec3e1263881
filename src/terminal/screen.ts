/** The screen: surfaces in z order, painted straight into cells; blessed lays out and draws frames only when a rectangle changed. */
import { type BoxTree, createBoxTree } from '../../widgets/blessed-shim.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { CursorPosition, Size } from '../../widgets/text/span.js';
import { drawChanges } from './draw.js';
import type { Palette } from './palette.js';
import { blank, type ScrollHint } from './scroll.js';
import { blankRow, blankRows } from './shown.js';
import { createPane, type Pane, type PaneHost } from './surface.js';
import type { TerminalScreen } from './terminal.js';
import type { Writer } from './writer.js';

/** The visible cursor jumps about while a frame longer than this is drawn. */
const HIDE_CURSOR_MIN_CHARS = 256;

export interface DrawnScreen extends TerminalScreen {
  resize(size: Size): void;
  /** Frames are held back while the terminal is someone else's. */
  hold(held: boolean): void;
}

export interface ScreenOptions {
  readonly size: Size;
  readonly palette: Palette;
  readonly glyphs: Glyphs;
  readonly writer: Writer;
}

export function createScreen(options: ScreenOptions): DrawnScreen {
  const { writer, palette } = options;
  let { width, height } = options.size;
  const tree: BoxTree = createBoxTree(width, height);
  /** What the terminal shows. */
  let shown = blankRows(width, height);
  const panes: Pane[] = [];
  /** Index of the topmost surface of each cell, -1 for none. */
  let owners = new Int16Array(width * height);
  let layoutStale = true;
  /** No cell was written yet. */
  let fresh = true;
  let repaintAll = true;
  let held = true;
  let cursor: CursorPosition | null = null;
  let shownCursor: CursorPosition | null = null;
  /** Where the next part begins when a frame found no room for all rows. */
  let nextRow = 0;
  let urgentWaits = false;
  /** Scrolls that found no room, to be done with the next frame. */
  let waitingHints: readonly ScrollHint[] = [];

  const host: PaneHost = {
    glyphs: options.glyphs,
    palette,
    get lines() {
      return tree.screen.lines;
    },
    get columns() {
      return width;
    },
    get layoutStale() {
      return layoutStale;
    },
    ownerAt: (x, y) => owners[y * width + x] as number,
    relayout() {
      layoutStale = true;
    },
  };

  function layOut(): void {
    layoutStale = false;
    if (!fresh) tree.screen.lines.forEach(blank);
    fresh = false;
    tree.screen.render();
    owners.fill(-1);
    for (const [index, pane] of panes.entries()) {
      const area = pane.area;
      if (area === null) continue;
      const right = Math.min(area.x + area.width, width);
      for (let y = Math.max(0, area.y); y < Math.min(area.y + area.height, height); y++) {
        owners.fill(index, y * width + Math.max(0, area.x), y * width + Math.max(area.x, right));
      }
    }
    for (const [index, pane] of panes.entries()) pane.paintAll(panes.slice(index + 1));
  }

  function takeHints(): ScrollHint[] {
    const hints: ScrollHint[] = [];
    for (const pane of panes) {
      const hint = pane.takeScroll();
      if (hint !== null) hints.push(hint);
    }
    for (const late of waitingHints) {
      const at = hints.findIndex((hint) => hint.top === late.top && hint.bottom === late.bottom);
      const hint = hints[at];
      if (hint === undefined) hints.push(late);
      else hints[at] = { ...hint, by: hint.by + late.by };
    }
    waitingHints = [];
    return hints;
  }

  function cursorBytes(body: string): string {
    const moved = body !== '' || cursor?.x !== shownCursor?.x || cursor?.y !== shownCursor?.y;
    if (cursor === null) return shownCursor === null ? body : `\x1b[?25l${body}`;
    if (!moved) return body;
    const hide = shownCursor !== null && body.length > HIDE_CURSOR_MIN_CHARS && !writer.atomic;
    const show = shownCursor === null || hide ? '\x1b[?25h' : '';
    return `${hide ? '\x1b[?25l' : ''}${body}\x1b[${cursor.y + 1};${cursor.x + 1}H${show}`;
  }

  return {
    get size() {
      return { width, height };
    },
    surface(_name) {
      const pane = createPane(tree.box(), panes.length, host);
      panes.push(pane);
      return pane.surface;
    },
    cursor(position) {
      const inside =
        position !== null && position.x >= 0 && position.y >= 0 && position.x < width && position.y < height;
      cursor = inside ? { x: position.x, y: position.y } : null;
    },
    invalidate() {
      layoutStale = true;
      repaintAll = true;
      waitingHints = [];
    },
    flush(urgent = false) {
      const hurry = urgent || urgentWaits;
      if (held || !writer.ready(hurry)) {
        urgentWaits = hurry;
        return false;
      }
      urgentWaits = false;
      if (layoutStale) layOut();
      const hints = takeHints();
      let start = '';
      if (repaintAll) {
        repaintAll = false;
        shownCursor = null;
        // Margins, style, a clean screen and a hidden cursor, whatever was there before.
        start = '\x1b[r\x1b[m\x1b[?25l\x1b[H\x1b[2J';
        for (const line of tree.screen.lines) line.dirty = true;
        shown.forEach(blankRow);
        hints.length = 0;
      }
      const chars = writer.room(hurry);
      const near = hurry && cursor !== null && chars < Infinity;
      const room = {
        chars,
        near,
        from: near ? (cursor?.y ?? 0) : nextRow % height,
        repeats: writer.modern,
      };
      const drawn = drawChanges(tree.screen.lines, shown, hints, palette, room);
      waitingHints = drawn.hints;
      if (!near) nextRow = Math.max(0, drawn.left);
      const frame = cursorBytes(start + drawn.text);
      shownCursor = cursor;
      if (frame !== '') writer.frame(frame);
      if (drawn.left < 0) return true;
      // Asked for once more, so that the writer tells when the link has shown this part.
      writer.ready();
      return false;
    },
    resize(size) {
      ({ width, height } = size);
      tree.resize(width, height);
      fresh = true;
      shown = blankRows(width, height);
      owners = new Int16Array(width * height);
      waitingHints = [];
      layoutStale = true;
      repaintAll = true;
    },
    hold(now) {
      held = now;
    },
  };
}
