import type { Glyphs } from './widget.js';

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
