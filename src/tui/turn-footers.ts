import type { TranscriptEntry } from '../../widgets/chat-transcript.js';
import { formatCount, formatDuration, formatSpeed } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import type { Truncation, Turn } from '../domain/chat.js';
import { isToldEmpty } from '../domain/empty-answer.js';
import { lengthText } from '../domain/sampling.js';
import { canContinue } from '../state/continue.js';
import { speedOf } from './figures.js';

type Footer = TranscriptEntry['footers'][number];

export const NO_FOOTERS: readonly Footer[] = [];

/** What is said under an answer: how it ended with the next step, its figures, notes. */
export function footersOf(turn: Turn, offer: string | null): readonly Footer[] {
  const quiet = turn.notes.length === 0 && !turn.truncation && turn.fellBackFrom.length === 0;
  if (turn.outcome === null && quiet) return NO_FOOTERS;
  const footers: Footer[] = [];
  const add = (text: string, token: Token): void => void footers.push({ text, token });
  for (const text of fallBackText(turn)) add(text, 'warn');
  for (const note of turn.notes) add(note, 'muted');
  if (turn.answeredBy !== null && turn.answeredBy !== turn.modelLabel)
    add(`asked was ${turn.modelLabel}`, 'muted');
  if (turn.truncation)
    add(`the model did not see ${unreadText(turn.truncation)}: ${turn.truncation.source}`, 'warn');
  switch (turn.outcome) {
    case 'cancelled':
      add(`stopped by you${aftermathText(turn.aftermath)} · ${nextSteps(turn)}`, 'warn');
      break;
    case 'incomplete':
      add(`the stream ended without an end mark: this may not be all · ${nextSteps(turn)}`, 'warn');
      break;
    case 'interrupted':
      add(`interrupted: lmapp ended while this was written · ${nextSteps(turn)}`, 'warn');
      break;
    case 'broken':
    case 'failed':
      add(`${turn.outcome}: ${turn.fault?.message ?? 'no reason was given'}`, 'bad');
      add(turn.fault?.hint ?? `${nextSteps(turn)}.`, 'muted');
      if (turn.fault?.hint && canContinue(turn)) add(nextSteps(turn), 'muted');
      break;
    case 'complete':
      if (turn.endReason === 'length')
        add(`${lengthText(turn.sampling, turn.usage, turn.earlier !== null)} · ${nextSteps(turn)}`, 'warn');
      // A note of its backend says that already.
      else if (turn.answer.length === 0 && isToldEmpty(turn.notes)) break;
      else if (turn.answer.length === 0 && turn.thinking.length > 0)
        add('the model thought, and gave no answer', 'warn');
      else if (turn.answer.length === 0) add('empty answer', 'warn');
      else if (turn.endReason !== null && turn.endReason !== 'stop') add(`ended: ${turn.endReason}`, 'muted');
      break;
    case null:
      break;
  }
  if (offer !== null) add(offer, 'accent');
  const figures = figuresOfTurn(turn);
  if (turn.outcome !== null && figures.length > 0) add(figures.join(' · '), 'muted');
  return footers;
}

/** The keys of the transcript that help. */
function nextSteps(turn: Turn): string {
  return canContinue(turn) ? 'c goes on · r asks again' : 'r asks again';
}

/** Who answered, and why not the one that was asked; one line for each that could not. */
function fallBackText({ fellBackFrom, modelLabel, answeredBy, answer, thinking }: Turn): readonly string[] {
  const spoke = answer.length > 0 || thinking.length > 0;
  return fellBackFrom.map(({ modelLabel: asked, backendTitle, fault }, i) => {
    const who =
      i > 0 ? '' : spoke ? `answered by ${answeredBy ?? modelLabel}: ` : `${modelLabel} was asked: `;
    return `${who}${asked} on ${backendTitle} could not start (${fault.message.replace(/\.$/, '')})`;
  });
}

/** What is known of the server after the stop; nothing is claimed that was not seen. */
function aftermathText(aftermath: Turn['aftermath']): string {
  const source = aftermath?.source ? ` (${aftermath.source})` : '';
  switch (aftermath?.state) {
    case 'idle':
      return `, and the server is idle${source}`;
    case 'working':
      return `, but the server is still working${source}`;
    case 'unknown':
      // Of a server that does not tell nothing is said here; the details of the answer do.
      return source === '' ? '' : ', but the server was not seen idle';
    default:
      return '';
  }
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
  const tokens = tokensOf(turn);
  const parts = [
    tokens !== null
      ? `${formatCount(tokens)} tok`
      : turn.pieces > 0
        ? `≈ ${formatCount(turn.pieces)} tok`
        : '',
    speedText(turn),
    `first after ${formatDuration(turn.firstTokenMono - turn.startedMono)}`,
    formatDuration((turn.earlier?.ms ?? 0) + turn.endedMono - turn.startedMono),
  ];
  return parts.filter((p) => p !== '');
}

function speedText(turn: Turn): string {
  const speed = speedOf(turn, turn.pieces, turn.endedMono ?? 0);
  if (speed.perSecond === null) return '';
  return `${speed.estimated ? '≈ ' : ''}${formatSpeed(speed.perSecond)}`;
}

/** Of all runs; null when one of them was not told. */
function tokensOf({ usage, earlier }: Turn): number | null {
  if (usage.answerTokens === null || earlier === null) return usage.answerTokens;
  return earlier.answerTokens === null ? null : earlier.answerTokens + usage.answerTokens;
}
