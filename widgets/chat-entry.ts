import { withSigns } from './glyphs.js';
import { CODE_INDENT, markdownRule, markdownSpans } from './chat-markdown.js';
import { fitRow, justify, textRow } from './rows.js';
import type { Row, Span, Token } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { createWrapping, type WrappableText, type Wrapping } from './text/growing-wrap.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs } from './widget.js';

/** One entry of a transcript: a message, an answer, or something the program says. Text is sanitised. */
export interface TranscriptEntry {
  readonly id: string;
  readonly role: 'user' | 'assistant' | 'notice';
  /** `you`, or the model that answers; empty for a notice without a role line. */
  readonly label: string;
  /** `12:03`; empty when there is none. */
  readonly time: string;
  /** Null: the answer came without thinking. */
  readonly thinking: {
    /** `thought 4.1 s, 210 tokens`. */
    readonly summary: string;
    readonly open: boolean;
    readonly text: WrappableText;
  } | null;
  readonly text: WrappableText;
  /** The answer is being written: a block cursor stands at its end. */
  readonly running: boolean;
  /** It is not sent any more: struck through, with a word in its role line. */
  readonly struck?: boolean;
  /** Lines under the text: how it ended and what can be done, notes. */
  readonly footers: readonly { readonly text: string; readonly token: Token }[];
}

/** An entry laid out for one width. Only what changed since the last update is wrapped anew. */
export interface EntryLayout {
  update(entry: TranscriptEntry): void;
  readonly rowCount: number;
  row(index: number): Row;
  /** The next row beyond `from` (down: 1, up: -1) whose text holds `needle`, in lower case; null: none. */
  find(needle: string, from: number, step: -1 | 1): number | null;
  readonly charsWrapped: number;
}

/** Left and right of the text. */
export const TRANSCRIPT_PAD = 1;
const TEXT_INDENT = 2;
const MAX_TEXT_COLUMNS = 110;

