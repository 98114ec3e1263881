import { describe, expect, it } from '@jest/globals';
import unicode11 from '@xterm/addon-unicode11';
import headless from '@xterm/headless';
import type { IBufferCell, Terminal as XtermTerminal } from '@xterm/headless';
import { createTerminal } from '../../../src/terminal/create.js';
import type { Area, Surface } from '../../../src/terminal/terminal.js';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import type { Row, Token } from '../../../widgets/text/span.js';
import { DARK } from '../../../widgets/themes/dark.js';
import { FakeStdin, FakeStdout, HandClock } from '../../support/fake-streams.js';

/** The model of a frame: drawn by the simplest means that can be right, with no memory of the frame before. */
interface ModelCell {
  text: string;
  token: Token;
  fill: Token | undefined;
}

const NARROW = ['a', 'b', 'Z', '0', ' ', ' ', '.', 'é', '│', '█', '●', '→'];
const WIDE = ['漢', '字', 'あ', '한', '😀', '🚀', '✅', '，'];
const TOKENS: Token[] = ['text', 'muted', 'accent', 'bad', 'strong', 'chip', 'code', 'match'];
const COLUMNS = 60;
const ROWS = 20;

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function openScreen(unicode: '6' | '11' = '11') {
  const xterm = new headless.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  xterm.loadAddon(new unicode11.Unicode11Addon());
  xterm.unicode.activeVersion = unicode;
  const stdout = new FakeStdout(COLUMNS, ROWS, (chunk) => xterm.write(chunk));
  const stdin = new FakeStdin();
  // Answers arrive at once; the window is not what is tested here.
  xterm.onData((text) => stdin.send(text));
  const clock = new HandClock();
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
  return { xterm, stdout, terminal, clock };
}

const written = (xterm: XtermTerminal): Promise<void> => new Promise((resolve) => xterm.write('', resolve));

function randomRow(below: (n: number) => number, wide: boolean, width: number): Row {
  const spans = [];
  for (let left = below(width + 8); left > 0;) {
    let text = '';
    for (let n = 1 + below(12); n > 0; n--, left--) {
      const letters = wide && below(3) === 0 ? WIDE : NARROW;
      text += letters[below(letters.length)];
    }
    spans.push({ text, token: TOKENS[below(TOKENS.length)] as Token });
  }
  return below(8) === 0 ? { spans, fill: 'selection' } : { spans };
}

const isWide = (cluster: string): boolean => WIDE.includes(cluster);

interface ModelSurface {
  surface: Surface;
  area: Area;
  border: boolean;
  rows: Row[];
}

/** Every surface from the bottom up; a cell belongs to the topmost one; a wide cluster without both of its cells is a blank. */
function model(surfaces: ModelSurface[], columns: number, rows: number): ModelCell[][] {
  const cells = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, (): ModelCell => ({ text: ' ', token: 'text', fill: undefined })),
  );
  const owner = (x: number, y: number): number =>
    surfaces.findLastIndex(
      ({ area }) => x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height,
    );
  const put = (index: number, x: number, y: number, cell: ModelCell): void => {
    if (y < rows && x < columns && owner(x, y) === index) (cells[y] as ModelCell[])[x] = cell;
  };
  for (const [index, { area, border, rows: content }] of surfaces.entries()) {
    const inset = border ? 1 : 0;
    if (border) {
      const edge = (x: number, y: number, text: string): void =>
        put(index, x, y, { text, token: 'border', fill: undefined });
      const right = area.x + area.width - 1;
      const bottom = area.y + area.height - 1;
      for (let x = area.x; x <= right; x++) for (const y of [area.y, bottom]) edge(x, y, '─');
      for (let y = area.y; y <= bottom; y++) for (const x of [area.x, right]) edge(x, y, '│');
      edge(area.x, area.y, '╭');
      edge(right, area.y, '╮');
      edge(area.x, bottom, '╰');
      edge(right, bottom, '╯');
    }
    for (let at = 0; at < area.height - 2 * inset; at++) {
      const y = area.y + inset + at;
      const end = Math.min(area.x + area.width - inset, columns);
      const { spans, fill } = content[at] ?? { spans: [] };
      let x = area.x + inset;
      for (const { text, token } of spans) {
        for (const cluster of text) {
          const width = isWide(cluster) ? 2 : 1;
          const whole = width === 1 || (x + 1 < end && owner(x, y) === index && owner(x + 1, y) === index);
          if (x < end) put(index, x, y, { text: whole ? cluster : ' ', token, fill });
          if (width === 2 && x + 1 < end) put(index, x + 1, y, { text: whole ? '' : ' ', token, fill });
          x += width;
        }
      }
      for (; x < end; x++) put(index, x, y, { text: ' ', token: 'text', fill });
    }
  }
  return cells;
}

