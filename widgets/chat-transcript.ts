import { createEntryLayout, type EntryLayout, searchedText, type TranscriptEntry } from './chat-entry.js';
import { scrolled, type Part } from './scrolled-parts.js';
import type { Row, Size } from './text/span.js';
import { EMPTY_ROW, span } from './text/span.js';
import { withMatches } from './text/matches.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

export type { TranscriptEntry } from './chat-entry.js';

/** A row of the transcript: which entry, and which of its rows as laid out at the present width. */
export interface TranscriptAnchor {
  readonly entryId: string;
  readonly row: number;
}

/** The entries of a conversation, by index from 0. An array is one; a long chat makes its entries when they are asked for. */
export interface EntryList {
  readonly length: number;
  /** The very same object for an entry that did not change, as long as it is in use: it is not laid out anew then. */
  at(index: number): TranscriptEntry | undefined;
}

export interface ChatTranscriptProps {
  readonly entries: EntryList;
  /** The row at the top of the pane; null follows the end. */
  readonly anchor: TranscriptAnchor | null;
  /** Set off where it stands, in lower case; empty: nothing is. */
  readonly search?: string;
}

export interface TranscriptView extends View {
  /** The row at the top; null when there are no entries. */
  readonly top: TranscriptAnchor | null;
  /** Rows below the visible ones, counted up to MAX_ROWS_BELOW; 0 while the end is visible. */
  readonly rowsBelow: number;
}

export type TranscriptMove =
  { readonly to: 'start' | 'end' } | { readonly rows: number } | { readonly messages: -1 | 1 };

export interface ChatTranscriptInstance extends WidgetInstance<ChatTranscriptProps> {
  view(props: ChatTranscriptProps, size: Size): TranscriptView;
  /** Where the transcript stands after a move; null when the move reaches the end, which is then followed. */
  move(props: ChatTranscriptProps, size: Size, move: TranscriptMove): TranscriptAnchor | null;
  /** The next row up (-1) or down (1) from the one at the top that holds `needle`, in lower case; when the end is followed all are up. */
  find(props: ChatTranscriptProps, size: Size, needle: string, step: -1 | 1): TranscriptAnchor | null;
  /** Characters wrapped so far and entries held, for tests. */
  readonly charsWrapped: number;
  readonly entriesHeld: number;
}

export const MAX_ROWS_BELOW = 999;
/** Entries kept laid out besides those in view. */
const KEPT_ENTRIES = 64;
/** Rows between two entries. */
const GAP = 1;

/** A place in the list of entries; row -1 is the gap above the entry. */
interface Place {
  readonly index: number;
  readonly row: number;
}

/**
 * The conversation. Virtual: only entries in view are laid out, and the number of all rows is never known. An entry's rows begin with
 * the gap that parts it from the one before.
 */
