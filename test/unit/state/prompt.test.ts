import { describe, expect, it } from '@jest/globals';
import type { Edit } from '../../../src/events/catalogue.js';
import { EMPTY_PROMPT, editPrompt, type PromptState } from '../../../src/state/prompt.js';

function edited(edits: readonly (Edit | string)[], from: PromptState = EMPTY_PROMPT): PromptState {
  return edits.reduce<PromptState>(
    (state, edit) => editPrompt(state, typeof edit === 'string' ? { op: 'insert', text: edit } : edit),
    from,
  );
}

function typed(text: string): Edit[] {
  return [...text].map((char) => ({ op: 'insert', text: char }));
}

const LEFT: Edit = { op: 'move', by: 'char', direction: -1 };
const RIGHT: Edit = { op: 'move', by: 'char', direction: 1 };
const BACKSPACE: Edit = { op: 'delete', by: 'char', direction: -1 };
const KILL_WORD: Edit = { op: 'delete', by: 'word', direction: -1 };
const KILL_LINE: Edit = { op: 'delete', by: 'line', direction: 1 };
const UNDO: Edit = { op: 'undo' };
const REDO: Edit = { op: 'redo' };
const OLDER: Edit = { op: 'history', direction: -1 };
const NEWER: Edit = { op: 'history', direction: 1 };

describe('editing the message', () => {
  it('inserts and deletes where the cursor stands', () => {
    const state = edited(['abd', LEFT, 'c']);
    expect([state.text, state.cursor]).toEqual(['abcd', 3]);
    expect(edited([BACKSPACE], state).text).toBe('abd');
    expect(edited([{ op: 'delete', by: 'char', direction: 1 }], state).text).toBe('abc');
  });

  it('moves and deletes by whole clusters', () => {
    for (const cluster of ['👩‍💻', 'e\u0301', '🇩🇪', '⚠️', '👍🏽']) {
      const state = edited([`a${cluster}`]);
      expect(edited([LEFT], state).cursor).toBe(1);
      expect(edited([LEFT, RIGHT], state).cursor).toBe(1 + cluster.length);
      expect(edited([BACKSPACE], state).text).toBe('a');
    }
  });

  it('never stands inside a cluster when it is put somewhere', () => {
    const state = edited(['a👩‍💻b', { op: 'moveTo', offset: 3, column: 2 }]);
    expect([state.cursor, state.column]).toEqual([1, 2]);
    expect(edited([{ op: 'moveTo', offset: 99, column: 0 }], state).cursor).toBe(state.text.length);
  });

  it('moves by word, line and all', () => {
    const state = edited(['one two\nthree four']);
    const at = (edits: Edit[]) => edited(edits, state).cursor;
    expect(at([{ op: 'move', by: 'word', direction: -1 }])).toBe(14);
    expect(at([{ op: 'move', by: 'line', direction: -1 }])).toBe(8);
    expect(at([{ op: 'move', by: 'all', direction: -1 }])).toBe(0);
    expect(
      at([
        { op: 'move', by: 'all', direction: -1 },
        { op: 'move', by: 'word', direction: 1 },
      ]),
    ).toBe(3);
    expect(
      at([
        { op: 'move', by: 'all', direction: -1 },
        { op: 'move', by: 'line', direction: 1 },
      ]),
    ).toBe(7);
  });

  it('puts back what was killed, several kills in a row as one', () => {
    const state = edited(['one two three', KILL_WORD, KILL_WORD, { op: 'yank' }]);
    expect([state.text, state.killed]).toEqual(['one two three', 'two three']);
    const lines = edited(['a\nb', { op: 'move', by: 'all', direction: -1 }, KILL_LINE, KILL_LINE]);
    expect([lines.text, lines.killed]).toEqual(['b', 'a\n']);
  });

  it('takes a paste as one step of undo and makes its line breaks plain', () => {
    const state = edited([...typed('a '), { op: 'paste', text: 'x\r\ny\rz' }]);
    expect(state.text).toBe('a x\ny\nz');
    expect(edited([UNDO], state).text).toBe('a ');
  });

  it('undoes typing word by word and redoes it', () => {
    const state = edited(typed('one two'));
    expect(edited([UNDO], state).text).toBe('one ');
    expect(edited([UNDO, UNDO], state).text).toBe('');
    expect(edited([UNDO, UNDO, REDO, REDO], state).text).toBe('one two');
    expect(edited([UNDO, 'x', REDO], state).text).toBe('one x');
  });

  it('bounds what undo keeps, by count and by size', () => {
    const many = edited(Array.from({ length: 500 }, () => ({ op: 'paste', text: 'x' })));
    expect(many.undo.length).toBe(200);
    const large = edited(Array.from({ length: 20 }, () => ({ op: 'paste', text: 'x'.repeat(300_000) })));
    // The last step stays, however large it is.
    expect(large.undo.map((step) => step.text.length)).toEqual([19 * 300_000]);
  });

  it('keeps the draft while earlier messages are looked at', () => {
    const state = edited(['draft'], { ...EMPTY_PROMPT, history: ['first', 'second'] });
    expect(edited([OLDER], state).text).toBe('second');
    expect(edited([OLDER, OLDER, OLDER], state).text).toBe('first');
    expect(edited([OLDER, OLDER, NEWER], state).text).toBe('second');
    const back = edited([OLDER, OLDER, NEWER, NEWER], state);
    expect([back.text, back.historyIndex]).toEqual(['draft', null]);
    expect(edited([NEWER], back)).toBe(back);
  });

  it('gives a changed earlier message back with undo', () => {
    const state = edited([OLDER, '!', OLDER, UNDO], { ...EMPTY_PROMPT, history: ['first', 'second'] });
    expect(state.text).toBe('second!');
  });

  it('makes a sent message the newest of the history, once', () => {
    const sent = edited(['hello', { op: 'sent' }, 'hello', { op: 'sent' }, '  ', { op: 'sent' }]);
    expect([sent.text, sent.cursor, sent.history]).toEqual(['', 0, ['hello']]);
  });

  it('can be emptied and set, and undone', () => {
    const state = edited(['abc', { op: 'clear' }]);
    expect(state.text).toBe('');
    expect(edited([UNDO], state).text).toBe('abc');
    expect(edited([{ op: 'set', text: 'new' }], state)).toMatchObject({ text: 'new', cursor: 3 });
  });

  it('is the same object when an edit changes nothing', () => {
    expect(edited([LEFT, BACKSPACE, KILL_WORD, UNDO, REDO, { op: 'yank' }])).toBe(EMPTY_PROMPT);
  });
});

