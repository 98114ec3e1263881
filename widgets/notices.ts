import { withSigns } from './glyphs.js';
import { fitRow, textRow } from './rows.js';
import { formatClock } from './text/format.js';
import type { Row, Size, Token } from './text/span.js';
import { span } from './text/span.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface NoticeItem {
  /** Epoch ms. */
  readonly at: number;
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly text: string;
  /** The next step; null when there is nothing to do. */
  readonly hint: string | null;
}

export interface NoticesProps {
  /** Oldest first. */
  readonly notices: readonly NoticeItem[];
  /** Rows scrolled up from the newest; only the list scrolls. */
  readonly scrolled: number;
  readonly empty: string;
}

export interface NoticeListInstance extends WidgetInstance<NoticesProps> {
  /** Rows that all notices take at this width. */
  rowCount(props: NoticesProps, width: number): number;
}

const LEVELS: Readonly<Record<NoticeItem['level'], readonly [glyph: string, ascii: string, token: Token]>> = {
  info: ['·', '-', 'accent'],
  good: ['✓', '+', 'good'],
  warn: ['▲', '!', 'warn'],
  bad: ['✗', 'x', 'bad'],
};

/** The notices that show for a while over the other panes: the newest below, each cut to one row and its hint. */
export const noticeStack = {
  name: 'notice-stack',
  create(glyphs: Glyphs): WidgetInstance<NoticesProps> {
    return {
      view(props, { width, height }: Size) {
        if (width <= 0 || height <= 0) return { rows: [] };
        const rows: Row[] = [];
        for (const notice of props.notices.slice(-height)) {
          rows.push(
            fitRow(
              [...headSpans(notice, glyphs), span(withSigns(notice.text, glyphs), levelToken(notice))],
              width,
              glyphs.ellipsis,
            ),
          );
          if (notice.hint !== null)
            rows.push(textRow(withSigns(`   ${notice.hint}`, glyphs), 'muted', width, glyphs.ellipsis));
        }
        return { rows: rows.slice(-height) };
      },
    };
  },
} satisfies Widget<NoticesProps>;

/** All notices of this run with their times, newest first. */
export const noticeList = {
  name: 'notice-list',
  create(glyphs: Glyphs): NoticeListInstance {
    return {
      rowCount: ({ notices }, width) =>
        notices.reduce((sum, notice) => sum + listRows(notice, width, glyphs).length, 0),
      view(props, { width, height }: Size) {
        if (width <= 0 || height <= 0) return { rows: [] };
        if (props.notices.length === 0)
          return { rows: [textRow(` ${props.empty}`, 'muted', width, glyphs.ellipsis)] };
        const rows: Row[] = [];
        const skip = Math.max(0, props.scrolled);
        for (let i = props.notices.length - 1; i >= 0 && rows.length < skip + height; i--) {
          const notice = props.notices[i];
          if (notice !== undefined) rows.push(...listRows(notice, width, glyphs));
        }
        return { rows: rows.slice(skip, skip + height) };
      },
    };
  },
} satisfies Widget<NoticesProps>;

function listRows(notice: NoticeItem, width: number, glyphs: Glyphs): Row[] {
  const indent = width >= 30 ? 9 : 3;
  const room = Math.max(1, width - indent - 1);
  const head =
    width >= 30
      ? [span(` ${formatClock(notice.at)}`, 'muted'), ...headSpans(notice, glyphs)]
      : headSpans(notice, glyphs);
  const rows = wrapText(withSigns(notice.text, glyphs), room).map((text, i) =>
    fitRow([...(i === 0 ? head : [span(' '.repeat(indent))]), span(text, levelToken(notice))], width),
  );
  if (notice.hint === null) return rows;
  return [
    ...rows,
    ...wrapText(withSigns(notice.hint, glyphs), room).map((text) =>
      fitRow([span(' '.repeat(indent) + text, 'muted')], width),
    ),
  ];
}

function headSpans(notice: NoticeItem, glyphs: Glyphs): ReturnType<typeof span>[] {
  const [glyph, ascii, token] = LEVELS[notice.level];
  return [span(` ${glyphs.ascii ? ascii : glyph} `, token)];
}

function levelToken(notice: NoticeItem): Token {
  return notice.level === 'bad' ? 'bad' : 'text';
}
