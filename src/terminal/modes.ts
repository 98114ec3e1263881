/** The bytes that take a terminal over and give it back. */

export interface ModeOptions {
  readonly mouse: boolean;
}

/** Questions asked once: synchronised output (mode 2026), kitty keyboard. The caller adds a DSR, whose answer comes last. */
export const PROBES = '\x1b[?2026$p\x1b[?u';
/** Escape and Ctrl+I become distinguishable; pushed only when the terminal said that it knows the protocol. */
export const KITTY_PUSH = '\x1b[>1u';
export const KITTY_POP = '\x1b[<u';

const MOUSE_ON = '\x1b[?1000h\x1b[?1002h\x1b[?1006h';
const MOUSE_OFF = '\x1b[?1006l\x1b[?1002l\x1b[?1000l';

/**
 * Alternate screen, normal cursor keys and keypad, no auto-wrap (a cluster in the last column that a terminal thinks
 * wide must not move to the next row), bracketed paste, focus reports.
 */
export function enterSequence({ mouse }: ModeOptions): string {
  return `\x1b[?1049h\x1b[?1l\x1b>\x1b[?7l\x1b[?2004h\x1b[?1004h${mouse ? MOUSE_ON : ''}\x1b[?25l`;
}

/** Everything back, in reverse order; harmless when some of it was never on. */
export function leaveSequence({ kitty }: { readonly kitty: boolean }): string {
  return `\x1b[?2026l\x1b[r\x1b[m${kitty ? KITTY_POP : ''}${MOUSE_OFF}\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l`;
}
