import { fitRow, textRow } from './rows.js';
import type { Row, Size } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { padEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

/** Keys of one place: everywhere, or a pane. */
export interface KeysSection {
  readonly title: string;
  readonly entries: readonly { readonly keys: readonly string[]; readonly does: string }[];
}

export interface KeysHelpProps {
  readonly sections: readonly KeysSection[];
  /** Rows scrolled down; clamped. */
  readonly top: number;
}

export interface KeysHelpInstance extends WidgetInstance<KeysHelpProps> {
  /** Rows in all at this width, to know how far it can be scrolled. */
  rowCount(props: KeysHelpProps, width: number): number;
}

const MAX_KEY_COLUMNS = 28;
/** Between two keys. */
const GAP = '  ';

/** The table of keys, made from the keymap. */
export const keysHelp = {
  name: 'keys-help',
  create(glyphs: Glyphs): KeysHelpInstance {
    return {
      view(props, { width, height }: Size) {
        if (width <= 0 || height <= 0) return { rows: [] };
        const rows = keyRows(props.sections, width, glyphs);
        const top = Math.max(0, Math.min(props.top, rows.length - height));
        return { rows: rows.slice(top, top + height) };
      },
      rowCount: (props, width) => (width <= 0 ? 0 : keyRows(props.sections, width, glyphs).length),
    };
  },
} satisfies Widget<KeysHelpProps>;

function keyRows(sections: readonly KeysSection[], width: number, glyphs: Glyphs): Row[] {
  const widest = Math.max(0, ...sections.flatMap((s) => s.entries.map((e) => stringWidth(e.keys.join(GAP)))));
  const columns = Math.min(MAX_KEY_COLUMNS, widest, Math.floor(width / 2));
  const rows: Row[] = [];
  for (const section of sections) {
    if (rows.length > 0) rows.push(EMPTY_ROW);
    rows.push(textRow(` ${section.title}`, 'title', width, glyphs.ellipsis));
    for (const { keys, does } of section.entries) {
      const keyLines = linesOf(keys, columns);
      const lines = wrapText(does, Math.max(1, width - columns - 6));
      for (let i = 0; i < Math.max(keyLines.length, lines.length); i++) {
        const key = padEnd(keyLines[i] ?? '', columns, glyphs.ellipsis);
        rows.push(fitRow([span(`   ${key}`, 'key'), span(`  ${lines[i] ?? ''}`)], width));
      }
    }
  }
  return rows;
}

/** The keys in as many lines as they need: one that is cut could not be pressed. */
function linesOf(keys: readonly string[], columns: number): readonly string[] {
  const lines: string[] = [];
  for (const key of keys) {
    const longer = `${lines.at(-1) ?? ''}${GAP}${key}`;
    if (lines.length > 0 && stringWidth(longer) <= columns) lines.splice(-1, 1, longer);
    else lines.push(key);
  }
  return lines;
}