export const chatTranscript = {
  name: 'chat-transcript',
  create(glyphs: Glyphs): ChatTranscriptInstance {
    let width = -1;
    /** In the order of their last use. */
    let layouts = new Map<string, EntryLayout>();
    /** Rows of entries as they were laid out: an entry that did not change needs no layout to be counted. */
    let heights = new WeakMap<TranscriptEntry, number>();
    let retiredWork = 0;
    let touched = 0;
    let indexHint = 0;
    let lastParts: readonly Part[] = [];

    function layoutOf(entry: TranscriptEntry): EntryLayout {
      let layout = layouts.get(entry.id);
      if (layout) layouts.delete(entry.id);
      else layout = createEntryLayout(entry.role, width, glyphs);
      layouts.set(entry.id, layout);
      layout.update(entry);
      touched++;
      return layout;
    }

    function setWidth(next: number): void {
      touched = 0;
      if (next === width) return;
      width = next;
      for (const layout of layouts.values()) retiredWork += layout.charsWrapped;
      layouts = new Map();
      heights = new WeakMap();
      lastParts = [];
    }

    function dropUnused(): void {
      const keep = Math.max(KEPT_ENTRIES, touched);
      for (const [id, layout] of layouts) {
        if (layouts.size <= keep) return;
        retiredWork += layout.charsWrapped;
        layouts.delete(id);
      }
    }

    /** Rows of an entry with the gap above it. */
    function heightAt(entries: EntryList, index: number): number {
      const entry = entries.at(index);
      if (entry === undefined) return 0;
      const gap = index === 0 ? 0 : GAP;
      // It is another object the next time.
      if (entry.running) return layoutOf(entry).rowCount + gap;
      let rows = heights.get(entry);
      if (rows === undefined) {
        rows = layoutOf(entry).rowCount;
        heights.set(entry, rows);
      }
      return rows + gap;
    }

    function placeOf(entries: EntryList, anchor: TranscriptAnchor): Place | null {
      const index = indexOf(entries, anchor.entryId, indexHint);
      if (index < 0) return null;
      indexHint = index;
      const height = heightAt(entries, index);
      return { index, row: Math.max(0, Math.min(height - 1, anchor.row)) };
    }

    /** The place `rows` further down (negative: up), clamped to the first row and the last one. */
    function walk(entries: EntryList, from: Place, rows: number): Place {
      let { index } = from;
      let row = from.row + rows;
      while (row < 0 && index > 0) row += heightAt(entries, --index);
      if (row < 0) return { index: 0, row: 0 };
      for (;;) {
        const height = heightAt(entries, index);
        if (row < height) return { index, row };
        if (index >= entries.length - 1) return { index, row: Math.max(0, height - 1) };
        row -= height;
        index++;
      }
    }

    /** The top row when the end is visible. */
    function endTop(entries: EntryList, height: number): Place {
      const index = entries.length - 1;
      const last = { index, row: Math.max(0, heightAt(entries, index) - 1) };
      return walk(entries, last, -(height - 1));
    }

    function topOf({ entries, anchor }: ChatTranscriptProps, height: number): Place {
      const end = endTop(entries, height);
      const held = anchor === null ? null : placeOf(entries, anchor);
      // Past the end there is nothing to see.
      return held === null || isBefore(end, held) ? end : held;
    }

    function rowsBetween(entries: EntryList, from: Place, to: Place): number {
      let rows = to.row - from.row;
      for (let i = from.index; i < to.index && rows < MAX_ROWS_BELOW; i++) rows += heightAt(entries, i);
      return Math.max(0, Math.min(MAX_ROWS_BELOW, rows));
    }

    function view(props: ChatTranscriptProps, size: Size): TranscriptView {
      const { entries } = props;
      if (size.width <= 0 || size.height <= 0 || entries.length === 0)
        return { rows: [], top: null, rowsBelow: 0 };
      setWidth(size.width);
      const end = endTop(entries, size.height);
      const top = props.anchor === null ? end : topOf(props, size.height);
      const rows: Row[] = [];
      const parts: Part[] = [];
      for (let { index, row } = top; index < entries.length && rows.length < size.height; index++, row = 0) {
        const entry = entries.at(index);
        if (entry === undefined) break;
        const layout = layoutOf(entry);
        const gap = index === 0 ? 0 : GAP;
        const count = Math.min(layout.rowCount + gap - row, size.height - rows.length);
        parts.push({ entryId: entry.id, row, at: rows.length, count });
        for (const end = row + count; row < end; row++)
          rows.push(row < gap ? EMPTY_ROW : withMatches(layout.row(row - gap), props.search ?? ''));
      }
      const rowsBelow = top === end ? 0 : rowsBetween(entries, top, end);
      dropUnused();
      const scrolledBy = scrolled(lastParts, parts);
      lastParts = parts;
      const entryId = entries.at(top.index)?.id ?? '';
      return { rows, top: { entryId, row: top.row }, rowsBelow, ...(scrolledBy === 0 ? {} : { scrolledBy }) };
    }

    function move(props: ChatTranscriptProps, size: Size, step: TranscriptMove): TranscriptAnchor | null {
      const { entries } = props;
      if (entries.length === 0 || size.width <= 0 || size.height <= 0) return null;
      setWidth(size.width);
      const from = topOf(props, size.height);
      let to: Place | null;
      if ('to' in step) to = step.to === 'end' ? null : { index: 0, row: 0 };
      else if ('rows' in step) to = walk(entries, from, step.rows);
      else to = messageFrom(entries, from, step.messages);
      const end = endTop(entries, size.height);
      dropUnused();
      if (to === null || !isBefore(to, end)) return null;
      indexHint = to.index;
      return { entryId: entries.at(to.index)?.id ?? '', row: to.row };
    }

    function find(
      { entries, anchor }: ChatTranscriptProps,
      size: Size,
      needle: string,
      step: -1 | 1,
    ): TranscriptAnchor | null {
      if (entries.length === 0 || size.width <= 0 || needle === '') return null;
      setWidth(size.width);
      const held = anchor === null ? null : placeOf(entries, anchor);
      const from = held ?? { index: entries.length - 1, row: heightAt(entries, entries.length - 1) };
      for (let { index } = from; index >= 0 && index < entries.length; index += step) {
        const entry = entries.at(index);
        // Of all the others only the text is looked at.
        if (!entry || !searchedText(entry).includes(needle)) continue;
        const gap = index === 0 ? 0 : GAP;
        const layout = layoutOf(entry);
        const beyond = index === from.index ? from.row - gap : step > 0 ? -1 : layout.rowCount;
        const row = layout.find(needle, beyond, step);
        dropUnused();
        if (row === null) continue;
        indexHint = index;
        return { entryId: entry.id, row: row + gap };
      }
      return null;
    }

    return {
      view,
      move,
      find,
      get charsWrapped() {
        let chars = retiredWork;
        for (const layout of layouts.values()) chars += layout.charsWrapped;
        return chars;
      },
      get entriesHeld() {
        return layouts.size;
      },
    };
  },
} satisfies Widget<ChatTranscriptProps>;

/** Looks at `hint` first, then further and further away from it: making every entry of a long chat to find one is slow. */
function indexOf(entries: EntryList, id: string, hint: number): number {
  for (let away = 0; away < entries.length || away <= hint; away++) {
    if (hint + away < entries.length && entries.at(hint + away)?.id === id) return hint + away;
    if (hint - away >= 0 && entries.at(hint - away)?.id === id) return hint - away;
  }
  return -1;
}

/** The role line of the message before or after; from the middle of a message, before is its own. */
function messageFrom(entries: EntryList, from: Place, direction: -1 | 1): Place | null {
  const roleRow = from.index === 0 ? 0 : GAP;
  const stay = direction < 0 ? from.row > roleRow : from.row < roleRow;
  const index = stay ? from.index : from.index + direction;
  if (index >= entries.length) return null;
  return index <= 0 ? { index: 0, row: 0 } : { index, row: GAP };
}

function isBefore(a: Place, b: Place): boolean {
  return a.index < b.index || (a.index === b.index && a.row < b.row);
}

/** The mark in the lower border while there are rows below: `─ 14 ↓ ─`; null when there are none. */
export function rowsBelowMark(rowsBelow: number, glyphs: Glyphs): Row | null {
  if (rowsBelow <= 0) return null;
  const count = rowsBelow >= MAX_ROWS_BELOW ? `${MAX_ROWS_BELOW}+` : String(rowsBelow);
  return {
    spans: [
      span(`${glyphs.dash} `, 'border'),
      span(`${count} ${glyphs.down}`, 'accent'),
      span(` ${glyphs.dash}`, 'border'),
    ],
  };
}
