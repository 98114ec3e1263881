import type { Turn } from './chat.js';
import type { GrowingText } from './text.js';

/**
 * How many tokens a conversation will take, before its server counts them. The last real count of the chat is the base; what came after it
 * is weighed in bytes, by a ratio that is learned from this chat's own real counts.
 */

/** Until a model has told a count: English takes about 4.2 bytes a token, code about 3, other scripts (as UTF-8) 2.5 to 4. */
export const DEFAULT_BYTES_PER_TOKEN = 3.6;
/** What a template puts around each message: its role and marks. Between 3 (GPT) and 7 (Llama 3). */
export const MESSAGE_TOKENS = 5;
/** So many bytes at the default ratio are mixed into what is learned: a first answer of three words is no measure. */
const PRIOR_BYTES = 300;
/** Tokens a byte; beyond these a count is of something else (cached tokens left out, a picture in the prompt). */
const RATIO_LIMITS = { least: 1 / 16, most: 1.5 } as const;
/** Longer texts are weighed by their first part, so that a key in a huge draft costs no more than in a large one. */
const WEIGHED_UNITS = 262_144;
/** A base that is less than this share of what the bytes say did not count all: older Ollama leaves out what it had cached. */
const LEAST_SHARE = 0.5;

/** A conversation as the next request would send it, and the model that gets it. */
export interface Conversation {
  /** Ended turns. */
  readonly turns: readonly Turn[];
  /** Ids of turns that are left out. */
  readonly dropped: readonly string[];
  readonly system: string;
  readonly modelKey: string;
}

/** What the next message comes on top of. Both are estimates, `tokens` mostly of a real count. */
export interface ContextCount {
  readonly tokens: number;
  readonly tokensPerByte: number;
}

/** Bytes of a text in UTF-8. A tokenizer that does not know a sign takes its bytes, so they tell more than characters. */
export function weightOf(text: string): number {
  const units = Math.min(text.length, WEIGHED_UNITS);
  let bytes = units;
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    // Half of a pair is two of its four bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return text.length === units ? bytes : Math.round((bytes / units) * text.length);
}

/** Tokens of one more message with this text. */
export function messageTokens(text: string, tokensPerByte: number): number {
  return weightOf(text) * tokensPerByte + MESSAGE_TOKENS;
}

/** Whether a turn is a part of what is sent: those without an answer are not. */
export function isSent(turn: Turn): boolean {
  return turn.answer.length > 0;
}

/** Tokens of the question and the answer of a turn, as later requests carry them (without the thinking). */
export function turnTokens(turn: Turn, tokensPerByte: number): number {
  const { prompt, answer } = bytesOf(turn);
  return (prompt + answer) * tokensPerByte + 2 * MESSAGE_TOKENS;
}

/** O(turns); for one look at each state of a chat. */
export function countContext(conversation: Conversation): ContextCount {
  const { turns, dropped, system, modelKey } = conversation;
  const tokensPerByte = learnRatio(turns, modelKey);
  const left = new Set(dropped);
  const sent = (from: number): number => {
    let tokens = 0;
    for (const turn of turns.slice(from))
      if (isSent(turn) && !left.has(turn.id)) tokens += turnTokens(turn, tokensPerByte);
    return tokens;
  };
  const weighed = (system === '' ? 0 : messageTokens(system, tokensPerByte)) + sent(0);
  const at = turns.findLastIndex((turn) => isBase(turn, modelKey));
  const base = turns[at];
  if (!base) return { tokens: weighed, tokensPerByte };
  let tokens = carriedBy(base, tokensPerByte) + sent(at + 1);
  // What was left out only after the count was in it.
  for (const turn of turns.slice(0, at + 1))
    if (left.has(turn.id) && isSent(turn) && !base.droppedTurns.includes(turn.id))
      tokens -= turnTokens(turn, tokensPerByte);
  return { tokens: tokens < weighed * LEAST_SHARE ? weighed : tokens, tokensPerByte };
}

/** Its server told how much it read, and it read all. */
function isBase(turn: Turn, modelKey: string): boolean {
  return turn.modelKey === modelKey && turn.usage.promptTokens !== null && turn.truncation === null;
}

/** What a turn with a real count leaves in the next request: all but its thinking. */
function carriedBy(turn: Turn, tokensPerByte: number): number {
  const { prompt, answer, thinking } = bytesOf(turn);
  const read = turn.usage.promptTokens ?? 0;
  if (!isSent(turn)) return Math.max(0, read - prompt * tokensPerByte - MESSAGE_TOKENS);
  const written = turn.usage.answerTokens;
  return read + (written === null ? answer * tokensPerByte : (written * answer) / (answer + thinking));
}

/**
 * Tokens a byte of a model in this chat: from what it wrote (no template is in that), and from how its prompts grew from turn to turn (that
 * has what the user pastes in it).
 */
export function learnRatio(turns: readonly Turn[], modelKey: string): number {
  let bytes = PRIOR_BYTES;
  let tokens = PRIOR_BYTES / DEFAULT_BYTES_PER_TOKEN;
  const learn = (moreTokens: number, moreBytes: number): void => {
    const ratio = moreTokens / moreBytes;
    if (moreBytes <= 0 || ratio < RATIO_LIMITS.least || ratio > RATIO_LIMITS.most) return;
    bytes += moreBytes;
    tokens += moreTokens;
  };
  let before: Turn | null = null;
  for (const turn of turns) {
    if (turn.modelKey !== modelKey) {
      before = null;
      continue;
    }
    const weight = bytesOf(turn);
    const { promptTokens } = turn.usage;
    const written = writtenTokens(turn);
    if (written !== null) learn(written, weight.answer + weight.thinking);
    if (
      before &&
      promptTokens !== null &&
      !turn.earlier &&
      before.droppedTurns.length === turn.droppedTurns.length
    ) {
      const grown = promptTokens - (before.usage.promptTokens ?? 0) - 2 * MESSAGE_TOKENS;
      learn(grown, bytesOf(before).answer + weight.prompt);
    }
    const plain = promptTokens !== null && turn.truncation === null && !turn.earlier;
    before = plain && isSent(turn) ? turn : null;
  }
  return tokens / bytes;
}

/** Of all runs of an answer that was gone on with; null when one of them was not told. */
function writtenTokens({ usage, earlier }: Turn): number | null {
  if (usage.answerTokens === null || earlier?.answerTokens === null) return null;
  return usage.answerTokens + (earlier?.answerTokens ?? 0);
}

interface Bytes {
  readonly prompt: number;
  readonly answer: number;
  readonly thinking: number;
}

/** Ended turns never change, so each is weighed once. */
const weighed = new WeakMap<Turn, Bytes>();

function bytesOf(turn: Turn): Bytes {
  let bytes = weighed.get(turn);
  if (!bytes) {
    bytes = {
      prompt: weightOf(turn.prompt),
      answer: weightOfText(turn.answer),
      thinking: weightOfText(turn.thinking),
    };
    weighed.set(turn, bytes);
  }
  return bytes;
}

function weightOfText(text: GrowingText): number {
  return text.blocks.reduce((sum, block) => sum + weightOf(block), weightOf(text.tail));
}
