import type { Row } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { truncateEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface TooSmallProps {
  readonly neededWidth: number;
  readonly neededHeight: number;
}

/** One line in the middle that says which size is needed. */
export const tooSmall = {
  name: 'too-small',
  create(glyphs: Glyphs): WidgetInstance<TooSmallProps> {
    return {
      view({ neededWidth, neededHeight }, { width, height }) {
        if (width <= 0 || height <= 0) return { rows: [] };
        const needed = `${neededWidth}${glyphs.ascii ? 'x' : '×'}${neededHeight}`;
        // The longest wording that fits; the size itself comes last to go.
        const wordings = [
          `lmapp needs ${needed}, this is ${width}${glyphs.ascii ? 'x' : '×'}${height}`,
          `needs ${needed}`,
        ];
        const text =
          wordings.find((words) => stringWidth(words) <= width) ??
          truncateEnd(needed, width, glyphs.ellipsis);
        const pad = ' '.repeat(Math.max(0, Math.floor((width - stringWidth(text)) / 2)));
        const above: Row[] = Array.from({ length: Math.floor((height - 1) / 2) }, () => EMPTY_ROW);
        return { rows: [...above, { spans: [span(pad + text, 'warn')] }] };
      },
    };
  },
} satisfies Widget<TooSmallProps>;
