import { clusterWidth, graphemes, stringWidth } from './width.js';

/** The text in at most `width` cells; ends in the ellipsis when something was cut. */
export function truncateEnd(text: string, width: number, ellipsis = '…'): string {
  if (width <= 0) return '';
  if (fits(text, width)) return text;
  const room = width - stringWidth(ellipsis);
  return room < 0 ? cutTo(text, width) : cutTo(text, room) + ellipsis;
}

/** The text in at most `width` cells, shortened in the middle: the ends of names tell them apart. */
export function truncateMiddle(text: string, width: number, ellipsis = '…'): string {
  if (width <= 0) return '';
  if (fits(text, width)) return text;
  const room = width - stringWidth(ellipsis);
  if (room < 2) return truncateEnd(text, width, ellipsis);
  const tailRoom = Math.floor(room / 2);
  return cutTo(text, room - tailRoom) + ellipsis + cutToLast(text, tailRoom);
}

/** The first clusters of the text that fit in `width` cells. */
export function cutTo(text: string, width: number): string {
  let cells = 0;
  let at = 0;
  for (const cluster of graphemes(text)) {
    const next = clusterWidth(cluster);
    if (cells + next > width) break;
    cells += next;
    at += cluster.length;
  }
  return text.slice(0, at);
}

function cutToLast(text: string, width: number): string {
  // Only the end matters; a cluster is at most some dozen units long.
  const clusters = [...graphemes(text.slice(-(width * 32 + 64)))];
  let cells = 0;
  let from = clusters.length;
  while (from > 0) {
    const next = clusterWidth(clusters[from - 1] ?? '');
    if (cells + next > width) break;
    cells += next;
    from--;
  }
  return clusters.slice(from).join('');
}

/** The text with spaces behind it up to `width` cells; cut when it is wider. */
export function padEnd(text: string, width: number, ellipsis = '…'): string {
  const shown = truncateEnd(text, width, ellipsis);
  return shown + ' '.repeat(Math.max(0, width - stringWidth(shown)));
}

/** The text with spaces before it up to `width` cells; cut when it is wider. */
export function padStart(text: string, width: number, ellipsis = '…'): string {
  const shown = truncateEnd(text, width, ellipsis);
  return ' '.repeat(Math.max(0, width - stringWidth(shown))) + shown;
}

function fits(text: string, width: number): boolean {
  // No cluster of one unit is wider than two cells, so short texts need no measuring.
  return text.length * 2 <= width || stringWidth(text) <= width;
}
