import { describe, expect, it } from '@jest/globals';
import { wholeText } from '../../../src/domain/text.js';
import { parseChat } from '../../../src/sessions/read-chat.js';

const lines = (...all: object[]) => all.map((line) => JSON.stringify(line)).join('\n');
const prompt = { t: 'prompt', turn: 'a', at: 5, text: 'Q', modelKey: 'k', model: 'm', backend: 'b' };

describe('parseChat', () => {
  it('joins a piece that was written twice, whole or in part, only once', () => {
    const chat = parseChat(
      'id',
      lines(
        prompt,
        { t: 'delta', turn: 'a', ms: 1, answer: { from: 0, text: 'abc' } },
        { t: 'delta', turn: 'a', ms: 1, answer: { from: 0, text: 'abc' } },
        { t: 'delta', turn: 'a', ms: 2, answer: { from: 1, text: 'bcdef' } },
      ),
    );
    expect(wholeText(chat.turns[0]?.answer ?? { blocks: [], tail: '', length: 0 })).toBe('abcdef');
  });

  it('takes the title from the first question when the header is lost', () => {
    expect(parseChat('id', `{"t":"chat","v":1,"ti\n${lines(prompt)}`)).toMatchObject({
      title: 'Q',
      skippedLines: 1,
    });
  });

  it('survives fields of any type', () => {
    const odd = {
      t: 'end',
      turn: 'a',
      outcome: 7,
      usage: [],
      fault: 'x',
      notes: [1, 'n'],
      phases: [[1], 'x', ['thinking', 2]],
      sources: { answerTokens: 'eval\x1b[2J_count', promptTokens: 1, foreign: 'x' },
      truncation: { messages: 'x', tokens: 5 },
      requestId: 5,
      logWarnings: [
        1,
        { kind: 'foreign', at: 1, source: 's', text: 't' },
        { kind: 'cut', at: 'x', source: 's', text: 't' },
        { kind: 'cut', at: 1, source: 7, text: `a\x1b[2J${'b'.repeat(999)}` },
        { kind: 'cut', at: 2, source: 's', text: 'again' },
      ],
    };
    const [turn] = parseChat('id', lines({ ...prompt, at: 'x', modelKey: 1, dropped: 'x' }, odd)).turns;
    expect(turn).toMatchObject({
      outcome: 'interrupted',
      modelKey: '',
      askedAt: 0,
      fault: null,
      notes: ['n'],
      truncation: null,
      droppedTurns: [],
    });
    expect(turn?.requestId).toBeNull();
    expect(turn?.logWarnings).toEqual([{ kind: 'cut', at: 1, source: '', text: `a${'b'.repeat(299)}` }]);
    expect(turn?.sources).toEqual({ answerTokens: 'eval_count' });
    expect(turn?.phases).toEqual([{ phase: 'thinking', mono: 2 }]);
  });

  it('removes what a terminal would obey', () => {
    const chat = parseChat(
      'id',
      lines({ t: 'chat', title: 'a\x1b]0;x\x07b' }, { ...prompt, text: 'q\x1b[2J' }),
    );
    expect(chat).toMatchObject({ title: 'ab', turns: [{ prompt: 'q' }] });
  });
});
