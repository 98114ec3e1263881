import type { Span, Token } from './text/span.js';
import { span } from './text/span.js';
import type { Glyphs } from './widget.js';

/** A bar with ends, `cells` wide inside them; null (not known) is an empty bar. */
export function gauge(
  fraction: number | null,
  cells: number,
  glyphs: Glyphs,
  fill: Token = 'gaugeFill',
): Span[] {
  const inner = Math.max(0, cells);
  const [left, right] = glyphs.barEnds;
  const steps = glyphs.horizontalBar.length - 1;
  const share = fraction === null || !Number.isFinite(fraction) ? 0 : Math.min(1, Math.max(0, fraction));
  // Anything above nothing shows: an eighth (or a whole cell of ASCII) at least.
  const total = share === 0 ? 0 : Math.max(1, Math.round(share * inner * steps));
  const full = Math.min(inner, Math.floor(total / steps));
  const part = full < inner ? (glyphs.horizontalBar[total % steps] ?? '') : '';
  const partial = total % steps === 0 ? '' : part;
  const filled = (glyphs.horizontalBar[steps] ?? '#').repeat(full) + partial;
  return [
    span(left, 'gaugeTrack'),
    span(filled, fill),
    span(' '.repeat(Math.max(0, inner - full - (partial === '' ? 0 : 1))), 'gaugeTrack'),
    span(right, 'gaugeTrack'),
  ].filter((piece) => piece.text !== '');
}

/**
 * The newest samples as one row of vertical bars, the latest at the right. A null is a gap: no reading is not a reading of nothing, which
 * is the lowest bar.
 */
export function sparkline(
  samples: readonly (number | null)[],
  cells: number,
  glyphs: Glyphs,
  max = 1,
): string {
  if (cells <= 0) return '';
  const levels = glyphs.verticalBar.length - 1;
  let drawn = '';
  for (const sample of samples.slice(-cells)) {
    if (sample === null || !Number.isFinite(sample)) drawn += ' ';
    else {
      const share = max > 0 ? Math.min(1, Math.max(0, sample / max)) : 0;
      drawn += glyphs.verticalBar[1 + Math.round(share * (levels - 1))] ?? ' ';
    }
  }
  return drawn.padStart(cells);
}
