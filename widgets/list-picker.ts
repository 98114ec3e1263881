import { withSigns } from './glyphs.js';
import { fitRow, justify, spansWidth, textRow, windowStart } from './rows.js';
import { fuzzyMatch } from './text/fuzzy.js';
import type { Row, Size, Span } from './text/span.js';
import { span } from './text/span.js';
import { padEnd, truncateEnd, truncateMiddle } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

export interface PickerItem {
  readonly id: string;
  readonly label: string;
  /** Beside the label, aligned: a server, a size, a key. */
  readonly columns: readonly string[];
  /** Searched with the label but not shown, e.g. the text of a chat. */
  readonly keywords?: string;
  /** Cannot be chosen now; shown faint. */
  readonly disabled?: boolean;
}

/** An item found by the query; positions are offsets in the label. */
export interface PickedItem {
  readonly item: PickerItem;
  readonly positions: readonly number[];
}

export interface ListPickerProps {
  /** As `pickItems` gives them. */
  readonly items: readonly PickedItem[];
  /** Items before filtering. */
  readonly total: number;
  /** Index of the focused item; clamped. */
  readonly index: number;
  readonly query: string;
  /** UTF-16 offset in the query. */
  readonly cursor: number;
  readonly placeholder: string;
  /** Shown when nothing is left. */
  readonly empty: string;
}

/** The items that match, best first; all of them in their own order for an empty query. */
export function pickItems(items: readonly PickerItem[], query: string): readonly PickedItem[] {
  if (query.trim() === '') return items.map((item) => ({ item, positions: [] }));
  const found: { item: PickerItem; positions: readonly number[]; score: number; order: number }[] = [];
  for (const [order, item] of items.entries()) {
    const match = fuzzyMatch(query, item.label);
    // Columns and keywords are searched too, but a hit in the label is worth more.
    const wide = match ?? fuzzyMatch(query, [item.label, ...item.columns, item.keywords ?? ''].join(' '));
    if (wide === null) continue;
    found.push({
      item,
      positions: match?.positions ?? [],
      score: match === null ? wide.score - 1000 : wide.score,
      order,
    });
  }
  return found.sort((a, b) => b.score - a.score || a.order - b.order);
}

/** A filter line and a list: the menu, the model picker, the chats. */
export const listPicker = {
  name: 'list-picker',
  create(glyphs: Glyphs): WidgetInstance<ListPickerProps> {
    return { view: (props, size) => pickerView(props, size, glyphs) };
  },
} satisfies Widget<ListPickerProps>;

function pickerView(props: ListPickerProps, size: Size, glyphs: Glyphs): View {
  const { width, height } = size;
  if (width <= 0 || height <= 0) return { rows: [], cursor: null };
  const prompt = ` ${glyphs.ascii ? '>' : '›'} `;
  const room = Math.max(0, width - prompt.length - 1);
  // A query wider than the line shows what stands around the cursor.
  const before = props.query.slice(0, props.cursor);
  const over = stringWidth(before) > room ? before.length - room : 0;
  const shown = props.query.slice(Math.max(0, over));
  const text: Span = props.query === '' ? span(props.placeholder, 'muted') : span(shown);
  const count = span(`${props.items.length}/${props.total} `, 'muted');
  const filter = justify([span(prompt, 'accent'), text], width >= 30 ? [count] : [], width, glyphs.ellipsis);
  const x = Math.min(width - 1, prompt.length + stringWidth(before.slice(Math.max(0, over))));
  const rows: Row[] = [fitRow(filter.spans, width)];
  if (props.items.length === 0) rows.push(textRow(` ${props.empty}`, 'muted', width, glyphs.ellipsis));
  const listHeight = height - 1;
  const index = Math.max(0, Math.min(props.items.length - 1, props.index));
  const top = windowStart(index, props.items.length, listHeight);
  const visible = props.items.slice(top, top + Math.max(0, listHeight));
  const columns = columnWidths(visible);
  for (const [i, picked] of visible.entries())
    rows.push(itemRow(picked, top + i === index, columns, width, glyphs));
  return { rows: rows.slice(0, height), cursor: { x, y: 0 } };
}

function columnWidths(items: readonly PickedItem[]): number[] {
  const widths: number[] = [];
  for (const { item } of items)
    for (const [i, text] of item.columns.entries())
      widths[i] = Math.max(widths[i] ?? 0, Math.min(32, stringWidth(text)));
  return widths;
}

function itemRow(
  picked: PickedItem,
  focused: boolean,
  columns: readonly number[],
  width: number,
  glyphs: Glyphs,
): Row {
  const { item, positions } = picked;
  const mark = span(focused ? ` ${glyphs.pointer} ` : '   ', 'accent');
  let right: Span[] = [];
  for (const [i, cells] of columns.entries())
    right.push(
      span(`  ${padEnd(withSigns(item.columns[i] ?? '', glyphs), cells, glyphs.ellipsis)}`, 'muted'),
    );
  right.push(span(' '));
  // Columns go from the right until the label has a third of the row.
  while (right.length > 1 && width - spansWidth(right) - 3 < width / 3)
    right = [...right.slice(0, -2), span(' ')];
  if (right.length === 1) right = [];
  const room = width - 4 - spansWidth(right);
  const whole = stringWidth(item.label) <= room;
  // Marked letters are at their places only in a whole label.
  const label = whole
    ? markedSpans(item.label, positions, item.disabled === true)
    : [span(truncateMiddle(item.label, room, glyphs.ellipsis), item.disabled ? 'muted' : 'text')];
  const line = justify([mark, ...label], right, width, '');
  return focused ? { ...line, fill: 'selection' } : line;
}

function markedSpans(label: string, positions: readonly number[], disabled: boolean): Span[] {
  const token = disabled ? 'muted' : 'text';
  const marked = new Set(positions);
  const spans: Span[] = [];
  let from = 0;
  for (let i = 1; i <= label.length; i++) {
    if (i < label.length && marked.has(i) === marked.has(from)) continue;
    spans.push(span(label.slice(from, i), marked.has(from) ? 'match' : token));
    from = i;
  }
  return spans;
}

/** `Models ── 12`, the frame title of a picker. */
export function pickerTitle(title: string, hint: string, glyphs: Glyphs): Row {
  const rest =
    hint === ''
      ? []
      : [
          span(` ${glyphs.dash}${glyphs.dash} `, 'border'),
          span(truncateEnd(hint, 60, glyphs.ellipsis), 'muted'),
        ];
  return { spans: [span(title, 'title'), ...rest] };
}
