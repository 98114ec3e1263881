import { cutRows, fitRow, windowStart } from './rows.js';
import type { Row, Size } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

/** One way on: what it does, and what it costs or what it is. */
export interface WayOn {
  readonly label: string;
  /** Size, licence, time, path; empty for nothing to say. */
  readonly detail: string;
}

export interface WaysOnProps {
  /** What the matter is: `No server found.` */
  readonly title: string;
  /** The likeliest first. */
  readonly ways: readonly WayOn[];
  /** Index of the focused way. */
  readonly focused: number;
  /** Last line: which keys choose. */
  readonly hint: string;
}

const WIDE = 56;

/** What the empty transcript holds at a first run: the ways that lead to an answer. */
export const waysOn = {
  name: 'ways-on',
  create(glyphs: Glyphs): WidgetInstance<WaysOnProps> {
    return {
      view(props, size) {
        if (size.width <= 0 || size.height <= 0) return { rows: [] };
        const { width, height } = size;
        const head = wrapText(props.title, Math.max(1, width - 2)).map((text) =>
          fitRow([span(` ${text}`, 'strong')], width),
        );
        const tail =
          props.hint === ''
            ? []
            : wrapText(props.hint, Math.max(1, width - 2)).map((text) =>
                fitRow([span(` ${text}`, 'muted')], width),
              );
        const spare = height - head.length - 2;
        if (spare < 1) return { rows: cutRows(wayRows(props, { width, height }, glyphs), size) };
        const ways = wayRows(props, { width, height: spare }, glyphs);
        return { rows: cutRows([...head, EMPTY_ROW, ...ways, EMPTY_ROW, ...tail], size) };
      },
    };
  },
} satisfies Widget<WaysOnProps>;

function wayRows(props: WaysOnProps, { width, height }: Size, glyphs: Glyphs): Row[] {
  // Beside the label when there is room, else below it for the focused one only.
  const below = width < WIDE;
  const room = Math.max(1, height - (below ? 1 : 0));
  const top = windowStart(props.focused, props.ways.length, room);
  const rows: Row[] = [];
  for (const [i, way] of props.ways.slice(top, top + room).entries()) {
    const focused = top + i === props.focused;
    const detail = way.detail === '' ? '' : `  ${way.detail}`;
    const spans = [
      span(focused ? ` ${glyphs.pointer} ` : '   ', 'accent'),
      span(way.label, focused ? 'strong' : 'text'),
    ];
    const line = fitRow(below ? spans : [...spans, span(detail, 'muted')], width, glyphs.ellipsis);
    rows.push(focused ? { ...line, fill: 'selection' } : line);
    if (focused && below && way.detail !== '')
      rows.push(fitRow([span(`     ${way.detail}`, 'muted')], width, glyphs.ellipsis));
  }
  return rows;
}
