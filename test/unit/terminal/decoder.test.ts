import { describe, expect, it } from '@jest/globals';
import { createDecoder, type Reply } from '../../../src/terminal/decoder.js';
import { createInput } from '../../../src/terminal/input.js';
import type { TerminalInput } from '../../../src/terminal/terminal.js';
import { FakeStdin, HandClock } from '../../support/fake-streams.js';

function decode(...chunks: string[]): { inputs: TerminalInput[]; replies: Reply[]; names: string[] } {
  const inputs: TerminalInput[] = [];
  const replies: Reply[] = [];
  const decoder = createDecoder(
    (input) => inputs.push(input),
    (reply) => replies.push(reply),
  );
  for (const chunk of chunks) decoder.push(chunk);
  return { inputs, replies, names: inputs.map((input) => (input.type === 'key' ? input.key : input.type)) };
}

const names = (...chunks: string[]): string[] => decode(...chunks).names;

describe('keys', () => {
  it.each([
    ['a', 'a'],
    ['G', 'G'],
    [' ', 'space'],
    ['é', 'é'],
    ['漢', '漢'],
    ['👩‍💻', '👩‍💻'],
    ['\r', 'enter'],
    ['\n', 'ctrl+j'],
    ['\t', 'tab'],
    ['\x7f', 'backspace'],
    ['\x08', 'ctrl+h'],
    ['\x03', 'ctrl+c'],
    ['\x00', 'ctrl+space'],
    ['\x1f', 'ctrl+_'],
    ['\x1b\r', 'alt+enter'],
    ['\x1b.', 'alt+.'],
    ['\x1bé', 'alt+é'],
    ['\x1bG', 'alt+G'],
    ['\x1b\x7f', 'alt+backspace'],
    ['\x1b[A', 'up'],
    ['\x1bOA', 'up'],
    ['\x1b[1;5C', 'ctrl+right'],
    ['\x1b[1;8D', 'ctrl+alt+shift+left'],
    ['\x1b\x1b[D', 'alt+left'],
    ['\x1b[Z', 'shift+tab'],
    ['\x1b[H', 'home'],
    ['\x1b[1~', 'home'],
    ['\x1b[4~', 'end'],
    ['\x1b[3;5~', 'ctrl+delete'],
    ['\x1b[5~', 'pageup'],
    ['\x1b[6~', 'pagedown'],
    ['\x1bOP', 'f1'],
    ['\x1b[[A', 'f1'],
    ['\x1b[15~', 'f5'],
    ['\x1b[24;2~', 'shift+f12'],
    ['\x1b[1;2R', 'shift+f3'],
    ['\x1b[13;2u', 'shift+enter'],
    ['\x1b[13;5u', 'ctrl+enter'],
    ['\x1b[27u', 'escape'],
    ['\x1b[105;5u', 'ctrl+i'],
    ['\x1b[97;2u', 'A'],
    ['\x1b[49:33;2u', '!'],
    ['\x1b[27;2;13~', 'shift+enter'],
    ['\x1b[27;5;9~', 'ctrl+tab'],
    ['\x1b[106;5u', 'ctrl+j'],
    ['\x1bOM', 'enter'],
    ['\x1b[57399u', '0'],
  ])('%j is %s', (bytes, name) => {
    expect(names(bytes)).toEqual([name]);
  });

  it('the same when every byte comes in a read of its own', () => {
    const all = 'aé\x1b[A\x1b[1;5C\x1b[13;2u\x1b[<64;5;6M\x1b[200~two\rlines\x1b[201~\x1b[0nz';
    expect(names(...all)).toEqual(names(all));
    expect(names(all)).toEqual(['a', 'é', 'up', 'ctrl+right', 'shift+enter', 'mouse', 'paste', 'z']);
  });

  it('a key in the same read as a mouse or focus report is not lost, nor are several wheel steps', () => {
    expect(names('\x1b[<64;1;1M\x1b[<64;1;1M\x1b[<65;1;1Mx\x1b[Iy\x1b[O')).toEqual([
      'mouse',
      'mouse',
      'mouse',
      'x',
      'focus',
      'y',
      'focus',
    ]);
  });

  it('a release (kitty), a modifier alone and unknown sequences are nothing', () => {
    expect(
      decode('\x1b[97;1:3u', '\x1b[57441u', '\x1b[99;99;99z', '\x1b[?12;4z', '\x1b[M abc'),
    ).toMatchObject({
      names: ['c'],
      replies: [],
    });
  });

  it('a broken sequence does not swallow the key after it', () => {
    expect(names('\x1b[12\x1b[A')).toEqual(['up']);
    expect(names('\x1b[12\rx')).toEqual(['enter', 'x']);
  });

  it('a long run of text without paste markers is one event', () => {
    expect(decode('x'.repeat(500)).inputs).toEqual([{ type: 'key', key: 'text', text: 'x'.repeat(500) }]);
  });
});

