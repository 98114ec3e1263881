/** Turns what a terminal sends into keys, pastes, mouse, focus and replies. Holds no timer: the input says when a lone ESC was a key. */
import { sanitize } from '../../widgets/text/sanitize.js';
import { graphemes } from '../../widgets/text/width.js';
import {
  keyByCode,
  keyByControl,
  keyByLetter,
  keyByNumber,
  keyBySs3,
  keyByText,
  modifierBits,
} from './keys.js';
import type { TerminalInput } from './terminal.js';

/** An answer to one of our questions; never typed text. */
export type Reply =
  | { readonly kind: 'acknowledged' }
  /** DECRPM; state 1 set, 2 reset, 0 unknown, 3 and 4 permanent. */
  | { readonly kind: 'mode'; readonly mode: number; readonly state: number }
  /** The terminal knows the kitty keyboard protocol. */
  | { readonly kind: 'keyboard'; readonly flags: number }
  /** OSC 10, 11, 4: its colours. */
  | { readonly kind: 'colour'; readonly text: string }
  | { readonly kind: 'version'; readonly text: string }
  | { readonly kind: 'other' };

export interface Decoder {
  push(text: string): void;
  /** Nothing came for a while: what waits is a key, not the start of a sequence. */
  expire(): void;
  /** What waits for more: `key` (ESC and what Alt sends), `sequence`, `paste`. */
  readonly waiting: 'nothing' | 'key' | 'sequence' | 'paste';
}

const PASTE_END = '\x1b[201~';
const SEQUENCE_MAX_CHARS = 4096;
/** Longer runs of text in one read are one event: a paste into a terminal without bracketed paste. */
const TYPED_MAX_CLUSTERS = 32;

const CSI = /\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])/y;
const CSI_START = /\x1b\[[<=>?]?[0-9;:]*[ -/]*$/y;
/** OSC, DCS, APC, PM, SOS up to BEL or ST. */
const STRING = /\x1b([\]P_^X])([^\x07\x1b]*)(?:\x07|\x1b\\)/y;
const STRING_START = /\x1b[\]P_^X][^\x07\x1b]*\x1b?$/y;

