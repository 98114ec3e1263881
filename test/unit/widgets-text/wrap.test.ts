import { describe, expect, it } from '@jest/globals';
import { EMPTY_TEXT, appendText, textOf } from '../../../src/domain/text.js';
import { createEditedWrapping } from '../../../widgets/text/edited-wrap.js';
import { createWrapping, type Wrapping } from '../../../widgets/text/growing-wrap.js';
import { stringWidth } from '../../../widgets/text/width.js';
import { nextRowStart, wrapText } from '../../../widgets/text/wrap.js';

function rowsOf(wrapping: Wrapping): string[] {
  return Array.from({ length: wrapping.rowCount }, (_, i) => wrapping.rowText(i).trimEnd());
}

/** A generator of numbers that is the same in every run. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

const PIECES = [
  'a',
  'word ',
  'longerword',
  ' ',
  '   ',
  '\n',
  '\t',
  '漢字',
  'é',
  'e\u0301',
  '👩‍💻',
  '🇩🇪',
  '⚠️',
  '\n\n',
  'x'.repeat(23),
  ' '.repeat(30),
];

describe('word wrap', () => {
  it('breaks at spaces and cuts words that are wider than a row', () => {
    expect(wrapText('the parser loses abcdefghijklmnop', 10)).toEqual([
      'the parser',
      'loses',
      'abcdefghij',
      'klmnop',
    ]);
  });

  it('keeps line breaks and gives a text that ends in one an empty last row', () => {
    expect(wrapText('a\n\nb\n', 5)).toEqual(['a', '', 'b', '']);
    expect(wrapText('', 5)).toEqual(['']);
  });

  it('lets a line break follow a full row without an empty row between', () => {
    expect(wrapText('12345\n67890', 5)).toEqual(['12345', '67890']);
    expect(wrapText('12345   \n6', 5)).toEqual(['12345', '6']);
  });

  it('counts cells, not characters', () => {
    expect(wrapText('漢字漢字漢', 5)).toEqual(['漢字', '漢字', '漢']);
    expect(wrapText('ab 👩‍💻👩‍💻', 6).every((row) => stringWidth(row) <= 6)).toBe(true);
  });

  it('expands tabs to the next stop', () => {
    expect(wrapText('a\tb', 10)).toEqual(['a   b']);
  });

  it('never splits a cluster and always gets on, at any width', () => {
    const text = 'é👩‍💻漢\ta';
    for (const width of [-1, 0, 1, 2, 5]) {
      let at = 0;
      for (let rows = 0; at < text.length; rows++) {
        const next = nextRowStart(text, at, width);
        expect(next).toBeGreaterThan(at);
        at = next;
      }
    }
  });

  it('bounds the length of a row in a flood of zero-width marks', () => {
    const flood = 'a' + '\u0301'.repeat(100_000);
    expect(nextRowStart(flood, 0, 80)).toBeLessThan(1000);
  });
});

describe('wrapping of growing text', () => {
  it('gives the same rows however the text came', () => {
    const random = sequence(7);
    for (let round = 0; round < 60; round++) {
      const width = 1 + random(20);
      const grown = createWrapping(width);
      let text = EMPTY_TEXT;
      let whole = '';
      for (let i = 0; i < 60; i++) {
        const piece = PIECES[random(PIECES.length)] ?? '';
        whole += piece;
        text = appendText(text, piece);
        grown.update(text);
      }
      const fresh = createWrapping(width);
      fresh.update(textOf(whole));
      expect(rowsOf(grown)).toEqual(rowsOf(fresh));
      for (const row of rowsOf(grown)) expect(stringWidth(row)).toBeLessThanOrEqual(width);
    }
  });

  it('looks only at the last row when a long line grows', () => {
    const wrapping = createWrapping(80);
    let text = textOf('word '.repeat(400_000));
    wrapping.update(text);
    expect(wrapping.rowCount).toBe(25_000);
    const before = wrapping.charsWrapped;
    for (let i = 0; i < 1000; i++) wrapping.update((text = appendText(text, 'more ')));
    expect((wrapping.charsWrapped - before) / 1000).toBeLessThan(100);
  });

  it('starts anew when the text is another one', () => {
    const wrapping = createWrapping(10);
    wrapping.update(textOf('one two three four'));
    wrapping.update(textOf('six'));
    expect(rowsOf(wrapping)).toEqual(['six']);
    expect(wrapping.generation).toBe(1);
  });

  it('reads rows across block borders', () => {
    let text = EMPTY_TEXT;
    for (let i = 0; i < 3000; i++) text = appendText(text, `${i} `);
    const wrapping = createWrapping(40);
    wrapping.update(text);
    expect(rowsOf(wrapping).join(' ').split(/\s+/)).toEqual(
      Array.from({ length: 3000 }, (_, i) => String(i)),
    );
  });
});

describe('wrapping of edited text', () => {
  it('agrees with a fresh wrapping after any edit', () => {
    const random = sequence(11);
    for (let round = 0; round < 30; round++) {
      const width = 1 + random(16);
      const edited = createEditedWrapping(width);
      let text = '';
      for (let i = 0; i < 80; i++) {
        const at = random(text.length + 1);
        const end = random(4) === 0 ? Math.min(text.length, at + random(12)) : at;
        text = text.slice(0, at) + (PIECES[random(PIECES.length)] ?? '') + text.slice(end);
        edited.update(text);
        const fresh = createEditedWrapping(width);
        fresh.update(text);
        const starts = (w: typeof fresh) => Array.from({ length: w.rowCount }, (_, r) => w.rowStart(r));
        expect(starts(edited)).toEqual(starts(fresh));
      }
    }
  });

  it('re-wraps some rows for a key typed in the middle of 100 kB', () => {
    const edited = createEditedWrapping(80);
    const text = 'some words of a line\nand more '.repeat(3500);
    edited.update(text);
    const before = edited.charsWrapped;
    edited.update(`${text.slice(0, 50_000)}x${text.slice(50_000)}`);
    expect(edited.charsWrapped - before).toBeLessThan(1000);
  });
});
