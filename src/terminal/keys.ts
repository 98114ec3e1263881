/** Names of keys in the forms in which terminals send them. */
import type { KeyInput } from './terminal.js';

/** Modifier bits of xterm and kitty, after subtracting one. */
const SHIFT = 1;
const ALT = 2;
const CTRL = 4;
/** Super, hyper, meta: ours to ignore, the window manager's to use. Caps and num lock do not change a key's name. */
const OTHERS = 8 | 16 | 32;

const BY_LETTER: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
  Z: 'tab',
};

const BY_NUMBER: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};

const BY_CODE: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'ctrl+j',
  13: 'enter',
  27: 'escape',
  32: 'space',
  127: 'backspace',
  57414: 'enter',
  57417: 'left',
  57418: 'right',
  57419: 'up',
  57420: 'down',
  57421: 'pageup',
  57422: 'pagedown',
  57423: 'home',
  57424: 'end',
  57425: 'insert',
  57426: 'delete',
};

/** kitty's codes of the keypad 0..9 . / * - + and =. */
const KEYPAD_FIRST = 57399;
const KEYPAD_TEXT = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '/', '*', '-', '+', '', '='];
/** SS3 j..y: the keypad in application mode. */
const KEYPAD_SS3: Readonly<Record<string, string>> = Object.fromEntries(
  [...'*+,-./0123456789'].map((text, i) => [String.fromCharCode(0x6a + i), text]),
);
const PRIVATE_USE_FIRST = 57344;
const PRIVATE_USE_LAST = 63743;

function named(name: string, bits: number, text = ''): KeyInput {
  const prefix = `${bits & CTRL ? 'ctrl+' : ''}${bits & ALT ? 'alt+' : ''}${bits & SHIFT ? 'shift+' : ''}`;
  return { type: 'key', key: prefix + name, text };
}

/** Modifier parameter of a sequence (1 is none) to bits. */
export function modifierBits(parameter: number | undefined): number {
  return parameter === undefined || parameter < 1 ? 0 : (parameter - 1) & (SHIFT | ALT | CTRL | OTHERS);
}

/** `CSI A`, `CSI 1;5A`, `SS3 A`. */
export function keyByLetter(letter: string, bits: number): KeyInput | null {
  const name = BY_LETTER[letter];
  if (name === undefined) return null;
  return named(name, letter === 'Z' ? bits | SHIFT : bits);
}

/** `CSI 5~`, `CSI 5;2~`. */
export function keyByNumber(number: number, bits: number): KeyInput | null {
  const name = BY_NUMBER[number];
  return name === undefined ? null : named(name, bits);
}

/** A letter after ESC O. */
export function keyBySs3(letter: string): KeyInput | null {
  if (letter === 'M') return named('enter', 0);
  const text = KEYPAD_SS3[letter];
  return text === undefined ? keyByLetter(letter, 0) : { type: 'key', key: text, text };
}

/** A Unicode or kitty key code with modifiers: `CSI 13;2u`, `CSI 27;2;13~`. `shifted` is what the key gives with shift, if known. */
export function keyByCode(code: number, bits: number, shifted?: number): KeyInput | null {
  if ((bits & OTHERS) !== 0) return null;
  const name = BY_CODE[code];
  if (name === 'space')
    return bits === 0 || bits === SHIFT ? { type: 'key', key: 'space', text: ' ' } : named('space', bits);
  if (name !== undefined) return named(name, bits);
  const keypad = KEYPAD_TEXT[code - KEYPAD_FIRST];
  if (keypad !== undefined && keypad !== '') return named(keypad, bits, bits === 0 ? keypad : '');
  if (code < 32 || (code >= 0x7f && code < 0xa0) || (code >= PRIVATE_USE_FIRST && code <= PRIVATE_USE_LAST))
    return null;
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
  const plain = String.fromCodePoint(code);
  if ((bits & (ALT | CTRL)) === 0) {
    const text =
      bits & SHIFT ? (shifted === undefined ? plain.toUpperCase() : String.fromCodePoint(shifted)) : plain;
    return { type: 'key', key: text, text };
  }
  // Without ctrl a terminal sends the shifted letter itself after ESC: alt+G in both forms.
  if ((bits & CTRL) === 0 && bits & SHIFT) return named(plain.toUpperCase(), bits & ~SHIFT);
  return named(plain.toLowerCase(), bits);
}

/** A control character, or null when it is not one. */
export function keyByControl(code: number, alt: boolean): KeyInput | null {
  const bits = alt ? ALT : 0;
  if (code === 0x0d) return named('enter', bits);
  if (code === 0x09) return named('tab', bits);
  if (code === 0x7f) return named('backspace', bits);
  if (code === 0x00) return named('space', bits | CTRL);
  if (code >= 1 && code <= 26) return named(String.fromCharCode(96 + code), bits | CTRL);
  if (code >= 0x1c && code <= 0x1f) return named('\\]^_'.charAt(code - 0x1c), bits | CTRL);
  return null;
}

/** A typed grapheme cluster, perhaps after ESC. */
export function keyByText(text: string, alt: boolean): KeyInput {
  const name = text === ' ' ? 'space' : text;
  return alt ? named(name, ALT) : { type: 'key', key: name, text };
}