/** Lays out entries of a pane `width` cells wide. Rows come without the left pad. */
export function createEntryLayout(role: TranscriptEntry['role'], width: number, glyphs: Glyphs): EntryLayout {
  const columns = Math.max(1, Math.min(MAX_TEXT_COLUMNS + TEXT_INDENT, width - 2 * TRANSCRIPT_PAD));
  // A narrow pane gives up the indent rather than the text.
  const indent = columns > 16 ? TEXT_INDENT : 0;
  const indentText = ' '.repeat(indent + (width > 2 * TRANSCRIPT_PAD ? TRANSCRIPT_PAD : 0));
  const pad = indentText.slice(indent);
  // One column less, so that the block cursor of a running answer has a place behind a full row.
  const textColumns = Math.max(1, columns - indent - 1);
  // What the user wrote is shown as it was written.
  const plain = role !== 'assistant' || textColumns <= CODE_INDENT * 2;

  let entry: TranscriptEntry | null = null;
  const body = createWrapping(textColumns, plain ? undefined : markdownRule);
  let thinking: Wrapping | null = null;
  let footers: readonly Row[] = [];
  let bodyRows = 0;
  let retired = 0;
  /** Rows that cannot change any more, by row of the body. */
  let finalRows = new Map<number, Row>();

  function update(next: TranscriptEntry): void {
    if (next === entry) return;
    if (next.footers !== entry?.footers) footers = next.footers.flatMap(footerRows);
    if (next.thinking?.open) {
      thinking ??= createWrapping(textColumns);
      thinking.update(next.thinking.text);
    } else {
      retired += thinking?.charsWrapped ?? 0;
      thinking = null;
    }
    const { generation } = body;
    // An ended answer that goes on: its last rows were taken for final.
    const goesOn = entry !== null && !entry.running && (next.running || next.text !== entry.text);
    const restyled = entry !== null && (entry.struck ?? false) !== (next.struck ?? false);
    entry = next;
    body.update(next.text);
    if (goesOn || restyled || body.generation !== generation) finalRows = new Map();
    bodyRows = next.text.length === 0 ? 0 : body.rowCount;
    // Line breaks at the end are shown only while something may follow.
    if (!next.running) while (bodyRows > 0 && isBlank(bodyRows - 1)) bodyRows--;
  }

  function isBlank(index: number): boolean {
    return body.rowEnd(index) - body.rowStart(index) < 2 && body.rowText(index).trim() === '';
  }

  function footerRows(footer: { readonly text: string; readonly token: Token }): Row[] {
    return wrapText(withSigns(footer.text, glyphs), textColumns).map((text) => ({
      spans: [span(indentText), span(text, footer.token)],
    }));
  }

  function headRows(): number {
    return entry === null || (entry.label === '' && entry.time === '') ? 0 : 1;
  }

  function thinkingRows(): number {
    if (entry === null || entry.thinking === null) return 0;
    return 1 + (thinking !== null && entry.thinking.text.length > 0 ? thinking.rowCount : 0);
  }

  /** A running answer always has a row for its cursor. */
  function textRows(): number {
    return entry?.running && bodyRows === 0 ? 1 : bodyRows;
  }

  function rowAt(index: number): Row {
    if (entry === null) return EMPTY_ROW;
    let at = index - headRows();
    if (at < 0) return roleRow(entry);
    if (at < thinkingRows()) return thinkingRow(entry, at);
    at -= thinkingRows();
    if (at < textRows()) return bodyRow(entry, at);
    return footers[at - textRows()] ?? EMPTY_ROW;
  }

  function roleRow({ label, time, struck }: TranscriptEntry): Row {
    const token: Token = role === 'notice' || struck ? 'muted' : role;
    const line = justify(
      [span(pad + label, token), ...(struck ? [span(` ${glyphs.dot} not sent`, 'muted')] : [])],
      time === '' ? [] : [span(time, 'muted')],
      columns + pad.length,
      glyphs.ellipsis,
    );
    return fitRow(line.spans, width);
  }

  function thinkingRow({ thinking: thought, struck }: TranscriptEntry, at: number): Row {
    if (thought === null) return EMPTY_ROW;
    if (at > 0)
      return {
        spans: [span(indentText), span(thinking?.rowText(at - 1) ?? '', struck ? 'struck' : 'thinking')],
      };
    const mark = thought.open ? glyphs.open : glyphs.closed;
    return textRow(
      `${indentText}${mark} ${thought.summary}`,
      'thinking',
      Math.max(1, width),
      glyphs.ellipsis,
    );
  }

  function bodyRow({ running, struck }: TranscriptEntry, at: number): Row {
    const known = finalRows.get(at);
    if (known) return known;
    const spans: Span[] = [span(indentText)];
    if (bodyRows > 0) {
      if (struck) spans.push(span(body.rowText(at), 'struck'));
      else if (!plain) spans.push(...markdownSpans(body, at));
      else spans.push(span(body.rowText(at), role === 'notice' ? 'muted' : 'text'));
    }
    if (running && at === textRows() - 1) spans.push(span(glyphs.ascii ? '_' : '▌', 'accent'));
    const drawn = spans.length === 1 ? EMPTY_ROW : fitRow(spans, Math.max(1, width));
    if (!running || at < body.openRow) finalRows.set(at, drawn);
    // Visible rows only; a long scroll through one entry must not keep all of them.
    if (finalRows.size > 512) finalRows = new Map([[at, drawn]]);
    return drawn;
  }

  function find(needle: string, from: number, step: -1 | 1): number | null {
    if (entry === null) return null;
    const text = searchedText(entry);
    const above = headRows() + thinkingRows();
    const at = from - above;
    if (step > 0) {
      const found = at >= bodyRows ? -1 : text.indexOf(needle, at < 0 ? 0 : body.rowEnd(at));
      return found === -1 ? null : above + bodyRowOf(found);
    }
    if (at <= 0) return null;
    const start = at < bodyRows ? body.rowStart(at) : text.length;
    const found = start === 0 ? -1 : text.lastIndexOf(needle, start - 1);
    return found === -1 ? null : above + bodyRowOf(found);
  }

  function bodyRowOf(offset: number): number {
    let low = 0;
    let high = Math.max(0, bodyRows - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (body.rowStart(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    update,
    row: rowAt,
    find,
    get rowCount() {
      return headRows() + thinkingRows() + textRows() + footers.length;
    },
    get charsWrapped() {
      return retired + body.charsWrapped + (thinking?.charsWrapped ?? 0);
    },
  };
}

/** What a search looks through. */
export function searchedText({ text }: TranscriptEntry): string {
  return (text.blocks.join('') + text.tail).toLowerCase();
}
