import type { IBuffer, IBufferCell, Terminal } from '@xterm/headless';
import { shapeOf } from './glyphs.js';

/** Geometry in px: a monospace glyph at 14 px is 8.4 px wide in nearly all fonts. */
const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 18;
const FONT_SIZE = 14;
const FONTS = 'ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace';
const BASELINE = 13.5;
const MARGIN = 14;
const TITLE_BAR = 28;
/** Borders and gauges are mostly made of these; a row of them is one shape, as many would show their seams. */
const [DASH, FULL_BLOCK] = ['─', '█'];

const BACKGROUND = '#16181d';
const FOREGROUND = '#d5d9e0';
const SIXTEEN: readonly string[] =
  '#2b303b #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #d5d9e0 #6b7280 #ff7b85 #b5e890 #ffd68a #7fc1ff #dc8ff5 #6fd3df #ffffff'.split(
    ' ',
  );

interface Look {
  readonly foreground: string;
  readonly background: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
}

interface Run extends Look {
  readonly x: number;
  readonly width: number;
  readonly text: string;
}

/** The terminal's screen as a self-contained picture: every cell where it is, with its colours and its weight. */
export function screenSvg(terminal: Terminal, title: string, cursor: boolean): string {
  const buffer = terminal.buffer.active;
  const width = Math.ceil(terminal.cols * CELL_WIDTH + 2 * MARGIN);
  const height = terminal.rows * CELL_HEIGHT + TITLE_BAR + MARGIN;
  const rows = Array.from({ length: terminal.rows }, (_, y) => rowSvg(buffer, y, terminal.cols)).join('');
  const at = { x: (buffer.cursorX * CELL_WIDTH).toFixed(1), y: buffer.cursorY * CELL_HEIGHT };
  const cursorSvg = cursor
    ? `<rect x="${at.x}" y="${at.y}" width="${CELL_WIDTH}" height="${CELL_HEIGHT}" fill="${FOREGROUND}" opacity="0.55"/>`
    : '';
  const dots = ['#ff5f57', '#febc2e', '#28c840']
    .map((colour, i) => `<circle cx="${20 + i * 18}" cy="14" r="5.5" fill="${colour}"/>`)
    .join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="9" fill="${BACKGROUND}"/>${dots}`,
    `<g transform="translate(${MARGIN} ${TITLE_BAR})" xml:space="preserve" font-size="${FONT_SIZE}" font-family="${FONTS}">`,
    rows,
    cursorSvg,
    '</g></svg>\n',
  ].join('\n');
}

/** One row: backgrounds first, so that no neighbour paints over a glyph that reaches out of its cell. */
function rowSvg(buffer: IBuffer, y: number, columns: number): string {
  const runs = runsOf(buffer, y, columns);
  const top = y * CELL_HEIGHT;
  const backgrounds = runs
    .filter((run) => run.background !== null)
    .map(
      (run) =>
        `<rect x="${px(run.x)}" y="${top}" width="${px(run.width)}" height="${CELL_HEIGHT}" fill="${run.background}"/>`,
    );
  const texts = runs
    .filter((run) => run.text.trim() !== '')
    .map((run) => {
      const place = `<g transform="translate(${px(run.x)} ${top})"${run.dim ? ' opacity="0.6"' : ''}>`;
      if (run.text.startsWith(DASH)) {
        const middle = CELL_HEIGHT / 2;
        return `${place}<path d="M0 ${middle}h${px(run.width)}" stroke="${run.foreground}"/></g>`;
      }
      if (run.text.startsWith(FULL_BLOCK)) {
        return `${place}<rect width="${px(run.width)}" height="${CELL_HEIGHT}" fill="${run.foreground}"/></g>`;
      }
      const shape = shapeOf(run.text, CELL_WIDTH, CELL_HEIGHT, run.foreground);
      if (shape !== null) return `${place}${shape}</g>`;
      const text = run.text.trim();
      const x = run.x + run.text.length - run.text.trimStart().length;
      const style = [
        run.bold ? ' font-weight="bold"' : '',
        run.italic ? ' font-style="italic"' : '',
        run.underline ? ' text-decoration="underline"' : '',
        run.dim ? ' opacity="0.6"' : '',
      ].join('');
      // The length makes the columns stand under each other whatever font there is.
      const length = run.width - (run.text.length - text.length);
      return `<text x="${px(x)}" y="${top + BASELINE}" textLength="${px(length)}" lengthAdjust="spacingAndGlyphs" fill="${run.foreground}"${style}>${escapeXml(text)}</text>`;
    });
  return [...backgrounds, ...texts].join('') + (runs.length > 0 ? '\n' : '');
}

/** Neighbouring cells that look the same become one run; wide and special characters stand alone, so that none shifts the next. */
function runsOf(buffer: IBuffer, y: number, columns: number): Run[] {
  const runs: Run[] = [];
  const line = buffer.getLine(buffer.viewportY + y);
  for (let x = 0; x < columns; x += 1) {
    const cell = line?.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const text = cell.getChars() || ' ';
    const look = lookOf(cell);
    const plain = isPlain(text) || text === DASH || text === FULL_BLOCK;
    const last = runs.at(-1);
    const joins =
      last !== undefined &&
      plain &&
      last.x + last.width === x &&
      kindOf(last.text) === kindOf(text) &&
      sameLook(last, look);
    if (joins) runs[runs.length - 1] = { ...last, text: last.text + text, width: last.width + 1 };
    else runs.push({ ...look, x, width: cell.getWidth(), text });
  }
  return runs.filter((run) => run.background !== null || run.text.trim() !== '');
}

/** Letters that every monospace font has, and in its own width. */
const isPlain = (text: string): boolean => /^[\0-\u024f]+$/.test(text);
const kindOf = (text: string): string => (isPlain(text) ? 'plain' : text.charAt(0));

function sameLook(a: Look, b: Look): boolean {
  return (
    a.foreground === b.foreground &&
    a.background === b.background &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.italic === b.italic &&
    a.underline === b.underline
  );
}

function lookOf(cell: IBufferCell): Look {
  const foreground = cell.isFgDefault()
    ? FOREGROUND
    : cell.isFgRGB()
      ? hex(cell.getFgColor())
      : colourOf(cell.getFgColor());
  const background = cell.isBgDefault()
    ? null
    : cell.isBgRGB()
      ? hex(cell.getBgColor())
      : colourOf(cell.getBgColor());
  const inverse = cell.isInverse() !== 0;
  return {
    foreground: inverse ? (background ?? BACKGROUND) : foreground,
    background: inverse ? foreground : background,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
  };
}

/** The 256 colours: 16 of the terminal, a cube of 6 x 6 x 6, 24 greys. */
function colourOf(index: number): string {
  if (index < 16) return SIXTEEN[index] ?? FOREGROUND;
  if (index >= 232) return rgb([0, 0, 0].map(() => 8 + (index - 232) * 10));
  const cube = index - 16;
  return rgb(
    [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) =>
      step === 0 ? 0 : 55 + step * 40,
    ),
  );
}

const rgb = (parts: readonly number[]): string =>
  `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
const hex = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;
const px = (cells: number): string => (cells * CELL_WIDTH).toFixed(1).replace(/\.0$/, '');

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
