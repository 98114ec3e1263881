import type { EntryList, TranscriptEntry } from '../../widgets/chat-transcript.js';
import { formatClock, formatDuration } from '../../widgets/text/format.js';
import type { Turn } from '../domain/chat.js';
import { EMPTY_TEXT, textOf, type GrowingText } from '../domain/text.js';
import type { ChatState } from '../state/state.js';
import { footersOf, NO_FOOTERS } from './turn-footers.js';

interface TurnEntries {
  readonly turn: Turn;
  readonly unfolded: boolean;
  readonly struck: boolean;
  /** What could be done about an answer that could not start. */
  readonly offer: string | null;
  readonly entries: readonly [TranscriptEntry, TranscriptEntry];
}

/**
 * So many ended turns keep their entries. A view asks for at most 999 rows below it, which are fewer than 200 turns; what is beyond is made
 * again when it is scrolled to. Kept for all turns, the entries would cost more than the texts of a chat.
 */
export const KEPT_TURNS = 256;

/** In the order of their last use. */
const ofEnded = new Map<Turn, TurnEntries>();
/** Of the running turn, which is a new object with every piece. */
let ofLive: TurnEntries | null = null;

/** The entries of a chat: two for each turn, then the messages that wait. `offer` stands under the last answer that ended. */
export function transcriptEntries(chat: ChatState, offer: string | null = null): EntryList {
  const { done, live, queue, unfolded, dropped } = chat;
  const left = dropped.length === 0 ? null : leftOut(dropped);
  const after: TranscriptEntry[] = live ? [...liveEntries(live, unfolded.has(live.id))] : [];
  const first = live === null && done.length === 0 ? 'the model' : 'the answer above';
  for (const [i, text] of queue.entries())
    after.push(waitingEntry(text, i, i === 0 ? first : 'the answer above'));
  return {
    length: 2 * done.length + after.length,
    at(index) {
      const turn = done[index >> 1];
      if (!turn) return after[index - 2 * done.length];
      const last = index >> 1 === done.length - 1;
      const struck = left?.has(turn.id) === true;
      return endedEntries(turn, unfolded.has(turn.id), struck, last ? offer : null)[index % 2 === 0 ? 0 : 1];
    },
  };
}

/** Turns whose entries are held, for tests. */
export function turnsHeld(): number {
  return ofEnded.size;
}

let lastLeftOut: { readonly dropped: readonly string[]; readonly ids: ReadonlySet<string> } | null = null;

/** The same set for the same list: it is asked for with every frame. */
function leftOut(dropped: readonly string[]): ReadonlySet<string> {
  if (lastLeftOut?.dropped !== dropped) lastLeftOut = { dropped, ids: new Set(dropped) };
  return lastLeftOut.ids;
}

function endedEntries(
  turn: Turn,
  unfolded: boolean,
  struck: boolean,
  offer: string | null,
): TurnEntries['entries'] {
  const known = ofEnded.get(turn);
  if (known) ofEnded.delete(turn);
  const made =
    known?.unfolded === unfolded && known.struck === struck && known.offer === offer
      ? known
      : { turn, unfolded, struck, offer, entries: entriesOf(turn, unfolded, struck, offer) };
  ofEnded.set(turn, made);
  const [oldest] = ofEnded.size > KEPT_TURNS ? ofEnded.keys() : [];
  if (oldest) ofEnded.delete(oldest);
  return made.entries;
}

function liveEntries(turn: Turn, unfolded: boolean): TurnEntries['entries'] {
  const before = ofLive;
  if (before?.turn === turn && before.unfolded === unfolded) return before.entries;
  // With every piece of the answer comes a new turn; its question stays what it was.
  const goesOn = before?.turn.id === turn.id && before.turn.prompt === turn.prompt;
  const question = goesOn ? before.entries[0] : questionOf(turn, false);
  const entries = [question, answerOf(turn, unfolded, false, null, question.time)] as const;
  ofLive = { turn, unfolded, struck: false, offer: null, entries };
  return entries;
}

function entriesOf(
  turn: Turn,
  unfolded: boolean,
  struck: boolean,
  offer: string | null,
): TurnEntries['entries'] {
  const question = questionOf(turn, struck);
  return [question, answerOf(turn, unfolded, struck, offer, question.time)];
}

function questionOf(turn: Turn, struck: boolean): TranscriptEntry {
  return {
    id: `${turn.id}?`,
    role: 'user',
    label: 'you',
    time: formatClock(turn.askedAt),
    thinking: null,
    text: promptText(turn),
    running: false,
    struck,
    footers: NO_FOOTERS,
  };
}

let lastPrompt: { readonly id: string; readonly prompt: string; readonly text: GrowingText } | null = null;

/** The text object of a prompt stays the same while its answer grows and when it ends, so its rows are wrapped once. */
function promptText({ id, prompt, outcome }: Turn): GrowingText {
  if (lastPrompt?.id === id && lastPrompt.prompt === prompt) return lastPrompt.text;
  const text = textOf(prompt);
  if (outcome === null) lastPrompt = { id, prompt, text };
  return text;
}

function answerOf(
  turn: Turn,
  unfolded: boolean,
  struck: boolean,
  offer: string | null,
  time: string,
): TranscriptEntry {
  return {
    id: turn.id,
    role: 'assistant',
    label: labelOf(turn),
    time,
    thinking:
      turn.thinking.length === 0
        ? null
        : { summary: thinkingSummary(turn), open: unfolded, text: turn.thinking },
    text: turn.answer,
    running: turn.outcome === null,
    struck,
    footers: footersOf(turn, offer),
  };
}

/** Who answers, and in whose place. */
function labelOf({ answeredBy, modelLabel, fellBackFrom }: Turn): string {
  const name = answeredBy ?? modelLabel;
  const first = fellBackFrom[0];
  return first ? `${name} in place of ${first.modelLabel}` : name;
}

function thinkingSummary(turn: Turn): string {
  const began = turn.phases.find((p) => p.phase === 'thinking')?.mono;
  const ended = turn.phases.find((p) => p.phase === 'answering')?.mono ?? turn.endedMono;
  if (began === undefined) return 'thought';
  return ended === null || ended === undefined ? 'thinking' : `thought ${formatDuration(ended - began)}`;
}

function waitingEntry(text: string, index: number, waitsFor: string): TranscriptEntry {
  return {
    id: `waiting-${index}-${text.length}`,
    role: 'user',
    label: 'you, next',
    time: '',
    thinking: null,
    text: text === '' ? EMPTY_TEXT : textOf(text),
    running: false,
    struck: false,
    footers: [{ text: `waits for ${waitsFor} · Up takes it back`, token: 'muted' }],
  };
}
