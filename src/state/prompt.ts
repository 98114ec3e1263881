import type { Edit } from '../events/catalogue.js';
import { graphemes } from '../../widgets/text/width.js';
import { outsidePasted, type Pasted, pastedAfter, pastedBeside, withPasted } from './pasted.js';

/** The message being written, or the filter line of an overlay. Offsets count UTF-16 units and stand between grapheme clusters. */
export interface PromptState {
  readonly text: string;
  readonly cursor: number;
  /** Parts of the text that are shown as one chip; the cursor is never within one. */
  readonly pasted: readonly Pasted[];
  /** Column that moves over rows aim for; null: that of the cursor. */
  readonly column: number | null;
  /** What delete by word or line removed last; `yank` puts it back. */
  readonly killed: string;
  readonly undo: readonly PromptStep[];
  readonly redo: readonly PromptStep[];
  /** Kind of the last edit: edits of one kind in a row are one step of undo. */
  readonly run: PromptRun | null;
  /** Earlier messages, oldest first. */
  readonly history: readonly string[];
  /** The one shown; null while the draft is. */
  readonly historyIndex: number | null;
  /** What was being written when the history was entered. */
  readonly draft: string;
  readonly draftPasted: readonly Pasted[];
}

export interface PromptStep {
  readonly text: string;
  readonly cursor: number;
  readonly pasted: readonly Pasted[];
}

type PromptRun = 'typing' | 'deleting' | 'killing';

const MAX_UNDO_STEPS = 200;
const MAX_UNDO_CHARS = 4_000_000;
const MAX_HISTORY = 1000;
/** How far around the cursor clusters are looked for; a longer cluster is no text. */
const CLUSTER_WINDOW = 256;

export const EMPTY_PROMPT: PromptState = {
  text: '',
  cursor: 0,
  pasted: [],
  column: null,
  killed: '',
  undo: [],
  redo: [],
  run: null,
  history: [],
  historyIndex: null,
  draft: '',
  draftPasted: [],
};

/** The prompt after one edit; the same object when nothing changed. */
export function editPrompt(state: PromptState, edit: Edit): PromptState {
  switch (edit.op) {
    case 'insert': {
      // A word is a step of undo: its first letter after a space begins a new one.
      const run = state.run === 'typing' && !beginsWord(state, edit.text) ? 'typing' : null;
      return replace({ ...state, run }, state.cursor, state.cursor, edit.text, 'typing');
    }
    case 'paste': {
      const text = edit.text.replace(/\r\n?/g, '\n');
      const next = replace(state, state.cursor, state.cursor, text, null);
      return { ...next, pasted: withPasted(next.pasted, state.cursor, text) };
    }
    case 'move':
      return moveCursor(state, targetOf(state, edit.by, edit.direction), null);
    case 'moveTo':
      return moveCursor(
        state,
        outsidePasted(state.pasted, boundaryNear(state.text, edit.offset), -1),
        edit.column,
      );
    case 'delete':
      return deleteBy(state, edit.by, edit.direction);
    case 'yank':
      return replace(state, state.cursor, state.cursor, state.killed, null);
    case 'undo':
      return travel(state, 'undo', 'redo');
    case 'redo':
      return travel(state, 'redo', 'undo');
    case 'history':
      return moveInHistory(state, edit.direction);
    case 'set':
      return replace(state, 0, state.text.length, edit.text, null);
    case 'clear':
      return {
        ...replace(state, 0, state.text.length, '', null),
        historyIndex: null,
        draft: '',
        draftPasted: [],
      };
    case 'sent':
      return sentPrompt(state);
  }
}

/** The empty prompt after its text was sent; the text is the newest of the history (once, when sent twice in a row). */
function sentPrompt(state: PromptState): PromptState {
  const { text, history } = state;
  const kept = text.trim() === '' || history[history.length - 1] === text ? history : [...history, text];
  return { ...EMPTY_PROMPT, killed: state.killed, history: kept.slice(-MAX_HISTORY) };
}

function replace(
  state: PromptState,
  start: number,
  end: number,
  inserted: string,
  run: PromptRun | null,
): PromptState {
  if (start === end && inserted === '') return state;
  return {
    ...state,
    text: state.text.slice(0, start) + inserted + state.text.slice(end),
    cursor: start + inserted.length,
    pasted: pastedAfter(state.pasted, start, end, inserted),
    column: null,
    undo: run !== null && state.run === run ? state.undo : withStep(state.undo, state),
    redo: [],
    run,
  };
}

/** The steps with the present text on top, which always stays; the oldest go when there are too many or they hold too much. */
function withStep(steps: readonly PromptStep[], state: PromptState): readonly PromptStep[] {
  const next = [...steps.slice(-(MAX_UNDO_STEPS - 1)), stepOf(state)];
  let chars = 0;
  let from = next.length;
  while (from > 0) {
    chars += next[from - 1]?.text.length ?? 0;
    if (chars > MAX_UNDO_CHARS && from < next.length) break;
    from--;
  }
  return from === 0 ? next : next.slice(from);
}

function stepOf({ text, cursor, pasted }: PromptState): PromptStep {
  return { text, cursor, pasted };
}

function travel(state: PromptState, from: 'undo' | 'redo', to: 'undo' | 'redo'): PromptState {
  const step = state[from][state[from].length - 1];
  if (step === undefined) return state;
  return {
    ...state,
    ...step,
    column: null,
    run: null,
    [from]: state[from].slice(0, -1),
    [to]: withStep(state[to], state),
  };
}

