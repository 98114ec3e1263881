import type { Chip } from './text/folded.js';
import type { Row, Size } from './text/span.js';
import { EMPTY_ROW, row, type Span, span } from './text/span.js';
import { clusterWidth, graphemes } from './text/width.js';
import { columnAt, createEditedWrapping, type EditedWrapping, printableRow } from './text/edited-wrap.js';
import { truncateEnd } from './text/truncate.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

export interface PromptEditorProps {
  readonly text: string;
  /** UTF-16 offset of the cursor. */
  readonly cursor: number;
  /** Labels within the text that stand for more. */
  readonly chips?: readonly Chip[];
  /** Shown while the text is empty. */
  readonly placeholder: string;
}

export interface PromptEditorInstance extends WidgetInstance<PromptEditorProps> {
  view(props: PromptEditorProps, size: Size): View;
  /** Rows the text wants at this width, between 1 and `max`. */
  desiredHeight(props: PromptEditorProps, width: number, max: number): number;
  /** Characters wrapped so far, for tests. */
  readonly charsWrapped: number;
}

/** A column of space at the left; at the right one for the cursor behind a full row. */
const PAD = 1;

/** Columns of text in an editor that is `width` cells wide. */
export function promptTextWidth(width: number): number {
  return Math.max(1, width - 2 * PAD);
}

export const promptEditor = {
  name: 'prompt-editor',
  create(glyphs: Glyphs): PromptEditorInstance {
    let wrapping: EditedWrapping = createEditedWrapping(1);
    let earlierWork = 0;

    function wrapped(text: string, width: number): EditedWrapping {
      const columns = promptTextWidth(width);
      if (wrapping.width !== columns) {
        earlierWork += wrapping.charsWrapped;
        wrapping = createEditedWrapping(columns);
      }
      wrapping.update(text);
      return wrapping;
    }

    function view(props: PromptEditorProps, size: Size): View {
      const { width, height } = size;
      if (width <= 0 || height <= 0) return { rows: [], cursor: null };
      const pad = width > 2 * PAD ? PAD : 0;
      if (props.text === '') {
        const hint = truncateEnd(props.placeholder, width - pad, glyphs.ellipsis);
        return { rows: [row(span(' '.repeat(pad)), span(hint, 'muted'))], cursor: { x: pad, y: 0 } };
      }
      const rows = wrapped(props.text, width);
      const cursorRow = rows.rowAt(props.cursor);
      // In the middle of a text too tall: a pure function of the cursor, so that nothing jumps when the pane is drawn anew.
      const top = Math.max(0, Math.min(rows.rowCount - height, cursorRow - Math.floor(height / 2)));
      const shown: Row[] = [];
      for (let i = top; i < Math.min(rows.rowCount, top + height); i++) {
        const spans = rowSpans(props, rows.rowStart(i), rows.rowEnd(i), Math.min(rows.width, width));
        shown.push(spans.length === 0 ? EMPTY_ROW : row(span(' '.repeat(pad)), ...spans));
      }
      const column = columnAt(props.text, rows.rowStart(cursorRow), props.cursor);
      return { rows: shown, cursor: { x: Math.min(width - 1, pad + column), y: cursorRow - top } };
    }

    return {
      view,
      desiredHeight: (props, width, max) =>
        Math.max(1, Math.min(max, props.text === '' ? 1 : wrapped(props.text, width).rowCount)),
      get charsWrapped() {
        return earlierWork + wrapping.charsWrapped;
      },
    };
  },
} satisfies Widget<PromptEditorProps>;

/** A row of the text, with the labels in it set off. */
function rowSpans(
  { text, chips = [] }: PromptEditorProps,
  start: number,
  end: number,
  width: number,
): Span[] {
  const shown = printableRow(text, start, end, width);
  const column = (offset: number): number => printableRow(text, start, offset, width).length;
  const spans: Span[] = [];
  let at = 0;
  for (const chip of chips) {
    if (chip.end <= start || chip.start >= end) continue;
    const from = column(Math.max(start, chip.start));
    const to = column(Math.min(end, chip.end));
    if (from > at) spans.push(span(shown.slice(at, from)));
    spans.push(span(shown.slice(from, to), 'chip'));
    at = to;
  }
  if (at < shown.length) spans.push(span(shown.slice(at)));
  return spans;
}

/** The last text that was moved in, so that a held arrow key does not wrap the whole text again and again. */
let moved: EditedWrapping = createEditedWrapping(1);

function movedRows(text: string, width: number): EditedWrapping {
  const columns = promptTextWidth(width);
  if (moved.width !== columns) moved = createEditedWrapping(columns);
  moved.update(text);
  return moved;
}

/**
 * The offset one visual row up (-1) or down (1) in an editor `width` cells wide, and the column to aim for in further moves. Null on the
 * first or last row, which then means the history.
 */
export function offsetOfRowMove(
  text: string,
  cursor: number,
  width: number,
  direction: -1 | 1,
  wishedColumn: number | null,
): { offset: number; column: number } | null {
  const rows = movedRows(text, width);
  const from = rows.rowAt(cursor);
  const to = from + direction;
  if (to < 0 || to >= rows.rowCount) return null;
  const column = wishedColumn ?? columnAt(text, rows.rowStart(from), cursor);
  return { offset: offsetAtColumn(text, rows, to, column), column };
}

/** The offset of the start (-1) or end (1) of the visual row of the cursor. */
export function offsetOfRowEdge(text: string, cursor: number, width: number, direction: -1 | 1): number {
  const rows = movedRows(text, width);
  const at = rows.rowAt(cursor);
  return direction < 0 ? rows.rowStart(at) : lastOffset(text, rows, at);
}

function offsetAtColumn(text: string, rows: EditedWrapping, index: number, column: number): number {
  const start = rows.rowStart(index);
  const last = lastOffset(text, rows, index);
  let cells = 0;
  let offset = start;
  for (const cluster of graphemes(text.slice(start, last))) {
    const next = cluster === '\t' ? 4 - (cells % 4) : clusterWidth(cluster);
    if (cells + next > column) break;
    cells += next;
    offset += cluster.length;
  }
  return offset;
}

/** The last place in a row: before its line break, or before its last cluster when the row goes on (behind it is the next row). */
function lastOffset(text: string, rows: EditedWrapping, index: number): number {
  const end = rows.rowEnd(index);
  if (index === rows.rowCount - 1) return end;
  if (text.charCodeAt(end - 1) === 10) return end - 1;
  let last = '';
  for (const cluster of graphemes(text.slice(rows.rowStart(index), end))) last = cluster;
  return end - last.length;
}