describe('a pasted text of more than 20 lines', () => {
  const LINES = Array.from({ length: 21 }, (_, i) => `line ${i}`).join('\n');
  const paste = (text: string): Edit => ({ op: 'paste', text });
  const state = edited(['ab ', paste(LINES), ' cd']);
  const before = 3;
  const after = before + LINES.length;

  it('is one chip, and whole in the text; one of 20 lines is plain text', () => {
    expect(state.text).toBe(`ab ${LINES} cd`);
    expect(state.pasted).toEqual([{ start: before, end: after, lines: 21 }]);
    expect(edited([paste(LINES.replace(/\n.*$/, '\n'))]).pasted).toEqual([]);
  });

  it('is gone over and deleted as one character, and comes back with undo', () => {
    const behind = edited([LEFT, LEFT, LEFT], state);
    expect(behind.cursor).toBe(after);
    expect(edited([LEFT], behind).cursor).toBe(before);
    expect(edited([LEFT, RIGHT], behind).cursor).toBe(after);
    const deleted = edited([BACKSPACE], behind);
    expect([deleted.text, deleted.pasted]).toEqual(['ab  cd', []]);
    expect(edited([UNDO], deleted)).toMatchObject({ text: state.text, pasted: state.pasted });
    expect(edited([LEFT, { op: 'delete', by: 'char', direction: 1 }], behind).text).toBe('ab  cd');
  });

  it('is never entered by word or line, nor by an offset', () => {
    const start: Edit = { op: 'move', by: 'line', direction: -1 };
    const end: Edit = { op: 'move', by: 'line', direction: 1 };
    expect(edited([start], state).cursor).toBe(0);
    expect(edited([start, end], state).cursor).toBe(state.text.length);
    expect(edited([LEFT, LEFT, LEFT, { op: 'move', by: 'word', direction: -1 }], state).cursor).toBe(before);
    expect(edited([{ op: 'moveTo', offset: before + 5, column: 0 }], state).cursor).toBe(before);
  });

  it('moves with the text before it, and stays through the history', () => {
    const moved = edited([{ op: 'move', by: 'all', direction: -1 }, 'xyz'], state);
    expect(moved.pasted).toEqual([{ start: before + 3, end: after + 3, lines: 21 }]);
    const back = edited([OLDER, NEWER], { ...state, history: ['earlier'] });
    expect(back).toMatchObject({ text: state.text, pasted: state.pasted });
    expect(edited([OLDER], { ...state, history: ['earlier'] }).pasted).toEqual([]);
  });

  it('is plain text again where all of it is set anew', () => {
    expect(edited([{ op: 'set', text: state.text }], state).pasted).toEqual([]);
    expect(edited([{ op: 'sent' }], state).pasted).toEqual([]);
  });
});
