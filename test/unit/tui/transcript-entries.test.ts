import { describe, expect, it } from '@jest/globals';
import { NEW_TURN, type Turn } from '../../../src/domain/chat.js';
import { appendText, textOf } from '../../../src/domain/text.js';
import { emptyChat, type ChatState } from '../../../src/state/state.js';
import { KEPT_TURNS, transcriptEntries, turnsHeld } from '../../../src/tui/transcript-entries.js';

function turn(n: number, more: Partial<Turn> = {}): Turn {
  return {
    ...NEW_TURN,
    id: `turn-${n}`,
    prompt: `question ${n}`,
    askedAt: 0,
    modelKey: 'ollama/small',
    modelLabel: 'small',
    backendTitle: 'Ollama',
    thinking: textOf('thought'),
    answer: textOf(`answer ${n}`),
    phase: 'answering',
    phases: [],
    pieces: 1,
    startedMono: 0,
    firstTokenMono: 10,
    endedMono: 20,
    outcome: 'complete',
    endReason: 'stop',
    ...more,
  };
}

function chat(turns: number, more: Partial<ChatState> = {}): ChatState {
  return { ...emptyChat('chat'), done: Array.from({ length: turns }, (_, n) => turn(n)), ...more };
}

const entriesIn = (state: ChatState): (string | undefined)[] => {
  const entries = transcriptEntries(state);
  return Array.from({ length: entries.length }, (_, i) => entries.at(i)?.id);
};

describe('the entries of a chat', () => {
  it('are two for each turn, then the running one, then what waits', () => {
    const state = chat(2, { live: turn(2, { outcome: null }), queue: ['next'] });
    expect(entriesIn(state)).toEqual([
      'turn-0?',
      'turn-0',
      'turn-1?',
      'turn-1',
      'turn-2?',
      'turn-2',
      'waiting-0-4',
    ]);
    expect(transcriptEntries(state).at(7)).toBeUndefined();
  });

  it('stay the same objects while their turns do, over pieces of the running answer', () => {
    const live = turn(3, { outcome: null });
    const state = chat(3, { live });
    const before = transcriptEntries(state);
    const after = transcriptEntries({
      ...state,
      live: { ...live, answer: appendText(live.answer, ' and more') },
    });
    for (let i = 0; i < 6; i++) expect(after.at(i)).toBe(before.at(i));
    expect(after.at(6)?.text).toBe(before.at(6)?.text);
    expect(after.at(7)).not.toBe(before.at(7));
  });

  it('keep the text of a question when its answer ends, so that it is not wrapped anew', () => {
    const live = turn(0, { outcome: null });
    const running = transcriptEntries(chat(0, { live })).at(0);
    const ended = transcriptEntries({ ...chat(0), done: [{ ...live, outcome: 'complete' }] }).at(0);
    expect(ended?.text).toBe(running?.text);
  });

  it('follow the folding of the thinking', () => {
    const state = chat(1);
    expect(transcriptEntries(state).at(1)?.thinking?.open).toBe(false);
    expect(transcriptEntries({ ...state, unfolded: new Set(['turn-0']) }).at(1)?.thinking?.open).toBe(true);
  });

  it('are held for a few turns only, however long the chat and whatever was looked at', () => {
    const state = chat(5_000);
    expect(entriesIn(state)).toHaveLength(10_000);
    expect(turnsHeld()).toBe(KEPT_TURNS);
    // The newest were used last.
    const entries = transcriptEntries(state);
    const last = entries.at(9_999);
    expect(entries.at(9_999)).toBe(last);
  });
});
