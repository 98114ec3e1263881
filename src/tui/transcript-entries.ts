import type { TranscriptEntry } from '../../widgets/chat-transcript.js';
import { formatClock, formatCount, formatDuration, formatSpeed } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import type { Turn } from '../domain/chat.js';
import { EMPTY_TEXT, textOf, type GrowingText } from '../domain/text.js';
import type { ChatState } from '../state/state.js';
import { speedOf } from './figures.js';

type Footer = TranscriptEntry['footers'][number];

const ofTurn = new WeakMap<Turn, { readonly unfolded: boolean; readonly entries: readonly TranscriptEntry[] }>();
let lastDone: { readonly turns: readonly Turn[]; readonly unfolded: ReadonlySet<string>; readonly entries: readonly TranscriptEntry[] } | null = null;

/** The entries of a chat: two for each turn, those of ended turns made once, then the messages that wait. */
export function transcriptEntries(chat: ChatState): readonly TranscriptEntry[] {
  if (lastDone?.turns !== chat.done || lastDone.unfolded !== chat.unfolded)
    lastDone = { turns: chat.done, unfolded: chat.unfolded, entries: chat.done.flatMap((turn) => entriesOf(turn, chat)) };
  if (!chat.live && chat.queue.length === 0) return lastDone.entries;
  const live = chat.live ? entriesOf(chat.live, chat) : [];
  const waiting = chat.queue.map((text, i) => waitingEntry(text, i));
  return [...lastDone.entries, ...live, ...waiting];
}

function entriesOf(turn: Turn, chat: ChatState): readonly TranscriptEntry[] {
  const unfolded = chat.unfolded.has(turn.id);
  const known = ofTurn.get(turn);
  if (known && known.unfolded === unfolded) return known.entries;
  const entries = [questionOf(turn), answerOf(turn, unfolded)];
  ofTurn.set(turn, { unfolded, entries });
  return entries;
}

function questionOf(turn: Turn): TranscriptEntry {
  return {
    id: `${turn.id}?`,
    role: 'user',
    label: 'you',
    time: formatClock(turn.askedAt),
    thinking: null,
    text: promptText(turn),
    running: false,
    footers: NO_FOOTERS,
  };
}

const NO_FOOTERS: readonly Footer[] = [];
const promptOf = new WeakMap<object, GrowingText>();

/** The text object of a prompt stays the same while its answer grows (its first phase does too), so its rows are wrapped once. */
function promptText(turn: Turn): GrowingText {
  const owner = turn.phases[0];
  if (!owner) return textOf(turn.prompt);
  const text = promptOf.get(owner) ?? textOf(turn.prompt);
  promptOf.set(owner, text);
  return text;
}

function answerOf(turn: Turn, unfolded: boolean): TranscriptEntry {
  return {
    id: turn.id,
    role: 'assistant',
    label: turn.answeredBy ?? turn.modelLabel,
    time: formatClock(turn.askedAt),
    thinking: turn.thinking.length === 0 ? null : { summary: thinkingSummary(turn), open: unfolded, text: turn.thinking },
    text: turn.answer,
    running: turn.outcome === null,
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
  if (turn.outcome === null && turn.notes.length === 0) return NO_FOOTERS;
  const footers: Footer[] = [];
  const add = (text: string, token: Token): void => void footers.push({ text, token });
  for (const note of turn.notes) add(note, 'muted');
  if (turn.answeredBy !== null && turn.answeredBy !== turn.modelLabel) add(`asked was ${turn.modelLabel}`, 'muted');
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
      if (turn.endReason === 'length') add('stopped at the length limit or at the end of the context', 'warn');
      else if (turn.answer.length === 0 && turn.thinking.length > 0) add('the budget was used up by thinking, before an answer came', 'warn');
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

/** `312 tok`, `41.2 tok/s`, `first after 812 ms`, `7.6 s`; what is our own count has a ≈. */
export function figuresOfTurn(turn: Turn): readonly string[] {
  if (turn.firstTokenMono === null || turn.endedMono === null) return [];
  const tokens = turn.usage.answerTokens;
  const parts = [
    tokens !== null ? `${formatCount(tokens)} tok` : turn.pieces > 0 ? `≈ ${formatCount(turn.pieces)} tok` : '',
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
    footers: [{ text: 'waits for the answer above · Up takes it back', token: 'muted' }],
  };
}
