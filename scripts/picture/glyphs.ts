/**
 * Lines and blocks as shapes. As letters of a font they do not meet: no font is as high as the cell. Coordinates are in px inside one
 * cell of the given size; null: an ordinary character.
 */
export function shapeOf(glyph: string, width: number, height: number, colour: string): string | null {
  const line = LINES[glyph];
  if (line !== undefined) return `<path d="${line(width, height)}" fill="none" stroke="${colour}"/>`;
  const block = BLOCKS[glyph];
  if (block === undefined) return null;
  const [x, y, w, h] = block;
  // A hair wider than it is, or the background shows between two neighbours.
  return `<rect x="${n(x * width)}" y="${n(y * height)}" width="${n(w * width + 0.2)}" height="${n(h * height)}" fill="${colour}"/>`;
}

type Path = (width: number, height: number) => string;

const RADIUS = 4;

/** A line through the middle of the cell, out of the sides that are named. */
const straight =
  (...sides: readonly ('left' | 'right' | 'up' | 'down')[]): Path =>
  (w, h) => {
    const ends = {
      left: `0 ${h / 2}`,
      right: `${n(w)} ${h / 2}`,
      up: `${n(w / 2)} 0`,
      down: `${n(w / 2)} ${h}`,
    };
    return sides.map((side) => `M${n(w / 2)} ${h / 2}L${ends[side]}`).join('');
  };

/** A rounded corner from one side of the cell to another. */
const corner =
  (horizontal: 'left' | 'right', vertical: 'up' | 'down'): Path =>
  (w, h) => {
    const [x, y] = [w / 2, h / 2];
    const [toX, toY] = [horizontal === 'left' ? 0 : w, vertical === 'up' ? 0 : h];
    const [bendX, bendY] = [
      x + (horizontal === 'left' ? -RADIUS : RADIUS),
      y + (vertical === 'up' ? -RADIUS : RADIUS),
    ];
    return `M${n(toX)} ${n(y)}L${n(bendX)} ${n(y)}Q${n(x)} ${n(y)} ${n(x)} ${n(bendY)}L${n(x)} ${n(toY)}`;
  };

const LINES: Readonly<Record<string, Path>> = {
  '─': straight('left', 'right'),
  '│': straight('up', 'down'),
  '┌': straight('right', 'down'),
  '┐': straight('left', 'down'),
  '└': straight('right', 'up'),
  '┘': straight('left', 'up'),
  '├': straight('up', 'down', 'right'),
  '┤': straight('up', 'down', 'left'),
  '┬': straight('left', 'right', 'down'),
  '┴': straight('left', 'right', 'up'),
  '┼': straight('left', 'right', 'up', 'down'),
  '╭': corner('right', 'down'),
  '╮': corner('left', 'down'),
  '╰': corner('right', 'up'),
  '╯': corner('left', 'up'),
};

/** x, y, width and height as shares of the cell. */
const BLOCKS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  '▀': [0, 0, 1, 0.5],
  '▐': [0.5, 0, 0.5, 1],
  '▔': [0, 0, 1, 1 / 8],
  '▕': [7 / 8, 0, 1 / 8, 1],
  ...Object.fromEntries(
    [...'▁▂▃▄▅▆▇█'].map((glyph, i) => [glyph, [0, 1 - (i + 1) / 8, 1, (i + 1) / 8] as const]),
  ),
  ...Object.fromEntries([...'▏▎▍▌▋▊▉'].map((glyph, i) => [glyph, [0, 0, (i + 1) / 8, 1] as const])),
};

const n = (value: number): string => value.toFixed(1).replace(/\.0$/, '');
