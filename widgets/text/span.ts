/** What widgets draw: rows of spans with a semantic token each. No colour, no escape sequence, no blessed here. */

/** Semantic style of a span; a theme gives it colours (themes/theme.ts). */
export type Token =
  | 'text'
  | 'muted'
  | 'accent'
  | 'good'
  | 'warn'
  | 'bad'
  | 'strong' // bold body text
  | 'title' // pane titles
  | 'border'
  | 'borderFocused'
  | 'selection' // the selected row of a list; has a background
  | 'user' // role line of the user
  | 'assistant'
  | 'thinking'
  | 'code'
  | 'key' // a key in hints
  | 'match' // matched characters of a fuzzy search or filter
  | 'gaugeFill'
  | 'gaugeTrack'
  | 'struck' // what is not sent any more
  | 'chip';

export interface Span {
  readonly text: string;
  readonly token: Token;
}

/** One row of cells. Spans hold only printable text (sanitised); the host cuts what is too wide. */
export interface Row {
  readonly spans: readonly Span[];
  /** Background of the whole row, e.g. `selection`. */
  readonly fill?: Token;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface CursorPosition {
  readonly x: number;
  readonly y: number;
}

export function span(text: string, token: Token = 'text'): Span {
  return { text, token };
}

export function row(...spans: Span[]): Row {
  return { spans };
}

export const EMPTY_ROW: Row = { spans: [] };