function deleteBy(state: PromptState, by: 'char' | 'word' | 'line', direction: -1 | 1): PromptState {
  let target = targetOf(state, by, direction);
  // At the edge of a line the line break itself goes.
  if (by === 'line' && target === state.cursor) target = targetOf(state, 'char', direction);
  const start = Math.min(target, state.cursor);
  const end = Math.max(target, state.cursor);
  if (start === end) return state;
  if (by === 'char') return replace(state, start, end, '', 'deleting');
  const removed = state.text.slice(start, end);
  const before = state.run === 'killing' ? state.killed : '';
  return {
    ...replace(state, start, end, '', 'killing'),
    killed: direction < 0 ? removed + before : before + removed,
  };
}

function moveCursor(state: PromptState, cursor: number, column: number | null): PromptState {
  if (cursor === state.cursor && column === state.column) return state;
  return { ...state, cursor, column, run: null };
}

function moveInHistory(state: PromptState, direction: -1 | 1): PromptState {
  const { history, historyIndex } = state;
  const from = historyIndex ?? history.length;
  const to = from + direction;
  if (to < 0 || to > history.length) return state;
  const draft = historyIndex === null ? state.text : state.draft;
  const draftPasted = historyIndex === null ? state.pasted : state.draftPasted;
  const text = to === history.length ? draft : (history[to] ?? '');
  return {
    ...state,
    text,
    cursor: text.length,
    pasted: to === history.length ? draftPasted : [],
    column: null,
    // An earlier message that was changed comes back with undo.
    undo: text === state.text ? state.undo : withStep(state.undo, state),
    redo: [],
    run: null,
    historyIndex: to === history.length ? null : to,
    draft,
    draftPasted,
  };
}

function targetOf(state: PromptState, by: 'char' | 'word' | 'line' | 'all', direction: -1 | 1): number {
  const { text, cursor, pasted } = state;
  switch (by) {
    case 'char': {
      const chip = pastedBeside(pasted, cursor, direction);
      if (chip) return direction < 0 ? chip.start : chip.end;
      const to = direction < 0 ? clusterBefore(text, cursor) : clusterAfter(text, cursor);
      return outsidePasted(pasted, to, direction);
    }
    case 'word': {
      const to = direction < 0 ? wordBefore(text, cursor) : wordAfter(text, cursor);
      return outsidePasted(pasted, to, direction);
    }
    case 'line':
      return lineEdge(state, direction);
    case 'all':
      return direction < 0 ? 0 : text.length;
  }
}

/** The edge of the line of the cursor; the breaks within a chip are none. */
function lineEdge({ text, cursor, pasted }: PromptState, direction: -1 | 1): number {
  for (let from = cursor; ;) {
    const edge = direction < 0 ? lineStart(text, from) : lineEnd(text, from);
    const chip = pasted.find((each) =>
      direction < 0 ? each.start < edge && edge <= each.end : each.start <= edge && edge < each.end,
    );
    if (!chip) return edge;
    from = direction < 0 ? chip.start : chip.end;
  }
}

function clusterBefore(text: string, cursor: number): number {
  let from = Math.max(0, cursor - CLUSTER_WINDOW);
  if (isLowSurrogate(text, from)) from--;
  let last = '';
  for (const cluster of graphemes(text.slice(Math.max(0, from), cursor))) last = cluster;
  return cursor - last.length;
}

function clusterAfter(text: string, cursor: number): number {
  for (const cluster of graphemes(text.slice(cursor, cursor + CLUSTER_WINDOW)))
    return cursor + cluster.length;
  return cursor;
}

/** The cluster boundary at or before an offset. */
function boundaryNear(text: string, offset: number): number {
  const wanted = Math.max(0, Math.min(text.length, offset));
  let at = Math.max(0, wanted - CLUSTER_WINDOW);
  if (isLowSurrogate(text, at)) at--;
  for (const cluster of graphemes(text.slice(at, wanted + CLUSTER_WINDOW))) {
    if (at + cluster.length > wanted) return at;
    at += cluster.length;
  }
  return at;
}

function wordBefore(text: string, cursor: number): number {
  let at = cursor;
  while (at > 0 && !isWordUnit(text, at - 1)) at--;
  while (at > 0 && isWordUnit(text, at - 1)) at--;
  return at;
}

function wordAfter(text: string, cursor: number): number {
  let at = cursor;
  while (at < text.length && !isWordUnit(text, at)) at++;
  while (at < text.length && isWordUnit(text, at)) at++;
  return at;
}

/** Marks, joiners and surrogate halves count as parts of words, so that a cluster is never split. */
function isWordUnit(text: string, at: number): boolean {
  const unit = text.charAt(at);
  return unit === '\u200d' || /[\p{L}\p{N}\p{M}\p{Cs}_]/u.test(unit);
}

function lineStart(text: string, cursor: number): number {
  return cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1;
}

function lineEnd(text: string, cursor: number): number {
  const end = text.indexOf('\n', cursor);
  return end < 0 ? text.length : end;
}

function beginsWord(state: PromptState, inserted: string): boolean {
  return state.cursor > 0 && /\s/.test(state.text.charAt(state.cursor - 1)) && !/^\s/.test(inserted);
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit < 0xe000;
}
