import { describe, expect, it } from '@jest/globals';
import { NO_USAGE, type Turn } from '../../../src/domain/chat.js';
import { textOf } from '../../../src/domain/text.js';
import { answerDetailRows } from '../../../src/tui/answer-details.js';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { stringWidth } from '../../../widgets/text/width.js';
import { createMachine } from '../../support/machine.js';
import { turnWith } from '../../support/turns.js';
import { texts } from '../../widgets/drawing.js';

const ENDED: Partial<Turn> = {
  answer: textOf('So.'),
  phases: [
    { phase: 'sending', mono: 100 },
    { phase: 'queued', mono: 300 },
    { phase: 'loading', mono: 1300 },
    { phase: 'prefill', mono: 3400 },
    { phase: 'thinking', mono: 4000 },
    { phase: 'answering', mono: 5000 },
  ],
  queuePosition: 2,
  prefill: { processed: 630, total: 1000, cached: 0 },
  pieces: 300,
  startedMono: 100,
  firstTokenMono: 4000,
  endedMono: 8100,
  outcome: 'complete',
  endReason: 'stop',
  usage: { ...NO_USAGE, promptTokens: 1000, answerTokens: 312, answerMs: 3000, answerPerSecond: 104 },
  sources: {
    queued: '/slots',
    prefill: 'prompt_progress',
    promptTokens: 'prompt_eval_count',
    answerTokens: 'eval_count',
  },
};

function rowsOf(more: Partial<Turn>, width = 74, glyphs = UNICODE_GLYPHS): readonly string[] {
  const { state } = createMachine();
  const turn = turnWith({ ...ENDED, ...more });
  const open = { ...state, chat: { ...state.chat, done: [turn] } };
  const rows = answerDetailRows(open, turn.id, width, glyphs);
  for (const row of texts(rows)) expect(stringWidth(row)).toBeLessThanOrEqual(width);
  return texts(rows).map((row) => row.trim().replace(/ +/g, ' '));
}

describe('the details of an answer', () => {
  it('tell each phase with its time, and what told that it was there', () => {
    const rows = rowsOf({});
    expect(rows).toContain('until heard of 200 ms clocked here');
    expect(rows).toContain('in the queue 1.0 s, place 2 clocked here (/slots)');
    expect(rows).toContain('loading 2.1 s clocked here');
    expect(rows).toContain('reading 600 ms, 630 of 1,000 tok clocked here (prompt_progress)');
    expect(rows).toContain('answering 3.1 s clocked here');
  });

  it('tell each figure with the field that told it; what no field is named for was told, what is missing is a dash', () => {
    const rows = rowsOf({});
    expect(rows).toContain('prompt 1,000 tokens prompt_eval_count');
    expect(rows).toContain('answer 312 tokens eval_count');
    expect(rows).toContain('answer time 3.0 s told by the server');
    expect(rows).toContain('of it cached —');
    expect(rows).toContain('first token after 3.9 s clocked here');
    expect(rows).toContain('in all 8.0 s clocked here');
  });

  it('tell what the log of the server warned of, with its line', () => {
    const rows = rowsOf({
      requestId: 'chatcmpl-abcdef',
      logWarnings: [
        { kind: 'cut', at: 0, source: 'ollama.service', text: 'truncating input prompt limit=4096' },
      ],
    }).join('\n');
    expect(rows).toContain('request chatcmpl-abcdef told by the server');
    expect(rows).toMatch(/\d\d:\d\d:00 not all was read: truncating input/);
    expect(rows).toContain('log ollama.service');
    expect(rowsOf({})).not.toContain('Log');
  });

  it('tell what it was asked with, and nothing of that where all was left to the server', () => {
    const rows = rowsOf({ sampling: { temperature: 0, topP: null, seed: 7, maxTokens: 200 } });
    expect(rows).toContain('asked with temperature 0, seed 7, maxTokens 200');
    expect(rowsOf({}).join()).not.toContain('asked with');
  });

  it('mark what is our own count', () => {
    const rows = rowsOf({ usage: NO_USAGE });
    expect(rows).toContain('answer ≈ 300 tokens counted here: pieces that came');
    expect(rows).toContain('answer speed ≈ 72.9 tok/s counted here');
    expect(rows).toContain('prompt —');
    expect(rowsOf({ usage: NO_USAGE }, 74, ASCII_GLYPHS)).toContain(
      'answer ~ 300 tokens counted here: pieces that came',
    );
  });

  it('tell who was asked, who answered, how it ended, and what was not seen', () => {
    const rows = rowsOf({
      answeredBy: 'other:7b',
      outcome: 'failed',
      endReason: null,
      fault: { code: 'server-error', message: 'It broke.', hint: 'Look into its log.', status: 500 },
      truncation: { messages: 4, tokens: 1900, source: 'prompt tokens fell from 2019 to 1026' },
      droppedTurns: ['a', 'b'],
      aftermath: { state: 'working', source: '/api/ps' },
      notes: ['asked again without thinking'],
    }).join('\n');
    expect(rows).toMatch(/asked qwen3:8b at \d\d:\d\d:\d\d/);
    for (const part of [
      'answered by other:7b',
      'outcome failed',
      'end reason —',
      'It broke.',
      'Look into its log.',
      'status 500',
      'the server goes on working',
      '/api/ps',
      'asked again without thinking',
      '≈ 1,900 tokens, about the 4 oldest messages',
      'prompt tokens fell from 2019 to 1026',
      'left out 2 earlier questions',
    ])
      expect(rows).toContain(part);
  });

  it.each([20, 40, 63, 64, 74])('keep to %i columns', (width) => {
    expect(rowsOf({}, width).length).toBeGreaterThan(15);
  });

  it('of a turn that is gone say so', () => {
    const { state } = createMachine();
    expect(texts(answerDetailRows(state, 'gone', 74, UNICODE_GLYPHS)).join(' ')).toContain(
      'it is not in this chat any more',
    );
  });
});
