import { describe, expect, it } from '@jest/globals';
import { NO_USAGE, type Turn } from '../../../src/domain/chat.js';
import {
  countContext,
  DEFAULT_BYTES_PER_TOKEN,
  learnRatio,
  MESSAGE_TOKENS,
  messageTokens,
  weightOf,
  type Conversation,
} from '../../../src/domain/context-estimate.js';
import { textOf } from '../../../src/domain/text.js';
import { completed, turnWith } from '../../support/turns.js';

const MODEL = 'ollama@a/small';
const DEFAULT = 1 / DEFAULT_BYTES_PER_TOKEN;

interface Told {
  readonly prompt?: number;
  readonly answer?: number;
}

/** A turn with texts of so many bytes, and what the server told of it. */
function turn(id: string, prompt: number, answer: number, told: Told = {}, more: Partial<Turn> = {}): Turn {
  return completed(
    turnWith({
      id,
      modelKey: MODEL,
      prompt: 'p'.repeat(prompt),
      answer: textOf('a'.repeat(answer)),
      usage: { ...NO_USAGE, promptTokens: told.prompt ?? null, answerTokens: told.answer ?? null },
      ...more,
    }),
  );
}

const chat = (turns: readonly Turn[], more: Partial<Conversation> = {}): Conversation => ({
  turns,
  dropped: [],
  system: '',
  modelKey: MODEL,
  ...more,
});

describe('the weight of a text', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['Größe', 7],
    ['日本', 6],
    ['👍', 4],
  ])('of %j is its bytes in UTF-8: %i', (text, bytes) => {
    expect(weightOf(text)).toBe(bytes);
    expect(weightOf(text)).toBe(Buffer.byteLength(text));
  });

  it('of a huge text comes from its first part', () => {
    expect(weightOf('x'.repeat(5_000_000))).toBe(5_000_000);
    expect(weightOf('日'.repeat(1_000_000))).toBe(3_000_000);
  });
});

describe('the tokens of a conversation', () => {
  it('before any real count come from the bytes by the default ratio', () => {
    const { tokens, tokensPerByte } = countContext(chat([turn('1', 360, 720)], { system: 's'.repeat(36) }));
    expect(tokensPerByte).toBeCloseTo(DEFAULT);
    expect(tokens).toBeCloseTo((360 + 720 + 36) / DEFAULT_BYTES_PER_TOKEN + 3 * MESSAGE_TOKENS);
  });

  it('are the last real count of prompt and answer, and what came after it', () => {
    const counted = turn('1', 360, 720, { prompt: 500, answer: 180 });
    const { tokens, tokensPerByte } = countContext(chat([counted]));
    expect(tokens).toBe(680);
    const later = countContext(chat([counted, turn('2', 100, 200)]));
    expect(later.tokens).toBeCloseTo(680 + 300 * tokensPerByte + 2 * MESSAGE_TOKENS);
  });

  it('hold no thinking: it is not sent again', () => {
    const thought = turn('1', 100, 300, { prompt: 200, answer: 400 }, { thinking: textOf('t'.repeat(900)) });
    expect(countContext(chat([thought])).tokens).toBe(300);
  });

  it('are not based on a question without an answer, which is not sent again', () => {
    const failed = turn('2', 360, 0, { prompt: 900, answer: 0 });
    const { tokens } = countContext(chat([turn('1', 360, 720, { prompt: 500, answer: 200 }), failed]));
    expect(tokens).toBeLessThan(900 - 80);
    expect(tokens).toBeGreaterThan(700);
  });

  it('are not based on the count of another model or of a turn that was cut', () => {
    const bytes = countContext(chat([turn('1', 360, 720)])).tokens;
    const foreign = turn('1', 360, 720, { prompt: 5000, answer: 10 }, { modelKey: 'other' });
    expect(countContext(chat([foreign])).tokens).toBeCloseTo(bytes);
    const cut = turn('1', 360, 720, { prompt: 5000 }, { truncation: { messages: 1, tokens: 9, source: '' } });
    expect(countContext(chat([cut])).tokens).toBeCloseTo(bytes);
  });

  it('are less by the turns that are left out since the count, and not twice by those left out before it', () => {
    const first = turn('1', 360, 720, { prompt: 200, answer: 200 });
    const second = turn('2', 360, 720, { prompt: 700, answer: 200 });
    const all = countContext(chat([first, second]));
    const less = countContext(chat([first, second], { dropped: ['1'] }));
    expect(all.tokens - less.tokens).toBeCloseTo(1080 * all.tokensPerByte + 2 * MESSAGE_TOKENS);
    const later = turn('2', 360, 720, { prompt: 700, answer: 200 }, { droppedTurns: ['1'] });
    expect(countContext(chat([first, later], { dropped: ['1'] })).tokens).toBe(900);
  });

  it('come from the bytes when the server left out of its count what it had cached', () => {
    const long = turn('1', 3600, 7200, { prompt: 1100, answer: 2000 });
    const onlyNew = turn('2', 36, 36, { prompt: 15, answer: 10 });
    expect(countContext(chat([long, onlyNew])).tokens).toBeGreaterThan(2500);
  });
});

describe('the ratio of tokens and bytes', () => {
  it('is learned from what the model wrote', () => {
    // Two bytes a token.
    const ratio = learnRatio([turn('1', 20, 20_000, { answer: 10_000 })], MODEL);
    expect(ratio).toBeGreaterThan(0.48);
    expect(ratio).toBeLessThan(0.5);
  });

  it('is learned from how prompts grow, which is what the user pastes', () => {
    const turns = [turn('1', 10, 10, { prompt: 30 }), turn('2', 20_000, 10, { prompt: 10_055 })];
    expect(learnRatio(turns, MODEL)).toBeCloseTo(0.5, 1);
  });

  it('is not moved far by an answer of a few bytes, nor at all by counts that cannot be of the text', () => {
    expect(learnRatio([turn('1', 2, 3, { prompt: 30, answer: 3 })], MODEL)).toBeCloseTo(DEFAULT, 1);
    expect(learnRatio([turn('1', 2, 300, { answer: 9000 })], MODEL)).toBeCloseTo(DEFAULT);
    expect(learnRatio([turn('1', 2, 9000, { answer: 1 })], MODEL)).toBeCloseTo(DEFAULT);
  });

  it('of an answer that was gone on with counts the tokens of all its runs', () => {
    const earlier = { runs: 1, pieces: 0, answerTokens: 9000, ms: 0 };
    const goneOn = turn('1', 20, 20_000, { answer: 1000 }, { earlier });
    expect(learnRatio([goneOn], MODEL)).toBeCloseTo(0.5, 1);
    const untold = { ...goneOn, earlier: { ...earlier, answerTokens: null } };
    expect(learnRatio([untold], MODEL)).toBeCloseTo(DEFAULT);
  });

  it('is that of one model: another one has other tokens', () => {
    expect(learnRatio([turn('1', 20, 20_000, { answer: 10_000 })], 'other')).toBeCloseTo(DEFAULT);
  });
});

it('a message takes the tokens of its text and its place in the template', () => {
  expect(messageTokens('x'.repeat(40), 0.25)).toBe(10 + MESSAGE_TOKENS);
});
