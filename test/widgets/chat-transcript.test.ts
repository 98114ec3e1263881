import { describe, expect, it } from '@jest/globals';
import { appendText, EMPTY_TEXT, type GrowingText, textOf } from '../../src/domain/text.js';
import { chatTranscript, rowsBelowMark, type TranscriptEntry } from '../../widgets/chat-transcript.js';
import { UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { texts, tokensOf } from './drawing.js';

function entry(id: string, text: string | GrowingText, more: Partial<TranscriptEntry> = {}): TranscriptEntry {
  return {
    id,
    role: 'assistant',
    label: 'qwen3:8b',
    time: '12:03',
    thinking: null,
    text: typeof text === 'string' ? textOf(text) : text,
    running: false,
    footers: [],
    ...more,
  };
}

const transcript = () => chatTranscript.create(UNICODE_GLYPHS);
const SIZE = { width: 40, height: 10 };
const TALK = Array.from({ length: 30 }, (_, i) => entry(`e${i}`, `text ${i}\nmore ${i}`));

describe('the transcript', () => {
  it('shows role lines with the time at the right, and text below', () => {
    const entries = [entry('a', 'Why?', { role: 'user', label: 'you' }), entry('b', 'Because.')];
    expect(texts(transcript().view({ entries, anchor: null }, SIZE).rows)).toEqual([
      ' you                              12:03',
      '   Why?',
      '',
      ' qwen3:8b                         12:03',
      '   Because.',
    ]);
  });

  it('folds thinking to one line and unfolds it', () => {
    const thinking = { summary: 'thought 4.1 s, 210 tokens', open: false, text: textOf('hm\nso') };
    const view = transcript();
    const folded = view.view({ entries: [entry('a', 'Yes.', { thinking })], anchor: null }, SIZE);
    expect(texts(folded.rows).slice(1)).toEqual(['   ▸ thought 4.1 s, 210 tokens', '   Yes.']);
    const open = view.view(
      { entries: [entry('a', 'Yes.', { thinking: { ...thinking, open: true } })], anchor: null },
      SIZE,
    );
    expect(texts(open.rows).slice(1)).toEqual([
      '   ▾ thought 4.1 s, 210 tokens',
      '   hm',
      '   so',
      '   Yes.',
    ]);
  });

  it('strikes what is not sent any more, with a word in its role line, and takes it back', () => {
    const view = transcript();
    const draw = (struck: boolean) =>
      view.view({ entries: [entry('a', '**Because** of\nthis.', { struck })], anchor: null }, SIZE).rows;
    expect(tokensOf(draw(false), 'Because')).toEqual(['strong']);
    const rows = draw(true);
    expect(texts(rows)[0]).toBe(' qwen3:8b · not sent              12:03');
    expect(tokensOf(rows, 'Because')).toEqual(['struck']);
    expect(tokensOf(rows, 'this.')).toEqual(['struck']);
    expect(texts(draw(false))[0]).toBe(' qwen3:8b                         12:03');
    expect(tokensOf(draw(false), 'this.')).toEqual(['text']);
  });

  it('numbers the lines of fenced code and hides the fences', () => {
    const { rows } = transcript().view(
      { entries: [entry('a', 'So:\n\n```ts\nconst a = 1\n**no**\n```\n\nDone.')], anchor: null },
      SIZE,
    );
    expect(texts(rows).slice(1)).toEqual([
      '   So:',
      '',
      '     1  const a = 1',
      '     2  **no**',
      '',
      '   Done.',
    ]);
    expect(tokensOf(rows, 'const')).toEqual(['code']);
  });

  it('marks headings, bold and inline code and leaves lone marks alone', () => {
    const { rows } = transcript().view(
      { entries: [entry('a', '# Head\na **bold** `code` 2 * 3 ** x')], anchor: null },
      SIZE,
    );
    expect(texts(rows).slice(1)).toEqual(['   Head', '   a bold code 2 * 3 ** x']);
    expect([tokensOf(rows, 'Head'), tokensOf(rows, 'bold'), tokensOf(rows, 'code')]).toEqual([
      ['strong'],
      ['strong'],
      ['code'],
    ]);
  });

  it('marks bold text over a row break', () => {
    const { rows } = transcript().view(
      { entries: [entry('a', `it is **${'bold '.repeat(12)}end** here`)], anchor: null },
      SIZE,
    );
    expect(texts(rows).join(' ')).not.toContain('*');
    expect(new Set(tokensOf(rows, 'bold'))).toEqual(new Set(['strong']));
  });

  it('does not touch what the user wrote', () => {
    const { rows } = transcript().view(
      { entries: [entry('a', '# a **b**\n```\nc', { role: 'user' })], anchor: null },
      SIZE,
    );
    expect(texts(rows).slice(1)).toEqual(['   # a **b**', '   ```', '   c']);
  });

  it('puts a block cursor at the end of a running answer only', () => {
    const running = transcript().view(
      { entries: [entry('a', 'Half\n', { running: true })], anchor: null },
      SIZE,
    );
    expect(texts(running.rows).slice(1)).toEqual(['   Half', '   ▌']);
    const empty = transcript().view({ entries: [entry('a', '', { running: true })], anchor: null }, SIZE);
    expect(texts(empty.rows).slice(1)).toEqual(['   ▌']);
    const ended = transcript().view({ entries: [entry('a', 'Half\n\n')], anchor: null }, SIZE);
    expect(texts(ended.rows).slice(1)).toEqual(['   Half']);
  });

  it('draws anew an ended answer that goes on', () => {
    const instance = transcript();
    const draw = (text: string, running: boolean) =>
      texts(instance.view({ entries: [entry('a', text, { running })], anchor: null }, SIZE).rows).slice(1);
    expect(draw('one **two', true)).toEqual(['   one **two▌']);
    expect(draw('one **two', false)).toEqual(['   one **two']);
    expect(draw('one **two** three', true)).toEqual(['   one two three▌']);
  });

  it('says under the text how an answer ended', () => {
    const footers = [{ text: 'stopped by you — r again', token: 'warn' as const }];
    const { rows } = transcript().view({ entries: [entry('a', 'Half', { footers })], anchor: null }, SIZE);
    expect(texts(rows).at(-1)).toBe('   stopped by you — r again');
    expect(tokensOf(rows, 'stopped')).toEqual(['warn']);
  });

  it('draws a streamed answer as it draws the whole one', () => {
    const whole =
      'A list:\n\n```py\nprint(1)\n```\n\n## Next\nwith **bold** and `code`, ~~~ and more words\n'.repeat(4);
    const live = transcript();
    let text = EMPTY_TEXT;
    for (const char of whole) {
      text = appendText(text, char);
      live.view({ entries: [entry('a', text, { running: true })], anchor: null }, SIZE);
    }
    const size = { width: 40, height: 100 };
    const props = { entries: [entry('a', text)], anchor: null };
    expect(live.view(props, size).rows).toEqual(transcript().view(props, size).rows);
  });
});

describe('scrolling the transcript', () => {
  it('follows the end', () => {
    const view = transcript().view({ entries: TALK, anchor: null }, SIZE);
    expect(texts(view.rows).at(-1)).toBe('   more 29');
    expect(view.rowsBelow).toBe(0);
  });

  it('holds its rows while new ones come, and counts them', () => {
    const instance = transcript();
    const anchor = instance.move({ entries: TALK, anchor: null }, SIZE, { rows: -5 });
    const before = instance.view({ entries: TALK, anchor }, SIZE);
    expect(before.rowsBelow).toBe(5);
    const after = instance.view({ entries: [...TALK, entry('new', 'one')], anchor }, SIZE);
    expect(after.rows).toEqual(before.rows);
    expect(after.rowsBelow).toBe(8);
  });

  it('comes back to the same rows after as many rows up as down', () => {
    const instance = transcript();
    let anchor = instance.move({ entries: TALK, anchor: null }, SIZE, { to: 'start' });
    const seen: string[] = [];
    for (let i = 0; anchor !== null; i++) {
      seen.push(texts(instance.view({ entries: TALK, anchor }, SIZE).rows)[0] ?? '');
      anchor = instance.move({ entries: TALK, anchor }, SIZE, { rows: 1 });
    }
    // 30 entries of three rows and the gaps between them; the last ten rows are the end, which is followed.
    expect(seen.length).toBe(30 * 4 - 1 - SIZE.height);
    let up = instance.move({ entries: TALK, anchor: null }, SIZE, { rows: -1 });
    for (const row of seen.reverse()) {
      expect(texts(instance.view({ entries: TALK, anchor: up }, SIZE).rows)[0]).toBe(row);
      up = instance.move({ entries: TALK, anchor: up }, SIZE, { rows: -1 });
    }
  });

  it('moves by message', () => {
    const instance = transcript();
    const first = (anchor: ReturnType<typeof instance.move>) =>
      texts(instance.view({ entries: TALK, anchor }, SIZE).rows)[1];
    let anchor = instance.move({ entries: TALK, anchor: null }, SIZE, { messages: -1 });
    expect(first(anchor)).toBe('   text 27');
    anchor = instance.move({ entries: TALK, anchor }, SIZE, { messages: -1 });
    expect(first(anchor)).toBe('   text 26');
    anchor = instance.move({ entries: TALK, anchor }, SIZE, { messages: 1 });
    expect(first(anchor)).toBe('   text 27');
    expect(instance.move({ entries: TALK, anchor }, SIZE, { messages: 1 })).toBeNull();
  });

  it('follows the end when its entry is gone or it stands beyond the end', () => {
    const instance = transcript();
    const end = instance.view({ entries: TALK, anchor: null }, SIZE).rows;
    for (const anchor of [
      { entryId: 'gone', row: 0 },
      { entryId: 'e29', row: 99 },
    ])
      expect(instance.view({ entries: TALK, anchor }, SIZE).rows).toEqual(end);
  });

  it('tells how far the rows moved since the last view', () => {
    const instance = transcript();
    instance.view({ entries: TALK, anchor: null }, SIZE);
    expect(instance.view({ entries: [...TALK, entry('new', 'one')], anchor: null }, SIZE).scrolledBy).toBe(3);
    expect(instance.view({ entries: TALK, anchor: null }, SIZE).scrolledBy).toBe(-3);
    expect(instance.view({ entries: TALK, anchor: null }, SIZE).scrolledBy).toBeUndefined();
  });

  it('marks rows below', () => {
    expect(rowsBelowMark(0, UNICODE_GLYPHS)).toBeNull();
    const mark = rowsBelowMark(14, UNICODE_GLYPHS);
    expect(mark && texts([mark])).toEqual(['─ 14 ↓ ─']);
    const many = rowsBelowMark(5000, UNICODE_GLYPHS);
    expect(many && texts([many])).toEqual(['─ 999+ ↓ ─']);
  });
});

describe('the work of the transcript', () => {
  it('lays out what is visible of ten thousand entries and lets go of it', () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => entry(`e${i}`, 'some words '.repeat(40)));
    const instance = transcript();
    instance.view({ entries, anchor: null }, SIZE);
    expect(instance.charsWrapped).toBeLessThan(5000);
    for (let i = 0; i < 10_000; i += 50)
      instance.view({ entries, anchor: { entryId: `e${i}`, row: 0 } }, SIZE);
    expect(instance.entriesHeld).toBeLessThan(200);
  });

  it('wraps only the end of a growing answer, be it 2 MB in one line', () => {
    let text = textOf('word '.repeat(400_000));
    const instance = transcript();
    const draw = () =>
      instance.view({ entries: [...TALK, entry('big', text, { running: true })], anchor: null }, SIZE);
    draw();
    const before = instance.charsWrapped;
    for (let i = 0; i < 500; i++) {
      text = appendText(text, 'more ');
      draw();
    }
    expect((instance.charsWrapped - before) / 500).toBeLessThan(100);
  });

  it('does not wrap the running answer anew while scrolled up', () => {
    let text = textOf('word '.repeat(20_000));
    const instance = transcript();
    const draw = () =>
      instance.view(
        { entries: [...TALK, entry('big', text, { running: true })], anchor: { entryId: 'e20', row: 0 } },
        SIZE,
      );
    expect(draw().rowsBelow).toBe(999);
    const before = instance.charsWrapped;
    for (let i = 0; i < 100; i++) {
      text = appendText(text, 'more ');
      draw();
    }
    expect(instance.charsWrapped - before).toBeLessThan(10_000);
  });
});
