import type { Glyphs } from './widget.js';

/** A text of the program with its few signs as the glyph set has them. What models and servers say stays as it is. */
export function withSigns(text: string, glyphs: Glyphs): string {
  if (!glyphs.ascii) return text;
  const signs: Readonly<Record<string, string>> = {
    '\u00b7': glyphs.dot,
    '\u2248': glyphs.approx,
    '\u2014': glyphs.unknown,
    '\u2026': glyphs.ellipsis,
    // In the names of processors.
    '\u00ae': '(R)',
    '\u2122': '(TM)',
  };
  return text.replace(/[\u00b7\u2248\u2014\u2026\u00ae\u2122]/g, (sign) => signs[sign] ?? sign);
}

export const UNICODE_GLYPHS: Glyphs = {
  ascii: false,
  loaded: '●',
  open: '▾',
  closed: '▸',
  pointer: '▸',
  ellipsis: '…',
  approx: '≈',
  unknown: '—',
  down: '↓',
  up: '↑',
  dot: '·',
  dash: '─',
  horizontalBar: [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
  verticalBar: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  barEnds: ['▕', '▏'],
  border: { tl: '╭', tr: '╮', bl: '╰', br: '╯', h: '─', v: '│', teeLeft: '├', teeRight: '┤' },
};

export const ASCII_GLYPHS: Glyphs = {
  ascii: true,
  loaded: '*',
  open: 'v',
  closed: '>',
  pointer: '>',
  ellipsis: '~',
  approx: '~',
  unknown: '-',
  down: 'v',
  up: '^',
  dot: '-',
  dash: '-',
  horizontalBar: [' ', '#'],
  verticalBar: [' ', '_', '.', ':', '-', '=', '+', '*', '#'],
  barEnds: ['[', ']'],
  border: { tl: '+', tr: '+', bl: '+', br: '+', h: '-', v: '|', teeLeft: '+', teeRight: '+' },
};