const value = (hex: string | undefined): number =>
  hex === undefined ? -1 : Number.parseInt(hex.slice(1), 16);

function difference(cell: IBufferCell | undefined, { text, token, fill }: ModelCell): string | null {
  if (cell === undefined) return 'no cell';
  const shown = cell.getChars() === '' && cell.getWidth() === 1 ? ' ' : cell.getChars();
  if (shown !== text) return `'${shown}' instead of '${text}'`;
  if (text === '') return null;
  const style = DARK.styles[token];
  const under = fill === undefined ? undefined : DARK.styles[fill];
  const bg = value((style.bg ?? under?.bg)?.hex);
  const shownBg = cell.isBgDefault() ? -1 : cell.getBgColor();
  if (shownBg !== bg) return `background ${shownBg} instead of ${bg}`;
  // A space shows nothing of the other attributes.
  if (text === ' ') return null;
  const fg = value((style.fg ?? under?.fg)?.hex);
  const shownFg = cell.isFgDefault() ? -1 : cell.getFgColor();
  if (shownFg !== fg) return `colour ${shownFg} instead of ${fg}`;
  return (cell.isBold() !== 0) === (style.bold === true) ? null : 'bold';
}

describe('random frames', () => {
  it.each([1, 2, 3, 4])('show what the model says, glyphs and styles (seed %i)', async (seed) => {
    const below = random(seed);
    const { xterm, stdout, terminal, clock } = openScreen();
    const place = (): Area => {
      const { width, height } = terminal.screen.size;
      const x = below(width - 12);
      const y = below(height - 6);
      return { x, y, width: 6 + below(width - x - 5), height: 3 + below(height - y - 2) };
    };
    const surfaces: ModelSurface[] = Array.from({ length: 5 }, (_, i) => ({
      surface: terminal.screen.surface(`s${i}`),
      area: place(),
      border: i % 2 === 0,
      rows: [],
    }));
    surfaces[0] = { ...(surfaces[0] as ModelSurface), area: { x: 0, y: 0, width: COLUMNS, height: ROWS } };
    for (const { surface, area, border } of surfaces) {
      surface.place(area);
      surface.frame({ border, focused: false, title: null, footer: null });
    }
    let wrong = 0;
    let first = '';
    for (let frame = 0; frame < 250; frame++) {
      const wide = frame % 2 === 0;
      if (below(25) === 0) {
        stdout.resize(40 + below(60), 16 + below(20));
        xterm.resize(stdout.columns, stdout.rows);
        clock.pass(200);
      }
      for (const one of surfaces) {
        if (below(20) === 0) {
          one.area = place();
          one.surface.place(one.area);
        }
        const width = one.area.width - (one.border ? 2 : 0);
        const height = one.area.height - (one.border ? 2 : 0);
        const action = below(4);
        let hint = 0;
        if (action === 0) one.rows = Array.from({ length: height }, () => randomRow(below, wide, width));
        else if (action === 1 && one.rows.length > 0) {
          one.rows = one.rows.slice();
          one.rows[below(one.rows.length)] = randomRow(below, wide, width);
        } else if (action === 2) {
          hint = 1 + below(3);
          one.rows = [
            ...one.rows.slice(hint),
            ...Array.from({ length: hint }, () => randomRow(below, wide, width)),
          ];
        } else {
          // A hint that is a lie costs bytes and nothing else.
          hint = below(7) - 3;
        }
        one.surface.paint(one.rows, hint);
      }
      terminal.screen.cursor(below(3) === 0 ? null : { x: below(20), y: below(10) });
      expect(terminal.screen.flush()).toBe(true);
      await written(xterm);
      const { width, height } = terminal.screen.size;
      const expected = model(surfaces, width, height);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const found = difference(
            xterm.buffer.active.getLine(y)?.getCell(x),
            (expected[y] as ModelCell[])[x] as ModelCell,
          );
          if (found === null) continue;
          wrong++;
          first ||= `frame ${frame}, ${x},${y}: ${found}`;
        }
      }
      const before = stdout.bytes;
      terminal.screen.flush();
      expect(stdout.bytes).toBe(before);
    }
    expect({ wrong, first }).toEqual({ wrong: 0, first: '' });
  });

  it.each(['6', '11'] as const)(
    'a terminal with other widths (Unicode %s) keeps the neighbours right',
    async (unicode) => {
      const texts = [
        '😀 smile',
        '✅⚡⏳⭐',
        '👨‍👩‍👧‍👦 family',
        '👍🏽 tone',
        '🇺🇸 flag',
        '⚠️ ❤️ selectors',
        '1️⃣ keycap',
        'नमस्ते',
        'สวัสดี',
        'e\u0301 漢字',
        '🫠🪿 new',
        'z͑ͫ̓ͪ̂ͫ̽',
      ];
      const { xterm, terminal } = openScreen(unicode);
      const left = terminal.screen.surface('left');
      const right = terminal.screen.surface('right');
      left.place({ x: 0, y: 0, width: 20, height: ROWS });
      right.place({ x: 20, y: 0, width: 40, height: ROWS });
      left.frame({ border: true, focused: false, title: null, footer: null });
      right.frame({ border: true, focused: true, title: null, footer: null });
      for (let frame = 0; frame < 30; frame++) {
        left.paint(
          Array.from({ length: 18 }, (_, y) => ({
            spans: [{ text: `${texts[(y + frame) % texts.length]} ${frame}`, token: 'text' }],
          })),
          frame % 2,
        );
        right.paint(
          Array.from({ length: 18 }, (_, y) => ({
            spans: [{ text: `neighbour ${y} ${frame}`, token: y % 2 ? 'accent' : 'text' }],
          })),
        );
        terminal.screen.flush();
        await written(xterm);
        for (let y = 1; y < ROWS - 1; y++) {
          const line = xterm.buffer.active.getLine(y)?.translateToString(false, 19, 60);
          expect(`${frame}/${y} ${line}`).toBe(
            `${frame}/${y} ││${`neighbour ${y - 1} ${frame}`.padEnd(38)}│`,
          );
        }
      }
    },
  );

  it('hostile text never reaches the terminal as a control character', async () => {
    const { xterm, terminal } = openScreen();
    const surface = terminal.screen.surface('one');
    surface.place({ x: 0, y: 0, width: COLUMNS, height: ROWS });
    surface.frame({
      border: true,
      focused: false,
      title: { spans: [{ text: 'a\x1b[2Jb\x9b2J', token: 'title' }] },
      footer: null,
    });
    let bad = '';
    xterm.parser.registerOscHandler(52, (payload) => {
      bad += payload;
      return true;
    });
    surface.paint([
      { spans: [{ text: '\x1b]52;c;ZXZpbA==\x07one\x9d52;c;ZXZpbA==\x9c', token: 'text' }] },
      { spans: [{ text: 'x\r\n\x1b[2Jtwo\u202e\u200b{bold}', token: 'text' }] },
    ]);
    terminal.screen.flush();
    await written(xterm);
    expect(bad).toBe('');
    expect(xterm.buffer.active.getLine(0)?.translateToString()).toMatch(/^╭ ab ─.*╮$/);
    expect(xterm.buffer.active.getLine(1)?.translateToString()).toMatch(/^│one +│$/);
    expect(xterm.buffer.active.getLine(2)?.translateToString()).toMatch(/^│x two\{bold\} +│$/);
  });
});
