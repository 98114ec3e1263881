import { gauge } from './gauge.js';
import { cutRows, fitRow, justify, spansWidth, textRow, windowStart } from './rows.js';
import { formatBytes, formatPercent } from './text/format.js';
import type { Row, Size, Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { padEnd, padStart, truncateEnd, truncateMiddle } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

/** A server of the tree. */
export interface ServerRow {
  readonly kind: 'server';
  readonly key: string;
  readonly title: string;
  /** `127.0.0.1:11434`; empty for the mock. */
  readonly address: string;
  readonly open: boolean;
  /** Version, or its state: `0.13.0`, `not running · 12:03`, `busy`. */
  readonly note: string;
  readonly noteToken: Token;
  /** Shown from an earlier run and not confirmed yet. */
  readonly unconfirmed: boolean;
}

/** A model of the server above it. */
export interface ModelRow {
  readonly kind: 'model';
  readonly key: string;
  readonly label: string;
  readonly loaded: boolean;
  /** Answers the next message. */
  readonly chosen: boolean;
  readonly sizeBytes: number | null;
  /** Runs elsewhere (cloud): it has no size here. */
  readonly remote: boolean;
  /** Fraction while loading; null when the server does not say, undefined when it is not loading. */
  readonly loading?: number | null;
  /** Time to live, verdict of the fit check, or what it is for: `4m 59s`, `fits`, `-19 GB`, `1k ctx`, `embed`. */
  readonly note: string;
  readonly noteToken: Token;
  readonly unconfirmed: boolean;
  /** False when it cannot chat. */
  readonly chat: boolean;
  /** Beside the name where there is room, the first ones first: parameters, quantization, context, family, capabilities. */
  readonly columns: readonly string[];
}

/** A model that is being fetched: a row with its name, and one with its bar below it, both of one key. */
export interface PullRow {
  readonly kind: 'pull';
  readonly key: string;
  readonly label: string;
  /** `43 %  4m 59s`, `waits`, `verifying 12s`, `stopped 43 %`. */
  readonly note: string;
  readonly noteToken: Token;
}

export interface PullBarRow {
  readonly kind: 'pull-bar';
  readonly key: string;
  /** 0..1; null: not known; undefined: no bar, only the note. */
  readonly fraction?: number | null;
  /** `12 MB/s`, or what can be done. */
  readonly note: string;
  /** `3.9 / 9.1 GB`, where there is room. */
  readonly more: string;
}

/** What is to be said under a server that has nothing else below it. */
export interface HintRow {
  readonly kind: 'hint';
  readonly key: string;
  readonly text: string;
}

export type ModelListRow = ServerRow | ModelRow | PullRow | PullBarRow | HintRow;

export interface ModelListProps {
  /** Visible rows of the tree in order; models of a folded server are left out. */
  readonly rows: readonly ModelListRow[];
  /** Key of the row under the cursor. */
  readonly selected: string | null;
  readonly focused: boolean;
  /** Shown when there is no row: what to do. */
  readonly empty: string;
}

const SIZE_COLUMNS = 7;
/** `999 MB/s`: the bar beside it keeps its length. */
const BAR_NOTE_COLUMNS = 8;
const NOTE_COLUMNS = 6;
/** Widths of the columns beside the name, and from which width of the pane on each is shown. */
const MORE_COLUMNS: readonly { readonly width: number; readonly from: number }[] = [
  { width: 7, from: 64 },
  { width: 8, from: 64 },
  { width: 5, from: 72 },
  { width: 10, from: 92 },
  { width: 28, from: 124 },
];

export const modelList = {
  name: 'model-list',
  create(glyphs: Glyphs): WidgetInstance<ModelListProps> {
    return { view: (props, size) => modelListView(props, size, glyphs) };
  },
} satisfies Widget<ModelListProps>;

function modelListView(props: ModelListProps, size: Size, glyphs: Glyphs): View {
  const { width, height } = size;
  if (width <= 0 || height <= 0) return { rows: [] };
  if (props.rows.length === 0) {
    const lines = wrapText(props.empty, Math.max(1, width - 1));
    return {
      rows: cutRows(
        lines.map((line) => textRow(` ${line}`, 'muted', width, glyphs.ellipsis)),
        size,
      ),
    };
  }
  const at = props.rows.findIndex((item) => item.key === props.selected);
  const top = windowStart(Math.max(0, at), props.rows.length, height);
  const rows = props.rows.slice(top, top + height).map((item): Row => {
    const line = rowOf(item, width, glyphs);
    return props.focused && item.key === props.selected ? { ...line, fill: 'selection' } : line;
  });
  return { rows };
}

function rowOf(item: ModelListRow, width: number, glyphs: Glyphs): Row {
  switch (item.kind) {
    case 'server':
      return serverRow(item, width, glyphs);
    case 'model':
      return modelRow(item, width, glyphs);
    case 'pull':
      return pullRow(item, width, glyphs);
    case 'pull-bar':
      return pullBarRow(item, width, glyphs);
    case 'hint':
      return textRow(`    ${item.text}`, 'muted', width, glyphs.ellipsis);
  }
}

function pullRow(pull: PullRow, width: number, glyphs: Glyphs): Row {
  const room = Math.max(0, width - 6 - stringWidth(pull.note));
  const name = span(truncateMiddle(pull.label, room, glyphs.ellipsis));
  return justify(
    [span('  '), span(glyphs.down, 'accent'), span(' '), name],
    [span(`${pull.note} `, pull.noteToken)],
    width,
    glyphs.ellipsis,
  );
}

function pullBarRow({ fraction, note, more }: PullBarRow, width: number, glyphs: Glyphs): Row {
  if (fraction === undefined) return textRow(`    ${note}`, 'muted', width, glyphs.ellipsis);
  const speed = padStart(note, BAR_NOTE_COLUMNS, glyphs.ellipsis);
  const text = width >= 60 && more !== '' ? `${more}  ${speed}` : speed;
  const cells = Math.min(40, width - 8 - stringWidth(text));
  const bar = cells >= 4 ? gauge(fraction, cells, glyphs) : [];
  return fitRow([span('    '), ...bar, span(` ${text} `, 'muted')], width, glyphs.ellipsis);
}

function serverRow(server: ServerRow, width: number, glyphs: Glyphs): Row {
  const mark = server.open ? glyphs.open : glyphs.closed;
  const note = truncateEnd(server.note, Math.max(0, Math.floor(width / 2)), glyphs.ellipsis);
  const room = Math.max(0, width - 3 - stringWidth(note) - (note === '' ? 0 : 1));
  const title = truncateMiddle(server.title, room, glyphs.ellipsis);
  const left: Span[] = [span(` ${mark} `, 'muted'), span(title, server.unconfirmed ? 'muted' : 'strong')];
  const addressRoom = room - stringWidth(title) - 2;
  // Half an address says nothing.
  if (server.address !== '' && addressRoom >= 8)
    left.push(span(`  ${truncateMiddle(server.address, addressRoom, glyphs.ellipsis)}`, 'muted'));
  return justify(
    left,
    note === '' ? [] : [span(note, server.unconfirmed ? 'muted' : server.noteToken)],
    width,
    '',
  );
}

function modelRow(model: ModelRow, width: number, glyphs: Glyphs): Row {
  const faint = model.unconfirmed || !model.chat;
  const note = model.loading === undefined ? model.note : loadingNote(model.loading);
  const noteToken: Token = faint ? 'muted' : model.loading === undefined ? model.noteToken : 'accent';
  const size = model.remote ? 'cloud' : formatBytes(model.sizeBytes, glyphs.unknown);
  const right: Span[] = [];
  for (const [i, { width: cells, from }] of MORE_COLUMNS.entries())
    if (width >= from)
      right.push(span(`${padEnd(model.columns[i] ?? '', cells, glyphs.ellipsis)} `, 'muted'));
  // What decides comes first when there is little room: the name, then the note, then the size.
  if (width >= 30) right.push(span(`${padStart(size, SIZE_COLUMNS, glyphs.ellipsis)}   `, 'muted'));
  if (width >= 18) right.push(span(`${padEnd(note, noteColumns(note, width), glyphs.ellipsis)} `, noteToken));
  const left: Span[] = [
    span(' '),
    span(model.chosen ? glyphs.pointer : ' ', 'accent'),
    span(model.loaded ? glyphs.loaded : ' ', model.unconfirmed ? 'muted' : 'good'),
    span(' '),
  ];
  const room = width - spansWidth(left) - spansWidth(right) - (right.length > 0 ? 1 : 0);
  const name = truncateMiddle(model.label, room, glyphs.ellipsis);
  const token: Token = faint ? 'muted' : model.chosen ? 'accent' : 'text';
  if (room <= 0) return fitRow([...left, span(model.label, token)], width, glyphs.ellipsis);
  return justify([...left, span(name, token)], right, width, '');
}

/** Wide panes give the note the room that its words need; columns stay aligned by a fixed step. */
function noteColumns(note: string, width: number): number {
  return width >= 60 ? 16 : Math.max(NOTE_COLUMNS, Math.min(stringWidth(note), NOTE_COLUMNS + 1));
}

function loadingNote(progress: number | null): string {
  return progress === null ? 'loads' : formatPercent(progress);
}
