import type { EntryList, TranscriptEntry } from '../../widgets/chat-transcript.js';
import { formatClock, formatCount, formatDuration, formatSpeed } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import type { Truncation, Turn } from '../domain/chat.js';
import { EMPTY_TEXT, textOf, type GrowingText } from '../domain/text.js';
import type { ChatState } from '../state/state.js';
import { speedOf } from './figures.js';

type Footer = TranscriptEntry['footers'][number];

interface TurnEntries {
  readonly turn: Turn;
  readonly unfolded: boolean;
  readonly struck: boolean;
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

/** The entries of a chat: two for each turn, then the messages that wait. */
export function transcriptEntries(chat: ChatState): EntryList {
  const { done, live, queue, unfolded, dropped } = chat;
  const left = dropped.length === 0 ? null : leftOut(dropped);
  const after: TranscriptEntry[] = live ? [...liveEntries(live, unfolded.has(live.id))] : [];
  for (const [i, text] of queue.entries()) after.push(waitingEntry(text, i));
  return {
    length: 2 * done.length + after.length,
    at(index) {
      const turn = done[index >> 1];
      if (!turn) return after[index - 2 * done.length];
      return endedEntries(turn, unfolded.has(turn.id), left?.has(turn.id) === true)[index % 2 === 0 ? 0 : 1];
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

function endedEntries(turn: Turn, unfolded: boolean, struck: boolean): TurnEntries['entries'] {
  const known = ofEnded.get(turn);
  if (known) ofEnded.delete(turn);
  const made =
    known?.unfolded === unfolded && known.struck === struck
      ? known
      : { turn, unfolded, struck, entries: entriesOf(turn, unfolded, struck) };
  ofEnded.set(turn, made);
  const [oldest] = ofEnded.size > KEPT_TURNS ? ofEnded.keys() : [];
  if (oldest) ofEnded.delete(oldest);
  return made.entries;
}

function liveEntries(turn: Turn, unfolded: boolean): TurnEntries['entries'] {
  if (ofLive?.turn !== turn || ofLive.unfolded !== unfolded)
    ofLive = { turn, unfolded, struck: false, entries: entriesOf(turn, unfolded, false) };
  return ofLive.entries;
}

function entriesOf(turn: Turn, unfolded: boolean, struck: boolean): TurnEntries['entries'] {
  return [questionOf(turn, struck), answerOf(turn, unfolded, struck)];
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

const NO_FOOTERS: readonly Footer[] = [];
let lastPrompt: { readonly id: string; readonly prompt: string; readonly text: GrowingText } | null = null;

/** The text object of a prompt stays the same while its answer grows and when it ends, so its rows are wrapped once. */
function promptText({ id, prompt, outcome }: Turn): GrowingText {
  if (lastPrompt?.id === id && lastPrompt.prompt === prompt) return lastPrompt.text;
  const text = textOf(prompt);
  if (outcome === null) lastPrompt = { id, prompt, text };
  return text;
}

function answerOf(turn: Turn, unfolded: boolean, struck: boolean): TranscriptEntry {
  return {
    id: turn.id,
    role: 'assistant',
    label: turn.answeredBy ?? turn.modelLabel,
    time: formatClock(turn.askedAt),
    thinking:
      turn.thinking.length === 0
        ? null
        : { summary: thinkingSummary(turn), open: unfolded, text: turn.thinking },
    text: turn.answer,
    running: turn.outcome === null,
    struck,
    footers: footersOf(turn),
  };
}

function thinkingSummary(turn: Turn): string {
  const began = turn.phases.find((p) => p.phase === 'thinking')?.mono;
  const ended = turn.phases.find((p) => p.phase === 'answering')?.mono ?? turn.endedMono;
  if (began === undefined) return 'thought';
  return ended === null || ended === undefined ? 'thinking' : `thought ${formatDuration(ended - began)}`;
}

/** What is said under an answer: how it ended with the next step, its figures, notes. */
function footersOf(turn: Turn): readonly Footer[] {
  if (turn.outcome === null && turn.notes.length === 0 && !turn.truncation) return NO_FOOTERS;
  const footers: Footer[] = [];
  const add = (text: string, token: Token): void => void footers.push({ text, token });
  for (const note of turn.notes) add(note, 'muted');
  if (turn.answeredBy !== null && turn.answeredBy !== turn.modelLabel)
    add(`asked was ${turn.modelLabel}`, 'muted');
  if (turn.truncation)
    add(`the model did not see ${unreadText(turn.truncation)}: ${turn.truncation.source}`, 'warn');
  switch (turn.outcome) {
    case 'cancelled':
      add('stopped by you · r asks again', 'warn');
      break;
    case 'incomplete':
      add('the stream ended without an end mark: this may not be all · r asks again', 'warn');
      break;
    case 'interrupted':
      add('interrupted: lmapp ended while this was written · r asks again', 'warn');
      break;
    case 'broken':
    case 'failed':
      add(`${turn.outcome}: ${turn.fault?.message ?? 'no reason was given'}`, 'bad');
      add(turn.fault?.hint ?? 'r asks again.', 'muted');
      break;
    case 'complete':
      if (turn.endReason === 'length')
        add('stopped at the length limit or at the end of the context', 'warn');
      else if (turn.answer.length === 0 && turn.thinking.length > 0)
        add('the budget was used up by thinking, before an answer came', 'warn');
      else if (turn.answer.length === 0) add('empty answer', 'warn');
      else if (turn.endReason !== null && turn.endReason !== 'stop') add(`ended: ${turn.endReason}`, 'muted');
      break;
    case null:
      break;
  }
  const figures = figuresOfTurn(turn);
  if (turn.outcome !== null && figures.length > 0) add(figures.join(' · '), 'muted');
  return footers;
}

/** What was left unread, as far as it is known: `≈ 1,900 tokens, about the 6 oldest messages`. No server tells these tokens, so they are estimates. */
export function unreadText({ messages, tokens }: Truncation): string {
  if (tokens === null) return messages === null ? 'a part of the chat' : oldestMessages(messages);
  return `≈ ${formatCount(tokens)} tokens${messages === null ? '' : `, about ${oldestMessages(messages)}`}`;
}

function oldestMessages(count: number): string {
  return count === 1 ? 'the oldest message' : `the ${formatCount(count)} oldest messages`;
}

/** `312 tok`, `41.2 tok/s`, `first after 812 ms`, `7.6 s`; what is our own count has a ≈. */
export function figuresOfTurn(turn: Turn): readonly string[] {
  if (turn.firstTokenMono === null || turn.endedMono === null) return [];
  const tokens = turn.usage.answerTokens;
  const parts = [
    tokens !== null
      ? `${formatCount(tokens)} tok`
      : turn.pieces > 0
        ? `≈ ${formatCount(turn.pieces)} tok`
        : '',
    speedText(turn),
    `first after ${formatDuration(turn.firstTokenMono - turn.startedMono)}`,
    formatDuration(turn.endedMono - turn.startedMono),
  ];
  return parts.filter((p) => p !== '');
}

function speedText(turn: Turn): string {
  const speed = speedOf(turn, turn.pieces, turn.endedMono ?? 0);
  if (speed.perSecond === null) return '';
  return `${speed.estimated ? '≈ ' : ''}${formatSpeed(speed.perSecond)}`;
}

function waitingEntry(text: string, index: number): TranscriptEntry {
  return {
    id: `waiting-${index}-${text.length}`,
    role: 'user',
    label: 'you, next',
    time: '',
    thinking: null,
    text: text === '' ? EMPTY_TEXT : textOf(text),
    running: false,
    struck: false,
    footers: [{ text: 'waits for the answer above · Up takes it back', token: 'muted' }],
  };
}
