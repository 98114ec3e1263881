import { cutRows, fitRow, windowStart } from './rows.js';
import type { Row, Size } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { padEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface QuestionProps {
  readonly lines: readonly string[];
  readonly choices: readonly { readonly key: string; readonly label: string }[];
  /** Index of the focused choice. */
  readonly focused: number;
}

export interface QuestionInstance extends WidgetInstance<QuestionProps> {
  /** Rows it wants at this width. */
  desiredHeight(props: QuestionProps, width: number): number;
}

/** A question with its choices; the choices stay visible when there is too little room. */
export const question = {
  name: 'question',
  create(glyphs: Glyphs): QuestionInstance {
    return {
      view(props, size) {
        if (size.width <= 0 || size.height <= 0) return { rows: [] };
        const choices = choiceRows(props, size, glyphs);
        const room = Math.max(0, size.height - choices.length - 1);
        const text = textRows(props, size.width).slice(0, room);
        return { rows: cutRows(text.length > 0 ? [...text, EMPTY_ROW, ...choices] : choices, size) };
      },
      desiredHeight: (props, width) => textRows(props, width).length + 1 + props.choices.length,
    };
  },
} satisfies Widget<QuestionProps>;

function textRows(props: QuestionProps, width: number): Row[] {
  const room = Math.max(1, width - 2);
  return props.lines.flatMap((line) => wrapText(line, room).map((text) => fitRow([span(` ${text}`)], width)));
}

function choiceRows(props: QuestionProps, { width, height }: Size, glyphs: Glyphs): Row[] {
  const keyColumns = Math.max(0, ...props.choices.map(({ key }) => stringWidth(key)));
  const top = windowStart(props.focused, props.choices.length, height);
  return props.choices.slice(top, top + height).map(({ key, label }, i): Row => {
    const focused = top + i === props.focused;
    const line = fitRow(
      [
        span(focused ? ` ${glyphs.pointer} ` : '   ', 'accent'),
        span(padEnd(key, keyColumns), 'key'),
        span(`  ${label}`),
      ],
      width,
      glyphs.ellipsis,
    );
    return focused ? { ...line, fill: 'selection' } : line;
  });
}
