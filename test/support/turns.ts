import type { Turn } from '../../src/domain/chat.js';
import { NEW_TURN } from '../../src/domain/chat.js';
import { appendText, EMPTY_TEXT, textOf } from '../../src/domain/text.js';

/** A turn whose answer runs. */
export function turnWith(change: Partial<Turn> = {}): Turn {
  return {
    ...NEW_TURN,
    id: 'turn-1',
    prompt: 'Why?',
    askedAt: 1_700_000_000_000,
    modelKey: 'ollama@127.0.0.1:11434/qwen3:8b',
    modelLabel: 'qwen3:8b',
    backendTitle: 'ollama',
    thinking: EMPTY_TEXT,
    answer: EMPTY_TEXT,
    phase: 'answering',
    phases: [{ phase: 'answering', mono: 100 }],
    startedMono: 100,
    ...change,
  };
}

export function answering(turn: Turn, more: string): Turn {
  return { ...turn, answer: appendText(turn.answer, more), pieces: turn.pieces + 1 };
}

export function thinking(turn: Turn, text: string): Turn {
  return { ...turn, thinking: textOf(text) };
}

export function completed(turn: Turn): Turn {
  return { ...turn, outcome: 'complete', endReason: 'stop', endedMono: turn.startedMono + 2000 };
}
