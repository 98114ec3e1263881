import { describe, expect, it } from '@jest/globals';
import { NO_USAGE, type Truncation, type Turn } from '../../../src/domain/chat.js';
import type { Conversation } from '../../../src/domain/context-estimate.js';
import { textOf } from '../../../src/domain/text.js';
import { findTruncation, withUnread } from '../../../src/domain/truncation.js';
import { completed, turnWith } from '../../support/turns.js';

const MODEL = 'server/model';

/** 3.6 bytes a token, as the default has it. */
function turn(
  id: string,
  promptTokens: number | null,
  own = 100,
  answer = 400,
  more: Partial<Turn> = {},
): Turn {
  return completed(
    turnWith({
      id,
      modelKey: MODEL,
      prompt: 'p'.repeat(own * 3.6),
      answer: textOf('a'.repeat(answer * 3.6)),
      usage: { ...NO_USAGE, promptTokens, answerTokens: answer },
      ...more,
    }),
  );
}

const before = (...turns: readonly Turn[]): Conversation => ({
  turns,
  dropped: [],
  system: '',
  modelKey: MODEL,
});

/** Two turns that take 120 + 400 and then 630 + 400 tokens. */
const CHAT = before(turn('1', 120), turn('2', 630));

function found(counted: number | null, allocated: number | null, own = 100): Truncation | null {
  return findTruncation(turn('3', counted, own), CHAT, allocated);
}

describe('a cut that the server does not tell', () => {
  it('is known by a prompt count that falls between turns', () => {
    const truncation = found(600, 1024);
    expect(truncation?.source).toBe('prompt tokens fell from 630 to 600 though the chat grew');
    expect(truncation?.tokens).toBeGreaterThan(500);
    expect(truncation?.tokens).toBeLessThan(560);
    // The first question (some 100) and its answer (some 400).
    expect(truncation?.messages).toBe(2);
  });

  it('is known by a prompt count far below the estimate, of one message that is too long, too', () => {
    const single = findTruncation(turn('1', 1026, 4000), before(), 2048);
    expect(single?.source).toMatch(/^1026 prompt tokens were read of some 40\d\d sent$/);
    expect(single).toMatchObject({ messages: null });
    expect(single?.tokens).toBeGreaterThan(2900);
  });

  it('that the figures of the server betray is measured by our own count', () => {
    const betrayed = { messages: null, tokens: null, source: 'prompt_eval_count is num_ctx/2 + 2' };
    const single = withUnread(betrayed, turn('1', 1026, 4000), before());
    expect(single).toMatchObject({ messages: null, source: betrayed.source });
    expect(single.tokens).toBeGreaterThan(2900);
    const chat = withUnread(betrayed, turn('3', 514), CHAT);
    // Some 630 are missing: a question (100), its answer (400) and the next question.
    expect(chat.messages).toBe(3);
    // Nothing is missing by our count: no figure is made up.
    expect(withUnread(betrayed, turn('3', 1130), CHAT)).toEqual(betrayed);
    expect(withUnread(betrayed, turn('3', null), CHAT)).toEqual(betrayed);
    const told = { ...betrayed, messages: 4 };
    expect(withUnread(told, turn('3', 514), CHAT)).toEqual(told);
  });

  it('is known without the size of the context, by a count that falls', () => {
    expect(found(500, null)?.tokens).toBeGreaterThan(600);
  });

  it.each([
    ['that fits', 1135, 2048],
    ['that fits, where the size is not told', 1135, null],
    ['that is estimated too high by a third', 800, 1024],
    ['in a context with room for all of it', 600, 8192],
    ['that was not counted', null, 1024],
    ['of which only the new tokens were counted, as older servers do', 104, 1024],
  ])('is not claimed of a chat %s', (_name, counted, allocated) => {
    expect(found(counted, allocated)).toBeNull();
  });

  it('is not claimed of a short chat', () => {
    expect(findTruncation(turn('2', 20, 30), before(turn('1', 40, 10, 60)), 128)).toBeNull();
  });

  it('is not claimed when the count fell since turns were left out', () => {
    const less = turn('3', 610, 100, 400, { droppedTurns: ['1'] });
    expect(findTruncation(less, { ...CHAT, dropped: ['1'] }, 1024)).toBeNull();
  });
});
