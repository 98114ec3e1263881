import { describe, expect, it } from '@jest/globals';
import {
  colourDepth,
  isMultiplexed,
  terminalProblem,
  wantsAscii,
} from '../../../src/terminal/capabilities.js';
import { CLIPBOARD_MAX_BYTES, clipboardSequence } from '../../../src/terminal/clipboard.js';
import { colourParameters, nearest256 } from '../../../src/terminal/colour.js';

describe('colour depth', () => {
  it.each([
    [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'truecolor'],
    [{ TERM: 'tmux-256color', COLORTERM: '24bit' }, 'truecolor'],
    [{ TERM: 'tmux-256color' }, '256'],
    [{ TERM: 'screen-256color' }, '256'],
    [{ TERM: 'xterm-kitty' }, '256'],
    [{ TERM: 'xterm' }, '16'],
    [{}, '16'],
    [{ TERM: 'vt100' }, 'none'],
    [{ TERM: 'xterm-256color', COLORTERM: 'truecolor', NO_COLOR: '1' }, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '' }, '256'],
  ] as const)('%j is %s', (env, depth) => {
    expect(colourDepth(env)).toBe(depth);
  });

  it('a theme colour is the same by other means', () => {
    const colour = { hex: '#ff8800', ansi: 11 };
    expect(colourParameters(colour, 'truecolor', 'fg')).toBe('38;2;255;136;0');
    expect(colourParameters(colour, '256', 'bg')).toBe('48;5;208');
    expect(colourParameters(colour, '16', 'fg')).toBe('93');
    expect(colourParameters(colour, '16', 'bg')).toBe('103');
    expect(colourParameters({ hex: '#000000', ansi: 4 }, '16', 'bg')).toBe('44');
    expect(colourParameters(colour, 'none', 'fg')).toBe('');
    expect(nearest256('#808080')).toBe(244);
    expect(nearest256('#ffffff')).toBe(231);
  });
});

describe('where the dashboard cannot run', () => {
  const tty = { isTTY: true };
  it('a pipe or a dumb terminal is refused with a reason', () => {
    expect(terminalProblem(tty, { isTTY: undefined }, { TERM: 'xterm' })).toContain('output');
    expect(terminalProblem({}, tty, { TERM: 'xterm' })).toContain('input');
    expect(terminalProblem(tty, tty, { TERM: 'dumb' })).toContain('dumb');
    expect(terminalProblem(tty, tty, {})).toBeNull();
  });
});

describe('character set', () => {
  it('is ASCII only where the locale names another one than UTF-8', () => {
    expect(
      [
        {},
        { LANG: 'C' },
        { LC_ALL: 'POSIX' },
        { LANG: 'en_GB.UTF-8' },
        { LANG: 'C.utf8' },
        { LANG: 'de_DE@euro' },
      ].some(wantsAscii),
    ).toBe(false);
    expect(wantsAscii({ LANG: 'de_DE.ISO-8859-1' })).toBe(true);
    expect(wantsAscii({ LC_ALL: 'en_US.UTF-8', LANG: 'de_DE.ISO-8859-1' })).toBe(false);
  });
});

describe('the clipboard', () => {
  it('is set by OSC 52, wrapped for what lies between', () => {
    const base64 = Buffer.from('héllo').toString('base64');
    expect(clipboardSequence('héllo', { TERM: 'xterm' })).toBe(`\x1b]52;c;${base64}\x07`);
    expect(clipboardSequence('héllo', { TMUX: '/x' })).toContain(
      `\x1bPtmux;\x1b\x1b]52;c;${base64}\x07\x1b\\`,
    );
    expect(clipboardSequence('héllo', { STY: '1' })).toBe(`\x1bP\x1b]52;c;${base64}\x07\x1b\\`);
    expect(isMultiplexed({ TERM: 'screen.xterm-256color' })).toBe(true);
  });

  it('takes no text that terminals would cut', () => {
    expect(clipboardSequence('x'.repeat(CLIPBOARD_MAX_BYTES), {})).not.toBeNull();
    expect(clipboardSequence('é'.repeat(CLIPBOARD_MAX_BYTES / 2 + 1), {})).toBeNull();
  });
});
