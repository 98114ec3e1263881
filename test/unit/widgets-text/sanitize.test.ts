import { describe, expect, it } from '@jest/globals';
import { createSanitizer, sanitize, sanitizeLine } from '../../../widgets/text/sanitize.js';
import { bounded } from '../../support/bounded.js';

describe('sanitize', () => {
  it.each([
    ['plain text\n\tindented é 漢 😀', 'plain text\n\tindented é 漢 😀'],
    ['a\x1b]52;c;ZXZpbA==\x07b', 'ab'],
    ['a\x1b]0;title\x1b\\b', 'ab'],
    ['a\x9d52;c;ZXZpbA==\x9cb', 'ab'],
    ['a\x9b2Jb', 'ab'],
    ['a\x85b', 'ab'],
    ['a\x1b[31;1mred\x1b[0mb', 'aredb'],
    ['a\x1b[38:2::1:2:3mb', 'ab'],
    ['a\x1bPpayload\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e', 'abcde'],
    ['a\x1b(0b\x1bcc\x1b7d', 'abcd'],
    ['bell\x07 back\x08 del\x7f nul\0 so\x0e vt\x0b', 'bell back del nul so vt'],
    ['a\r\nb\rc', 'a\nb\nc'],
    ['x\u202ey\u2066z\u200bw\ufeff\u200e', 'xyzw'],
    ['a\u2028b\u2029c', 'a\nb\nc'],
    ['tag\u{e0041}\u{e007f}s', 'tags'],
    ['\ud800x\udc00', '\ufffdx\ufffd'],
    ['👩‍💻 ❤️ 1️⃣', '👩‍💻 ❤️ 1️⃣'],
    ['क्‍ष', 'क्‍ष'],
    ['a\u200db', 'ab'],
    ['a\x1b[12\nb', 'a\nb'],
    ['{red-fg}{center}braces{/}', '{red-fg}{center}braces{/}'],
  ])('%j becomes %j', (text, safe) => {
    expect(sanitize(text)).toBe(safe);
  });

  it('gives the same when the text comes in pieces of any size', () => {
    const text = 'a\x1b]52;c;ZXZpbA==\x07b\x1b[31mc\r\nd\x1b]0;t\x1b\\e😀f\x9b2Jg👩‍💻h\ri';
    for (let size = 1; size < 8; size++) {
      const sanitizer = createSanitizer();
      let out = '';
      for (let i = 0; i < text.length; i += size) out += sanitizer.push(text.slice(i, i + size));
      // A joiner whose neighbours come later cannot be judged; everything else is equal.
      expect((out + sanitizer.end()).replaceAll('\u200d', '')).toBe(sanitize(text).replaceAll('\u200d', ''));
    }
  });

  it('drops an unfinished sequence and keeps a half character visible at the end', () => {
    const sanitizer = createSanitizer();
    expect(sanitizer.push('a\x1b]52;c;') + sanitizer.end()).toBe('a');
    expect(sanitizer.push('b\ud83d') + sanitizer.end()).toBe('b\ufffd');
  });

  it('in logs a carriage return overwrites and tabs go to the next column', () => {
    expect(sanitize('10 %\r55 %\r100 %\nabc\rx', { overwrite: true })).toBe('100 %\nxbc');
    expect(sanitize('a\tb\n\tc', { tabWidth: 4 })).toBe('a   b\n    c');
  });

  it('a name is one line', () => {
    expect(sanitizeLine('a\nb\t\x1b[31mc')).toBe('a b c');
  });

  it('takes linear time for hostile text', () => {
    for (const evil of [
      '\x1b',
      '\x1b]',
      '\x1b[',
      '\x1b[1',
      '\x9d',
      '\x1b\x1b[',
      '\r',
      '\u200d',
      'a\u200d',
      '\ud800',
      '\u202e',
    ]) {
      const text = evil.repeat(1_000_000 / evil.length);
      bounded(() => sanitize(text));
      bounded(() => sanitize(text, { overwrite: true }));
    }
  });

  it('leaves no control character, whatever comes', () => {
    let state = 7;
    const alphabet = '\x1b[]PX_^\\0;mn\x07\x9b\x9d\x9c\x90\r\n\ta😀\u200d\u202e\x18\x1a';
    for (let round = 0; round < 2000; round++) {
      let text = '';
      for (let i = 0; i < 30; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        text += alphabet[state % alphabet.length];
      }
      expect(sanitize(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });
});
