import { cutRows, fitRow, windowStart } from './rows.js';
import type { CursorPosition, Row, Size, Token } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { padEnd } from './text/truncate.js';
import { graphemes, stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface FormField {
  readonly label: string;
  readonly text: string;
  /** UTF-16 offset while it is typed in; null: it only shows. */
  readonly cursor: number | null;
  /** Shown while it is empty. */
  readonly placeholder: string;
  /** Only its length is shown. */
  readonly secret: boolean;
}

export interface FormProps {
  readonly fields: readonly FormField[];
  readonly lines: readonly { readonly text: string; readonly token: Token }[];
  readonly choices: readonly string[];
  /** Index of the focused choice. */
  readonly focused: number;
}

export interface FormInstance extends WidgetInstance<FormProps> {
  /** Rows it wants at this width. */
  desiredHeight(props: FormProps, width: number): number;
}

/** Fields to type in, what is to be said about them, and what can be done. Fields and choices stay when there is too little room. */
export const form = {
  name: 'form',
  create(glyphs: Glyphs): FormInstance {
    return {
      view(props, size) {
        const { width, height } = size;
        if (width <= 0 || height <= 0) return { rows: [] };
        const labels = Math.max(0, ...props.fields.map(({ label }) => stringWidth(label)));
        let cursor: CursorPosition | null = null;
        const rows: Row[] = props.fields.map((field, y) => {
          const shown = fieldRow(field, labels, width, glyphs);
          if (shown.x !== null && y < height) cursor = { x: shown.x, y };
          return shown.row;
        });
        const choices = choiceRows(props, size, glyphs);
        const room = Math.max(0, height - rows.length - choices.length - (choices.length > 0 ? 2 : 1));
        const lines = lineRows(props, width).slice(0, room);
        if (lines.length > 0) rows.push(EMPTY_ROW, ...lines);
        if (choices.length > 0) rows.push(...(lines.length > 0 ? [EMPTY_ROW] : []), ...choices);
        return { rows: cutRows(rows, size), cursor };
      },
      desiredHeight(props, width) {
        const lines = lineRows(props, width).length;
        const { fields, choices } = props;
        return (
          fields.length +
          (lines > 0 ? lines + 1 : 0) +
          (choices.length > 0 ? choices.length + (lines > 0 ? 1 : 0) : 0)
        );
      },
    };
  },
} satisfies Widget<FormProps>;

function fieldRow(
  field: FormField,
  labels: number,
  width: number,
  glyphs: Glyphs,
): { row: Row; x: number | null } {
  const label = ` ${padEnd(field.label, labels)}  `;
  const left = stringWidth(label);
  const { cursor, secret } = field;
  const mask = (text: string): string =>
    secret ? (glyphs.ascii ? '*' : '•').repeat(graphemes(text).length) : text;
  const before = mask(field.text.slice(0, cursor ?? field.text.length));
  const text = before + mask(field.text.slice(cursor ?? field.text.length));
  // A text wider than the row shows what stands before the cursor.
  const room = Math.max(1, width - left - 1);
  const hidden = cursor === null ? 0 : offsetBehind(before, stringWidth(before) - room);
  const value =
    text === ''
      ? span(field.placeholder, 'muted')
      : span(text.slice(hidden), cursor === null ? 'text' : 'strong');
  const x = cursor === null ? null : Math.min(width - 1, left + stringWidth(before.slice(hidden)));
  return { row: fitRow([span(label, 'muted'), value], width, cursor === null ? glyphs.ellipsis : ''), x };
}

/** The offset behind the first `cells` cells. */
function offsetBehind(text: string, cells: number): number {
  let offset = 0;
  let width = 0;
  for (const cluster of cells > 0 ? graphemes(text) : []) {
    if (width >= cells) break;
    width += stringWidth(cluster);
    offset += cluster.length;
  }
  return offset;
}

function lineRows({ lines }: FormProps, width: number): Row[] {
  const room = Math.max(1, width - 2);
  return lines.flatMap(({ text, token }) =>
    wrapText(text, room).map((part) => fitRow([span(` ${part}`, token)], width)),
  );
}

function choiceRows({ choices, focused }: FormProps, { width, height }: Size, glyphs: Glyphs): Row[] {
  const top = windowStart(focused, choices.length, height);
  return choices.slice(top, top + height).map((choice, i): Row => {
    const chosen = top + i === focused;
    const line = fitRow(
      [span(chosen ? ` ${glyphs.pointer} ` : '   ', 'accent'), span(choice)],
      width,
      glyphs.ellipsis,
    );
    return chosen ? { ...line, fill: 'selection' } : line;
  });
}