describe('paste', () => {
  it('is one event with \\n as its line ends and no control characters', () => {
    expect(decode('\x1b[200~a\r\nb\rc\nd\x1b]52;c;eHg=\x07\x03e\x1b[201~').inputs).toEqual([
      { type: 'paste', text: 'a\nb\nc\nde' },
    ]);
  });

  it('of 100 kB is one event, also in small reads', () => {
    const body = 'some text, some more\r'.repeat(5000);
    const text = `\x1b[200~${body}\x1b[201~`;
    const paste = [{ type: 'paste', text: body.replaceAll('\r', '\n') }];
    expect(decode(text).inputs).toEqual(paste);
    expect(decode(...(text.match(/[^]{1,1000}/g) ?? [])).inputs).toEqual(paste);
  });
});

describe('mouse', () => {
  it('positions count from 0', () => {
    expect(
      decode('\x1b[<0;3;4M', '\x1b[<2;3;4m', '\x1b[<35;1;1M', '\x1b[<65;9;9M', '\x1b[<66;1;1M').inputs,
    ).toEqual([
      { type: 'mouse', action: 'down', button: 0, x: 2, y: 3 },
      { type: 'mouse', action: 'up', button: 2, x: 2, y: 3 },
      { type: 'mouse', action: 'move', button: 3, x: 0, y: 0 },
      { type: 'mouse', action: 'wheel-down', button: 1, x: 8, y: 8 },
    ]);
  });
});

describe('replies are never typed', () => {
  it.each([
    ['\x1b[0n', { kind: 'acknowledged' }],
    ['\x1b[?2026;2$y', { kind: 'mode', mode: 2026, state: 2 }],
    ['\x1b[?1u', { kind: 'keyboard', flags: 1 }],
    ['\x1b[?62;22c', { kind: 'other' }],
    ['\x1b[>41;354;0c', { kind: 'other' }],
    ['\x1b[12;40R', { kind: 'other' }],
    ['\x1b]11;rgb:0000/0000/0000\x1b\\', { kind: 'colour', text: '11;rgb:0000/0000/0000' }],
    ['\x1b]10;rgb:ffff/ffff/ffff\x07', { kind: 'colour', text: '10;rgb:ffff/ffff/ffff' }],
    ['\x1bP>|XTerm(354)\x1b\\', { kind: 'version', text: 'XTerm(354)' }],
    ['\x1bP1+r544e=78\x1b\\', { kind: 'other' }],
  ])('%j', (bytes, reply) => {
    expect(decode(bytes)).toMatchObject({ inputs: [], replies: [reply] });
    expect(decode(...bytes)).toMatchObject({ inputs: [], replies: [reply] });
  });
});

describe('time', () => {
  function open(env = {}) {
    const stdin = new FakeStdin();
    const clock = new HandClock();
    const seen: string[] = [];
    let closed = 0;
    const input = createInput({
      stdin,
      env,
      clock,
      onInput: (one) =>
        seen.push(one.type === 'key' ? one.key : one.type === 'paste' ? `paste ${one.text}` : one.type),
      onReply: () => {},
      onClosed: () => closed++,
    });
    input.start();
    return { stdin, clock, seen, closed: () => closed };
  }

  it('ESC and [A in two reads are the up arrow, ESC alone is Escape after 30 ms', () => {
    const { stdin, clock, seen } = open();
    stdin.send('\x1b');
    clock.pass(20);
    stdin.send('[A');
    expect(seen).toEqual(['up']);
    stdin.send('\x1b');
    clock.pass(31);
    expect(seen).toEqual(['up', 'escape']);
  });

  it('over SSH it waits longer', () => {
    const { stdin, clock, seen } = open({ SSH_CONNECTION: 'x' });
    stdin.send('\x1b');
    clock.pass(80);
    stdin.send('[A');
    clock.pass(500);
    expect(seen).toEqual(['up']);
  });

  it('Alt+[ and Alt+O are keys when nothing follows', () => {
    const { stdin, clock, seen } = open();
    stdin.send('\x1b[');
    clock.pass(40);
    stdin.send('\x1bO');
    clock.pass(40);
    expect(seen).toEqual(['alt+[', 'alt+O']);
  });

  it('bytes of one character in two reads are one character', () => {
    const { stdin, seen } = open();
    const bytes = Buffer.from('漢😀');
    for (const byte of bytes) stdin.send(Buffer.from([byte]));
    expect(seen).toEqual(['漢', '😀']);
  });

  it('a paste whose end got lost is delivered', () => {
    const { stdin, clock, seen } = open();
    stdin.send('\x1b[200~half a text');
    clock.pass(2500);
    stdin.send('x');
    expect(seen).toEqual(['paste half a text', 'x']);
  });

  it('the end of the input is told', () => {
    const { stdin, closed } = open();
    stdin.end();
    expect(closed()).toBe(1);
  });
});
