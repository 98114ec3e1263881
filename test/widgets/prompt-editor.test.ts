import { describe, expect, it } from '@jest/globals';
import { UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { offsetOfRowEdge, offsetOfRowMove, promptEditor } from '../../widgets/prompt-editor.js';
import { texts } from './drawing.js';

const WIDTH = 12; // ten columns of text
const editor = () => promptEditor.create(UNICODE_GLYPHS);
const view = (text: string, cursor: number, height = 5) =>
  editor().view({ text, cursor, placeholder: 'ask something' }, { width: WIDTH, height });

describe('the message box', () => {
  it('shows the placeholder while it is empty', () => {
    expect(texts(view('', 0).rows)).toEqual([' ask someth…']);
    expect(view('', 0).cursor).toEqual({ x: 1, y: 0 });
  });

  it('wraps and puts the cursor where the next character comes', () => {
    const text = 'what about CRLF?';
    expect(texts(view(text, text.length).rows)).toEqual([' what about', ' CRLF?']);
    expect(view(text, text.length).cursor).toEqual({ x: 6, y: 1 });
    expect(view('1234567890', 10).cursor).toEqual({ x: 11, y: 0 });
    expect(view('漢字', 1).cursor).toEqual({ x: 3, y: 0 });
  });

  it('sets a label off that stands for more, also behind a tab and over two rows', () => {
    const chips = (text: string, start: number, end: number) =>
      editor()
        .view({ text, cursor: 0, chips: [{ start, end }], placeholder: '' }, { width: WIDTH, height: 5 })
        .rows.map(({ spans }) => spans.filter(({ token }) => token === 'chip').map((each) => each.text));
    expect(chips('a [21 x] b', 2, 8)).toEqual([['[21 x]']]);
    expect(chips('\t[21]', 1, 5)).toEqual([['[21]']]);
    expect(chips('[pasted: 21 lines]', 0, 18)).toEqual([['[pasted: '], ['21 lines]']]);
  });

  it('scrolls by the cursor when the text is taller than the pane', () => {
    const text = Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n');
    expect(texts(view(text, text.length, 3).rows)).toEqual([' line 17', ' line 18', ' line 19']);
    expect(texts(view(text, 0, 3).rows)[0]).toBe(' line 0');
    const middle = view(text, text.indexOf('line 10'), 3);
    expect(texts(middle.rows)[middle.cursor?.y ?? -1]).toBe(' line 10');
  });

  it('wants as many rows as its text has, within bounds', () => {
    const props = (text: string) => ({ text, cursor: 0, placeholder: '' });
    expect(
      ['', 'a', 'a\nb', 'a\n'.repeat(30)].map((text) => editor().desiredHeight(props(text), WIDTH, 8)),
    ).toEqual([1, 1, 2, 8]);
  });

  it('moves over visual rows and keeps the wished column over short ones', () => {
    const text = 'abcdefgh\nx\nabcdefgh';
    const down = offsetOfRowMove(text, 5, WIDTH, 1, null);
    expect(down).toEqual({ offset: 10, column: 5 });
    expect(offsetOfRowMove(text, down?.offset ?? 0, WIDTH, 1, down?.column ?? null)).toEqual({
      offset: 16,
      column: 5,
    });
    expect(offsetOfRowMove('what about CRLF?', 12, WIDTH, -1, null)).toEqual({ offset: 1, column: 1 });
  });

  it('has no row above the first and below the last, which means the history', () => {
    expect(offsetOfRowMove('abc', 1, WIDTH, -1, null)).toBeNull();
    expect(offsetOfRowMove('abc', 1, WIDTH, 1, null)).toBeNull();
    expect(offsetOfRowMove('', 0, WIDTH, 1, null)).toBeNull();
  });

  it('finds the ends of the visual row', () => {
    const text = 'abcdefghijklmno\nxyz';
    expect(offsetOfRowEdge(text, 3, WIDTH, 1)).toBe(9);
    expect(offsetOfRowEdge(text, 12, WIDTH, 1)).toBe(15);
    expect(offsetOfRowEdge(text, 12, WIDTH, -1)).toBe(10);
  });

  it('does little for a key typed into 100 kB', () => {
    const instance = editor();
    const text = 'some pasted words\n'.repeat(6000);
    const size = { width: 80, height: 10 };
    instance.view({ text, cursor: text.length, placeholder: '' }, size);
    const before = instance.charsWrapped;
    expect(before).toBeLessThan(text.length * 1.1);
    const at = 50_000;
    instance.view({ text: `${text.slice(0, at)}x${text.slice(at)}`, cursor: at + 1, placeholder: '' }, size);
    expect(instance.charsWrapped - before).toBeLessThan(1000);
  });
});
