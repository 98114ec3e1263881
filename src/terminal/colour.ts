/** Theme colours as SGR parameters for each depth. */
import type { Colour } from '../../widgets/themes/theme.js';
import type { ColourDepth } from './terminal.js';

const CUBE_LEVELS = [0, 95, 135, 175, 215, 255];

/** Parameters such as `38;5;110`; empty when the depth has no colour. */
export function colourParameters(colour: Colour, depth: ColourDepth, layer: 'fg' | 'bg'): string {
  switch (depth) {
    case 'none':
      return '';
    case '16': {
      const bright = colour.ansi >= 8;
      const base = layer === 'fg' ? (bright ? 82 : 30) : bright ? 92 : 40;
      return String(base + colour.ansi);
    }
    case '256':
      return `${layer === 'fg' ? 38 : 48};5;${nearest256(colour.hex)}`;
    case 'truecolor':
      return `${layer === 'fg' ? 38 : 48};2;${channels(colour.hex).join(';')}`;
  }
}

/** The nearest of the 6x6x6 cube and the 24 greys (the first 16 are the user's own and may be anything). */
export function nearest256(hex: string): number {
  const [r, g, b] = channels(hex);
  const cube = [r, g, b].map(nearestLevel) as [number, number, number];
  const cubeDistance = distance(
    [r, g, b],
    cube.map((level) => CUBE_LEVELS[level] as number) as [number, number, number],
  );
  const grey = Math.max(0, Math.min(23, Math.round(((r + g + b) / 3 - 8) / 10)));
  const shade = 8 + grey * 10;
  if (distance([r, g, b], [shade, shade, shade]) < cubeDistance) return 232 + grey;
  return 16 + cube[0] * 36 + cube[1] * 6 + cube[2];
}

function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function nearestLevel(channel: number): number {
  let best = 0;
  for (let i = 1; i < CUBE_LEVELS.length; i++) {
    if (Math.abs((CUBE_LEVELS[i] as number) - channel) < Math.abs((CUBE_LEVELS[best] as number) - channel))
      best = i;
  }
  return best;
}

function distance(a: readonly [number, number, number], b: readonly [number, number, number]): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}
