/**
 * Makes text from a model, a server, a file or a log safe to show: no escape sequence, no control character, nothing that reorders or hides
 * other text. Terminals that honour C1 controls in UTF-8 would let a model set the clipboard or wipe the screen.
 */

/** Anything that may need work; most text has none of it and is returned as it is. */
const SUSPECT =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]|[\ufe00-\ufe0f]/;

const REMOVED =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu;
/** With the `u` flag a pair is one code point, so this finds only halves. */
const LONE_SURROGATE = /[\ud800-\udfff]/gu;
/** Joiners and variation selectors stay where they do something: between letters of scripts that need them and in emoji. */
const STRAY_JOINER =
  /(?<!\p{L}|\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier})[\u200c\u200d]|(?<=[a-zA-Z])[\u200c\u200d]/gu;
const STRAY_SELECTOR = /(?<!\p{Extended_Pictographic}|\p{L}|[0-9#*])[\ufe00-\ufe0f]/gu;

const ESC = 0x1b;
const CSI_8BIT = 0x9b;
const ST_8BIT = 0x9c;

export interface SanitizeOptions {
  /** A carriage return goes back to the start of the line and overwrites it (progress bars in logs). Otherwise it is a line break or gone. */
  readonly overwrite?: boolean;
  /** Tabs become spaces up to the next multiple of so many columns. */
  readonly tabWidth?: number;
}

/** Text of several lines: only printable characters, \n and \t are left. */
export function sanitize(text: string, options: SanitizeOptions = {}): string {
  let safe = text;
  if (SUSPECT.test(text)) {
    const sanitizer = createSanitizer(options.overwrite === true);
    safe = sanitizer.push(text) + sanitizer.end();
  }
  if (options.overwrite === true && safe.includes('\r')) safe = safe.split('\n').map(overwritten).join('\n');
  if (options.tabWidth !== undefined && safe.includes('\t')) safe = expandTabs(safe, options.tabWidth);
  return safe;
}

/** One line, e.g. a model's name or a title: line breaks and tabs become spaces. */
export function sanitizeLine(text: string): string {
  const safe = SUSPECT.test(text) ? sanitize(text) : text;
  return /[\n\t]/.test(safe) ? safe.replace(/[\n\t]+/g, ' ') : safe;
}

export interface Sanitizer {
  /** The safe text of this chunk; what might be the start of a sequence waits for the next one. */
  push(chunk: string): string;
  /** What still waited. An unfinished sequence is dropped. */
  end(): string;
}

/** Where the reader stands inside an escape sequence. */
type Mode = 'text' | 'escape' | 'escape-intermediate' | 'csi' | 'string' | 'string-escape';

/**
 * Sanitises a stream: escape sequences, surrogate pairs and \r\n may be split between chunks. Linear in its input.
 * @param keepReturns leaves a lone \r in place, for the overwriting of log lines.
 */
export function createSanitizer(keepReturns = false): Sanitizer {
  let mode: Mode = 'text';
  let high = '';
  let pendingReturn = false;

  function strip(text: string): string {
    let out = '';
    let start = mode === 'text' ? 0 : -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (mode === 'text') {
        if (code === ESC || (code >= 0x80 && code < 0xa0)) {
          out += text.slice(start, i);
          mode = code === ESC ? 'escape' : after8BitControl(code);
          start = mode === 'text' ? i + 1 : -1;
        }
        continue;
      }
      mode = next(mode, code);
      // A control that ends a sequence early (line break inside a CSI) is text again; an ordinary last byte is not.
      if (mode === 'text') start = code === 0x0a ? i : i + 1;
    }
    if (start >= 0) out += text.slice(start);
    return out;
  }

  return {
    push(chunk) {
      let text = high + chunk;
      high = '';
      if (text === '') return '';
      const last = text.charCodeAt(text.length - 1);
      if (last >= 0xd800 && last < 0xdc00) {
        high = text.slice(-1);
        text = text.slice(0, -1);
      }
      if (pendingReturn) text = '\r' + text;
      pendingReturn = false;
      if (mode === 'text' && !SUSPECT.test(text)) return text;
      text = strip(text);
      if (text.endsWith('\r')) {
        pendingReturn = true;
        text = text.slice(0, -1);
      }
      return clean(text, keepReturns);
    },
    end() {
      const rest = (pendingReturn ? (keepReturns ? '\r' : '\n') : '') + (high === '' ? '' : '\ufffd');
      high = '';
      pendingReturn = false;
      mode = 'text';
      return rest;
    },
  };
}

function after8BitControl(code: number): Mode {
  if (code === CSI_8BIT) return 'csi';
  return isStringStart8Bit(code) ? 'string' : 'text';
}

/** DCS, SOS, OSC, PM, APC. */
function isStringStart8Bit(code: number): boolean {
  return code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;
}

function next(mode: Mode, code: number): Mode {
  // CAN and SUB abort every sequence (ECMA-48), so a program cannot swallow the rest of a log for ever.
  if (code === 0x18 || code === 0x1a) return 'text';
  switch (mode) {
    case 'escape':
      if (code === 0x5b) return 'csi';
      if (code === 0x5d || code === 0x50 || code === 0x58 || code === 0x5e || code === 0x5f) return 'string';
      if (code >= 0x20 && code <= 0x2f) return 'escape-intermediate';
      return code === ESC ? 'escape' : 'text';
    case 'escape-intermediate':
      return code >= 0x20 && code <= 0x2f ? mode : 'text';
    case 'csi':
      if (code === ESC) return 'escape';
      if (code >= 0x20 && code <= 0x3f) return 'csi';
      return 'text';
    case 'string':
      if (code === 0x07 || code === ST_8BIT) return 'text';
      return code === ESC ? 'string-escape' : 'string';
    case 'string-escape':
      // ESC \ ends the string; ESC and another byte starts a new sequence.
      return code === 0x5c ? 'text' : next('escape', code);
    case 'text':
      return 'text';
  }
}

function clean(text: string, keepReturns: boolean): string {
  if (!SUSPECT.test(text)) return text;
  let safe = text.replace(/[\u2028\u2029]/g, '\n').replace(/\r\n/g, '\n');
  if (!keepReturns) safe = safe.replace(/\r/g, '\n');
  safe = safe.replace(LONE_SURROGATE, '\ufffd').replace(REMOVED, '');
  if (/[\u200c\u200d]/.test(safe)) safe = safe.replace(STRAY_JOINER, '');
  if (/[\ufe00-\ufe0f]/.test(safe)) safe = safe.replace(STRAY_SELECTOR, '');
  return safe;
}

/** What a terminal would show of a line with carriage returns: each part overwrites the start of what was there. */
function overwritten(line: string): string {
  if (!line.includes('\r')) return line;
  let shown = '';
  for (const part of line.split('\r')) shown = part + shown.slice(part.length);
  return shown;
}

function expandTabs(text: string, tabWidth: number): string {
  return text
    .split('\n')
    .map((line) => {
      if (!line.includes('\t')) return line;
      let out = '';
      for (const [i, part] of line.split('\t').entries()) {
        if (i > 0) out += ' '.repeat(tabWidth - (out.length % tabWidth));
        out += part;
      }
      return out;
    })
    .join('\n');
}
