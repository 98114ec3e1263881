import { describe, expect, it } from '@jest/globals';
import { NO_USAGE, type Turn } from '../../../src/domain/chat.js';
import { NO_SAMPLING } from '../../../src/domain/sampling.js';
import { emptyChat } from '../../../src/state/state.js';
import { speedOf } from '../../../src/tui/figures.js';
import { transcriptEntries } from '../../../src/tui/transcript-entries.js';
import { figuresOfTurn } from '../../../src/tui/turn-footers.js';
import { answering, completed, thinking, turnWith } from '../../support/turns.js';

const ended = (change: Partial<Turn> = {}): Turn =>
  turnWith({
    firstTokenMono: 600,
    endedMono: 1600,
    pieces: 11,
    outcome: 'complete',
    endReason: 'stop',
    ...change,
  });

const footersOf = (turn: Turn): string[] => {
  const entries = transcriptEntries({ ...emptyChat('x'), done: [turn] });
  return entries.at(entries.length - 1)?.footers.map((f) => f.text) ?? [];
};

describe('the speed of an answer', () => {
  it('is the figure of the server when it tells one', () => {
    expect(speedOf(ended({ usage: { ...NO_USAGE, answerPerSecond: 41.2 } }), 11, 0)).toEqual({
      perSecond: 41.2,
      estimated: false,
    });
  });

  it('is else counted from the tokens or pieces after the first, and marked', () => {
    expect(speedOf(ended({ usage: { ...NO_USAGE, answerTokens: 21 } }), 11, 0)).toEqual({
      perSecond: 20,
      estimated: true,
    });
    expect(speedOf(ended(), 11, 0)).toEqual({ perSecond: 10, estimated: true });
  });

  it('is not known before the first token, of one token, or over a moment', () => {
    expect(speedOf(ended({ firstTokenMono: null }), 11, 0).perSecond).toBeNull();
    expect(speedOf(ended(), 1, 0).perSecond).toBeNull();
    expect(speedOf(ended({ endedMono: 700 }), 11, 0).perSecond).toBeNull();
    expect(speedOf(ended({ usage: { ...NO_USAGE, answerPerSecond: Infinity } }), 11, 0).perSecond).toBe(10);
  });
});

describe('the figures of an answer', () => {
  it('are the told ones, else our count with a sign', () => {
    expect(
      figuresOfTurn(ended({ usage: { ...NO_USAGE, answerTokens: 312, answerPerSecond: 41.2 } })),
    ).toEqual(['312 tok', '41.2 tok/s', 'first after 500 ms', '1.5 s']);
    expect(figuresOfTurn(ended())).toEqual(['≈ 11 tok', '≈ 10.0 tok/s', 'first after 500 ms', '1.5 s']);
  });

  it('are none while nothing came', () => {
    expect(figuresOfTurn(turnWith())).toEqual([]);
  });
});

describe('what stands under an answer', () => {
  const fault = {
    code: 'broken',
    message: 'the connection was lost',
    hint: 'Start it again.',
    status: null,
  } as const;

  it.each([
    ['cancelled', null, /^stopped by you .* r asks again$/],
    ['incomplete', null, /without an end mark/],
    ['interrupted', null, /^interrupted: lmapp ended/],
    ['broken', fault, /^broken: the connection was lost$/],
    ['failed', fault, /^failed: the connection was lost$/],
    ['failed', null, /^failed: no reason was given$/],
  ] as const)('says that it was %s', (outcome, why, told) => {
    expect(footersOf(ended({ outcome, fault: why, endReason: null }))[0]).toMatch(told);
  });

  it('says the next step of a fault', () => {
    expect(footersOf(ended({ outcome: 'broken', fault }))[1]).toBe('Start it again.');
  });

  it('says when it ended at the limit, was empty, or was all thought', () => {
    const whole = completed(answering(turnWith(), 'text'));
    expect(footersOf({ ...whole, endReason: 'length' })[0]).toMatch(/length limit/);
    const limited = { ...whole, endReason: 'length', sampling: { ...NO_SAMPLING, maxTokens: 200 } };
    expect(footersOf({ ...limited, usage: { ...NO_USAGE, answerTokens: 200 } })[0]).toBe(
      'cut off at 200 tokens, as maxTokens says · c goes on · r asks again',
    );
    expect(footersOf(completed(turnWith()))[0]).toBe('empty answer');
    expect(footersOf(completed(thinking(turnWith(), 'hm')))[0]).toBe('the model thought, and gave no answer');
    // Its backend has said so already.
    expect(footersOf(completed({ ...turnWith(), notes: ['The answer is empty.'] }))).toEqual([
      'The answer is empty.',
    ]);
    expect(footersOf(whole)).toEqual([]);
  });

  it('names the model that was asked when another one answered', () => {
    expect(footersOf(completed({ ...answering(turnWith(), 'x'), answeredBy: 'other' }))).toContain(
      'asked was qwen3:8b',
    );
  });
});
