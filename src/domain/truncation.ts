import type { Truncation, Turn } from './chat.js';
import {
  countContext,
  isSent,
  messageTokens,
  turnTokens,
  type ContextCount,
  type Conversation,
} from './context-estimate.js';

/**
 * Signs that a server read only a part of what it was sent, for servers that cut without a word. A claim needs evidence that a wrong
 * estimate or a count of another kind cannot give.
 */

/** A smaller conversation is too short to tell a cut from an estimate that is off. */
const LEAST_TOKENS = 400;
/** A count below this share of the estimate is a sign by itself. */
const FAR_BELOW = 0.6;
/** A count that fell is a sign when at least this much of the estimate is missing: some templates leave a few marks out later. */
const LEAST_MISSING = 0.9;
/** An estimate below this share of the context leaves no reason to cut. */
const ROOMY = 0.75;
/** Counts between these shares of the new message alone are of what was not cached (older Ollama), not of all that was read. */
const ONLY_NEW = { least: 0.4, most: 1.6, marginTokens: 40 } as const;

/**
 * What the model did not see in a turn that has just ended. `before` is the conversation in front of it; `allocated` in tokens, null when
 * it is not told. Null: nothing speaks for a cut.
 */
export function findTruncation(
  ended: Turn,
  before: Conversation,
  allocated: number | null,
): Truncation | null {
  const counted = ended.usage.promptTokens;
  if (counted === null) return null;
  const { count, alone, expected } = expectedOf(ended, before);
  if (expected < LEAST_TOKENS || counted >= expected) return null;
  if (allocated !== null && expected < allocated * ROOMY) return null;
  if (isOfNewOnly(counted, alone, expected)) return null;
  const told = before.turns.findLast((t) => t.modelKey === ended.modelKey && t.usage.promptTokens !== null);
  const earlier = told?.usage.promptTokens ?? null;
  const sameTurns = told?.droppedTurns.length === ended.droppedTurns.length;
  const fell = earlier !== null && sameTurns && counted < earlier && counted < expected * LEAST_MISSING;
  if (!fell && counted >= expected * FAR_BELOW) return null;
  const tokens = Math.round(expected - counted);
  return {
    messages: messagesIn(tokens, before, count),
    tokens,
    source: fell
      ? `prompt tokens fell from ${earlier} to ${counted} though the chat grew`
      : `${counted} prompt tokens were read of some ${Math.round(expected)} sent`,
  };
}

/** A cut that the server's figures betray, with how much it is by our own count; left out where that tells nothing. */
export function withUnread(found: Truncation, ended: Turn, before: Conversation): Truncation {
  const counted = ended.usage.promptTokens;
  if (counted === null || found.tokens !== null || found.messages !== null) return found;
  const { count, expected } = expectedOf(ended, before);
  if (counted >= expected * LEAST_MISSING) return found;
  const tokens = Math.round(expected - counted);
  return { ...found, tokens, messages: messagesIn(tokens, before, count) };
}

/** What a turn should have been counted as. */
function expectedOf(
  ended: Turn,
  before: Conversation,
): { readonly count: ContextCount; readonly alone: number; readonly expected: number } {
  const count = countContext(before);
  const alone = messageTokens(ended.prompt, count.tokensPerByte);
  return { count, alone, expected: count.tokens + alone };
}

function isOfNewOnly(counted: number, alone: number, expected: number): boolean {
  if (alone > expected * FAR_BELOW) return false;
  return counted >= alone * ONLY_NEW.least && counted <= alone * ONLY_NEW.most + ONLY_NEW.marginTokens;
}

/** How many of the oldest messages make up so many tokens; null when it is less than the oldest one. */
function messagesIn(tokens: number, before: Conversation, count: ContextCount): number | null {
  let messages = 0;
  let left = tokens;
  for (const turn of before.turns) {
    if (!isSent(turn) || before.dropped.includes(turn.id)) continue;
    const question = messageTokens(turn.prompt, count.tokensPerByte);
    if (left < question) break;
    left -= question;
    messages++;
    const answer = turnTokens(turn, count.tokensPerByte) - question;
    if (left < answer) break;
    left -= answer;
    messages++;
  }
  return messages > 0 ? messages : null;
}
