import type { Row, Span, Token } from './text/span.js';

/** What a line chart draws with: the part of a 2D context that blessed-contrib's uses. Styles are tokens. */
export interface DotContext {
  fillStyle: Token;
  strokeStyle: Token;
  clearRect(): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
  fillText(text: string, x: number, y: number): void;
}

/** Bits of the dots of a Braille cell by row and column. */
const DOT_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const BRAILLE = 0x2800;

/**
 * A canvas of Braille cells, 2 x 4 dots each. `skip` leaves out dots of a style at some columns of dots: the gaps of a history, which a
 * chart that joins all points cannot draw.
 */
export function createDotCanvas(
  columns: number,
  height: number,
  skip: (x: number, token: Token) => boolean,
): { readonly context: DotContext; rows(): Row[] } {
  const dots = new Uint8Array(columns * height);
  const tokens = new Array<Token>(columns * height).fill('text');
  const chars = new Map<number, string>();
  let path: { readonly x: number; readonly y: number; readonly draws: boolean }[] = [];

  function dot(x: number, y: number, token: Token): void {
    if (x < 0 || y < 0 || x >= columns * 2 || y >= height * 4 || skip(x, token)) return;
    const at = (x >> 1) + columns * (y >> 2);
    dots[at] = (dots[at] ?? 0) | (DOT_BITS[y & 3]?.[x & 1] ?? 0);
    tokens[at] = token;
    chars.delete(at);
  }

  const context: DotContext = {
    fillStyle: 'muted',
    strokeStyle: 'text',
    clearRect: () => {
      dots.fill(0);
      chars.clear();
    },
    beginPath: () => {
      path = [];
    },
    moveTo: (x, y) => void path.push({ x: Math.floor(x), y: rowOf(y), draws: false }),
    lineTo: (x, y) => void path.push({ x: Math.floor(x), y: rowOf(y), draws: true }),
    stroke() {
      for (let i = 1; i < path.length; i++) {
        const from = path[i - 1];
        const to = path[i];
        if (from && to?.draws) line(from.x, from.y, to.x, to.y, (x, y) => dot(x, y, this.strokeStyle));
      }
    },
    fillText(text, x, y) {
      const row = Math.floor(y / 4);
      if (row < 0 || row >= height) return;
      for (let i = 0; i < text.length; i++) {
        const column = Math.floor(x / 2) + i;
        if (column < 0 || column >= columns) continue;
        chars.set(column + columns * row, text.charAt(i));
        tokens[column + columns * row] = this.fillStyle;
      }
    },
  };

  function rows(): Row[] {
    return Array.from({ length: height }, (_, y) => {
      const spans: Span[] = [];
      let text = '';
      let token: Token = 'text';
      for (let x = 0; x < columns; x++) {
        const at = x + columns * y;
        const bits = dots[at] ?? 0;
        const shown = chars.get(at) ?? (bits === 0 ? ' ' : String.fromCharCode(BRAILLE + bits));
        const own = tokens[at] ?? 'text';
        if (shown !== ' ' && own !== token) {
          if (text !== '') spans.push({ text, token });
          text = '';
          token = own;
        }
        text += shown;
      }
      if (text !== '') spans.push({ text, token });
      return { spans };
    });
  }

  return { context, rows };
}

/** The chart puts its highest value two dots above the canvas: there it would not be seen. */
function rowOf(y: number): number {
  return Math.max(0, Math.floor(y));
}

/** Bresenham's line; ends after the longer side even if a coordinate is not a number. */
function line(
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  plot: (x: number, y: number) => void,
): void {
  const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY));
  if (!Number.isFinite(steps)) return;
  for (let i = 0; i <= steps; i++) {
    const share = steps === 0 ? 0 : i / steps;
    plot(Math.round(fromX + (toX - fromX) * share), Math.round(fromY + (toY - fromY) * share));
  }
}
