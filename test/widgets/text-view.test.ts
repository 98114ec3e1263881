import { describe, expect, it } from '@jest/globals';
import { createBoxTree, DEFAULT_ATTR, type CellLine } from '../../widgets/blessed-shim.js';
import { row, span, type Row } from '../../widgets/text/span.js';
import { writeRow, type AttrSource, type Clip } from '../../widgets/text-view.js';

const SOURCE: AttrSource = {
  attr: (token, fill) => (token === 'text' && fill === undefined ? DEFAULT_ATTR : fill === undefined ? 1 : 2),
  blank: (attr) => (attr === 2 ? 2 : DEFAULT_ATTR),
};

function cells(content: Row, width = 10, clip: Clip = null): CellLine {
  const line = createBoxTree(12, 1).screen.lines[0] as CellLine;
  writeRow(line, 1, width, content, SOURCE, clip);
  return line;
}
const text = (line: CellLine): string => line.map(([, one]) => (one === '' ? '>' : one)).join('');

describe('a row in the cells of a blessed screen', () => {
  it('is cut at its width and blank behind its text', () => {
    expect(text(cells(row(span('hello'))))).toBe(' hello      ');
    expect(text(cells(row(span('hello world and more'))))).toBe(' hello worl ');
  });

  it('wide clusters take two cells, and none that has only one', () => {
    expect(text(cells(row(span('漢😀'))))).toBe(' 漢>😀>       ');
    expect(text(cells(row(span('漢字漢')), 5))).toBe(' 漢>字>       ');
  });

  it('a wide cluster half under another surface is a blank', () => {
    expect(text(cells(row(span('漢字')), 10, (x) => x !== 4))).toBe(' 漢>         ');
  });

  it('risky clusters are simplified', () => {
    expect(text(cells(row(span('🇺🇸👍🏽⚠️'))))).toBe(' US👍>⚠      ');
  });

  it('spaces take the default style unless it would show', () => {
    const line = cells({ spans: [span('a b', 'muted')] });
    expect(line.slice(1, 5).map(([attr]) => attr)).toEqual([1, DEFAULT_ATTR, 1, DEFAULT_ATTR]);
    expect(
      cells({ spans: [span('a b')], fill: 'selection' })
        .slice(1, 5)
        .map(([attr]) => attr),
    ).toEqual([2, 2, 2, 2]);
  });

  it('control characters never reach a cell', () => {
    expect(text(cells(row(span('a\x1b[2Jb\x07\nc\x9b1'))))).toBe(' ab c       ');
  });

  it('says whether something changed', () => {
    const line = cells(row(span('hello')));
    line.dirty = false;
    expect(writeRow(line, 1, 10, row(span('hello')), SOURCE)).toBe(false);
    expect(line.dirty).toBe(false);
    expect(writeRow(line, 1, 10, row(span('hallo')), SOURCE)).toBe(true);
    expect(line.dirty).toBe(true);
  });
});