export function createDecoder(
  receive: (input: TerminalInput) => void,
  receiveReply: (reply: Reply) => void,
): Decoder {
  let rest = '';
  /** Parts of a paste under way. */
  let paste: string[] | null = null;

  function push(chunk: string): void {
    let text = rest + chunk;
    rest = '';
    while (text !== '') {
      if (paste !== null) {
        text = takePaste(text);
        continue;
      }
      const taken = takeOne(text);
      if (taken === 0) {
        rest = text;
        return;
      }
      text = text.slice(taken);
    }
  }

  /** Collects up to the end marker, of which a part may still be missing. Returns what follows it. */
  function takePaste(text: string): string {
    const parts = paste ?? [];
    const end = text.indexOf(PASTE_END);
    if (end < 0) {
      const kept = Math.min(text.length, PASTE_END.length - 1);
      parts.push(text.slice(0, text.length - kept));
      rest = text.slice(text.length - kept);
      return '';
    }
    parts.push(text.slice(0, end));
    finishPaste(parts);
    return text.slice(end + PASTE_END.length);
  }

  function finishPaste(parts: string[]): void {
    paste = null;
    receive({ type: 'paste', text: sanitize(parts.join('')) });
  }

  /** Length of the first key, run of text or sequence; 0 when it is not whole yet. */
  function takeOne(text: string): number {
    const code = text.charCodeAt(0);
    if (code === 0x1b) return takeEscape(text);
    const control = keyByControl(code, false);
    if (control !== null) {
      receive(control);
      return 1;
    }
    const end = text.search(/[\x00-\x1f\x7f]/);
    const run = end < 0 ? text : text.slice(0, end);
    takeText(run, false);
    return run.length;
  }

  function takeText(raw: string, alt: boolean): void {
    const text = sanitize(raw);
    const clusters = graphemes(text);
    if (clusters.length > TYPED_MAX_CLUSTERS) receive({ type: 'key', key: 'text', text });
    else for (const cluster of clusters) receive(keyByText(cluster, alt));
  }

  function takeEscape(text: string): number {
    if (text.length === 1) return 0;
    const second = text.charAt(1);
    if (second === '[') return takeCsi(text);
    if (second === 'O') {
      if (text.length === 2) return 0;
      const key = keyBySs3(text.charAt(2));
      if (key !== null) receive(key);
      return 3;
    }
    if (/[\]P_^X]/.test(second)) return takeString(text);
    if (second === '\x1b') {
      // ESC before a sequence is how rxvt and macOS send Alt with an arrow; ESC twice is two keys.
      CSI.lastIndex = 1;
      const arrow = CSI.exec(text);
      const key = arrow?.[1] === '' && arrow[2] === '' ? keyByLetter(arrow[4] ?? '', 2) : null;
      if (key !== null && arrow !== null) {
        receive(key);
        return 1 + arrow[0].length;
      }
      receive({ type: 'key', key: 'escape', text: '' });
      return 1;
    }
    const control = keyByControl(second.charCodeAt(0), true);
    if (control !== null) {
      receive(control);
      return 2;
    }
    const cluster = graphemes(text.slice(1, 40))[0] ?? second;
    takeText(cluster, true);
    return 1 + cluster.length;
  }

  function takeString(text: string): number {
    STRING.lastIndex = 0;
    const whole = STRING.exec(text);
    if (whole !== null) {
      receiveReply(stringReply(whole[1] ?? '', whole[2] ?? ''));
      return whole[0].length;
    }
    STRING_START.lastIndex = 0;
    if (STRING_START.test(text) && text.length < SEQUENCE_MAX_CHARS) return 0;
    // Not a string at all: Alt with that character.
    takeText(text.charAt(1), true);
    return 2;
  }

  function takeCsi(text: string): number {
    // The Linux console's F1..F5.
    if (text.startsWith('\x1b[[')) {
      if (text.length === 3) return 0;
      const number = 'ABCDE'.indexOf(text.charAt(3));
      if (number >= 0) receive({ type: 'key', key: `f${number + 1}`, text: '' });
      return 4;
    }
    CSI.lastIndex = 0;
    const match = CSI.exec(text);
    if (match === null) {
      CSI_START.lastIndex = 0;
      if (CSI_START.test(text) && text.length < SEQUENCE_MAX_CHARS) return 0;
      // Broken off by something else: what is there belongs to nobody.
      return Math.max(2, text.search(/(?<=^\x1b\[[<=>?]?[0-9;:]*[ -/]*)[^<=>?0-9;: -/]/));
    }
    const [whole, prefix = '', parameters = '', middle = '', final = ''] = match;
    // X10 mouse reports carry three more bytes.
    if (final === 'M' && prefix === '' && parameters === '') return Math.min(text.length, whole.length + 3);
    if (final === '~' && parameters === '200') paste = [];
    else dispatch(prefix, parameters, middle, final);
    return whole.length;
  }

  function dispatch(prefix: string, parameters: string, middle: string, final: string): void {
    const groups = parameters.split(';').map((group) => group.split(':').map(Number));
    const number = (at: number): number => groups[at]?.[0] ?? 0;
    if (prefix === '<' && (final === 'M' || final === 'm')) {
      const mouse = mouseInput(number(0), number(1), number(2), final === 'm');
      if (mouse !== null) receive(mouse);
      return;
    }
    const reply = csiReply(prefix, middle, final, number(0), number(1), groups.length);
    if (reply !== null) {
      receiveReply(reply);
      return;
    }
    if (prefix !== '' || middle !== '') return;
    if ((final === 'I' || final === 'O') && parameters === '') {
      receive({ type: 'focus', focused: final === 'I' });
      return;
    }
    // kitty: the second part of the modifiers is 3 for a release.
    if (groups[1]?.[1] === 3) return;
    const bits = modifierBits(groups[1]?.[0]);
    let key;
    if (final === 'u') key = keyByCode(number(0), bits, groups[0]?.[1] === 0 ? undefined : groups[0]?.[1]);
    else if (final === '~' && number(0) === 27) key = keyByCode(number(2), bits);
    else if (final === '~') key = keyByNumber(number(0), bits);
    else key = keyByLetter(final, bits);
    if (key !== null) receive(key);
  }

  return {
    push,
    expire() {
      const text = rest;
      rest = '';
      if (paste !== null) {
        // The end marker got lost: the text is worth more than the marker.
        finishPaste([...paste, text]);
        return;
      }
      if (text === '\x1b') receive({ type: 'key', key: 'escape', text: '' });
      else if (text.length === 2) takeText(text.charAt(1), true);
    },
    get waiting() {
      if (paste !== null) return 'paste';
      if (rest === '') return 'nothing';
      return rest.length <= 2 ? 'key' : 'sequence';
    },
  };
}

function csiReply(
  prefix: string,
  middle: string,
  final: string,
  first: number,
  second: number,
  groups: number,
): Reply | null {
  if (final === 'n') return prefix === '' && first === 0 ? { kind: 'acknowledged' } : { kind: 'other' };
  if (final === 'y' && middle === '$') return { kind: 'mode', mode: first, state: second };
  if (final === 'u' && prefix === '?') return { kind: 'keyboard', flags: first };
  // A cursor position; `1;2R` to `1;16R` is F3 with modifiers, and we never ask for positions.
  if (final === 'R' && (prefix === '?' || (groups === 2 && first !== 1))) return { kind: 'other' };
  if (final === 'c' || final === 't' || final === 'x') return { kind: 'other' };
  return null;
}

function stringReply(introducer: string, payload: string): Reply {
  if (introducer === ']' && /^(4|10|11);/.test(payload)) return { kind: 'colour', text: payload };
  if (introducer === 'P' && payload.startsWith('>|')) return { kind: 'version', text: payload.slice(2) };
  return { kind: 'other' };
}

const MOUSE_MOVE = 32;
const MOUSE_WHEEL = 64;
const MOUSE_EXTRA = 128;

function mouseInput(button: number, column: number, row: number, released: boolean): TerminalInput | null {
  if (column < 1 || row < 1) return null;
  const at = { type: 'mouse', x: column - 1, y: row - 1 } as const;
  const which = button & 3;
  if (button & MOUSE_EXTRA) return null;
  if (button & MOUSE_WHEEL) {
    // 66 and 67 are sideways.
    return which > 1 ? null : { ...at, action: which === 0 ? 'wheel-up' : 'wheel-down', button: which };
  }
  if (button & MOUSE_MOVE) return { ...at, action: 'move', button: which };
  return { ...at, action: released ? 'up' : 'down', button: which };
}
