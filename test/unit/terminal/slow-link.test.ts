import { describe, expect, it } from '@jest/globals';
import headless from '@xterm/headless';
import { createTerminal } from '../../../src/terminal/create.js';
import { createLinkRate } from '../../../src/terminal/link-rate.js';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { row, span, type Row } from '../../../widgets/text/span.js';
import { DARK } from '../../../widgets/themes/dark.js';
import { FakeStdin, FakeStdout, HandClock } from '../../support/fake-streams.js';

const COLUMNS = 100;
const ROWS = 30;
const DELAY_MS = 20;

/** A terminal behind a line that takes so many bytes per ms and 20 ms each way, in the time of a clock that is moved by hand. */
function openLink(bytesPerMs: number) {
  const clock = new HandClock();
  const xterm = new headless.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const stdin = new FakeStdin();
  let freeAt = 0;
  let shown = '';
  const stdout = new FakeStdout(COLUMNS, ROWS, (chunk) => {
    freeAt = Math.max(freeAt, clock.monotonic()) + chunk.length / bytesPerMs;
    clock.after(freeAt + DELAY_MS - clock.monotonic(), () => {
      const text = Buffer.from(chunk).toString();
      shown += text;
      xterm.write(text);
      for (let count = text.split('\x1b[5n').length - 1; count > 0; count--)
        clock.after(DELAY_MS, () => stdin.send('\x1b[0n'));
    });
  });
  const terminal = createTerminal({
    stdin,
    stdout,
    env: { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    clock,
    theme: DARK,
    glyphs: UNICODE_GLYPHS,
    ownsProcess: false,
  });
  terminal.enter();
  const text = terminal.screen.surface('text');
  const box = terminal.screen.surface('box');
  text.place({ x: 0, y: 0, width: COLUMNS, height: ROWS - 1 });
  box.place({ x: 0, y: ROWS - 1, width: COLUMNS, height: 1 });
  terminal.screen.cursor({ x: 0, y: ROWS - 1 });
  const screen = (): string[] =>
    Array.from({ length: ROWS }, (_, y) => xterm.buffer.active.getLine(y)?.translateToString(true) ?? '');
  const written = (): Promise<void> => new Promise((resolve) => xterm.write('', resolve));
  return { clock, stdout, terminal, text, box, screen, written, shown: () => shown };
}

const rowsOf = (round: number): Row[] =>
  Array.from({ length: ROWS - 1 }, (_, y) =>
    row(span(`${round} ${y} `.repeat(10)), span(` ${round * 31 + y}`, 'accent')),
  );

describe('a link of 10 kB/s', () => {
  it('gets small parts of frames, a key overtakes them, and the last picture is whole', async () => {
    const { clock, stdout, terminal, text, box, screen, written, shown } = openLink(10);
    const { screen: drawn } = terminal;
    let more = false;
    let round = 0;
    let typed = '';
    const paint = (): void => {
      text.paint(rowsOf(round));
      more = !drawn.flush();
    };
    terminal.onWritable(() => more && paint());
    paint();
    const waits: number[] = [];
    const longest: number[] = [];
    for (round = 1; round <= 120; round++) {
      const chunks = stdout.chunks.length;
      clock.pass(33);
      paint();
      if (round > 40) longest.push(...stdout.chunks.slice(chunks).map((chunk) => chunk.length));
      if (round < 60 || round % 10 !== 0) continue;
      clock.pass(7);
      typed = String.fromCharCode(0x41 + round / 10).repeat(8);
      box.paint([row(span(typed))]);
      const at = clock.monotonic();
      more = !drawn.flush(true);
      while (!shown().includes(typed) && clock.monotonic() < at + 1000) clock.pass(1);
      waits.push(clock.monotonic() - at);
    }
    // Three kilobytes change with every frame; what goes out takes 50 ms and a row at most.
    expect(Math.max(...longest)).toBeLessThan(900);
    expect(Math.max(...waits)).toBeLessThan(150);
    for (let step = 0; step < 100; step++) clock.pass(33);
    paint();
    for (let step = 0; step < 100; step++) clock.pass(33);
    await written();
    expect(screen().slice(0, -1)).toEqual(
      rowsOf(round).map(({ spans }) =>
        spans
          .map((s) => s.text)
          .join('')
          .trimEnd(),
      ),
    );
    expect(screen().at(-1)).toBe(typed);
    const before = stdout.bytes;
    paint();
    expect(stdout.bytes).toBe(before);
  });

  it('keeps one frame on its way, and a second place for a key', () => {
    const { clock, stdout, terminal, text, box } = openLink(10);
    for (let round = 0; round < 10; round++) {
      text.paint(rowsOf(round));
      terminal.screen.flush();
      clock.pass(2000);
    }
    const before = stdout.chunks.length;
    text.paint(rowsOf(11));
    expect(terminal.screen.flush()).toBe(false);
    text.paint(rowsOf(12));
    expect(terminal.screen.flush()).toBe(false);
    expect(stdout.chunks.length).toBe(before + 1);
    box.paint([row(span('a'))]);
    terminal.screen.flush(true);
    expect(stdout.chunks.length).toBe(before + 2);
    box.paint([row(span('ab'))]);
    expect(terminal.screen.flush(true)).toBe(false);
    expect(stdout.chunks.length).toBe(before + 2);
  });
});

describe('a fast link', () => {
  it('gets whole frames', () => {
    const { clock, terminal, text } = openLink(1000);
    for (let round = 0; round < 20; round++) {
      text.paint(rowsOf(round));
      expect(terminal.screen.flush()).toBe(true);
      clock.pass(60);
    }
  });
});

describe('the rate of a link', () => {
  it('is seen from long frames, not from delay', () => {
    const far = createLinkRate();
    for (let at = 0; at < 10_000; at += 1000) far.answered(at, at + 300, 700);
    expect([far.slow, far.room(false)]).toEqual([false, Infinity]);
    const narrow = createLinkRate();
    narrow.answered(0, 40, 60);
    for (let at = 1000; at < 10_000; at += 1000) narrow.answered(at, at + 40 + 70, 700);
    expect(narrow.slow).toBe(true);
    expect(narrow.room(false)).toBeCloseTo(420, -2);
    expect(narrow.room(true)).toBeCloseTo(200, -2);
    for (let at = 10_000; at < 30_000; at += 1000) narrow.answered(at, at + 41, 700);
    expect(narrow.slow).toBe(false);
  });
});
