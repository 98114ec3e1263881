/**
 * How many cells text takes. Terminals disagree about clusters of more than one code point, so what they disagree about is simplified
 * (`safeCluster`) before it is measured; the drawing layer heals the rest. Intl.Segmenter is slow to load and to run: it is used only
 * for text that has combining marks, joiners, emoji and the like.
 */

/** One cell per character: printable ASCII. */
const ASCII = /^[\x20-\x7e]*$/;
const ASCII_LINES = /^[\x20-\x7e\n\t]*$/;

/**
 * Characters that never join with a neighbour and whose width nobody disputes: Latin, Greek, Cyrillic, punctuation, arrows, mathematics,
 * boxes, blocks, Braille (one cell), kana, ideographs, Hangul syllables, full-width forms (two cells).
 */
const SIMPLE =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0481\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u2070-\u20bf\u2150-\u2319\u2320-\u2328\u2400-\u25fc\u2605-\u260d\u2776-\u2794\u2800-\u28ff\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]*$/;

/** Wide by East Asian Width; wide emoji are found by property instead. Pairs of first and last code point. */
const WIDE: readonly number[] = [
  0x1100, 0x115f, 0x2329, 0x232a, 0x2e80, 0x303e, 0x3041, 0x4dbf, 0x4e00, 0xa4cf, 0xa960, 0xa97f, 0xac00,
  0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18dff,
  0x1aff0, 0x1b2ff, 0x1f200, 0x1f202, 0x1f210, 0x1f23b, 0x1f240, 0x1f248, 0x1f250, 0x1f251, 0x1f260, 0x1f265,
  0x20000, 0x3fffd,
];

const EMOJI_WIDE = /^\p{Emoji_Presentation}/u;
const PICTOGRAPH = /^\p{Extended_Pictographic}/u;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
const REGIONAL_A = 0x1f1e6;
const REGIONAL_Z = 0x1f1ff;
const MARKS_MAX = 2;

/** A cluster as it is shown: its text after `safeCluster`, and its cells (0, 1 or 2). */
export interface Cluster {
  readonly text: string;
  readonly width: number;
}

export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** True when every UTF-16 unit is a cluster of its own; `unitWidth` then gives its cells. */
export function isSimple(text: string): boolean {
  return SIMPLE.test(text);
}

/** Cells of one character of simple text. */
export function unitWidth(code: number): number {
  return code < 0x3041 || (code >= 0xff61 && code < 0xffe0) ? 1 : 2;
}

/** Cells of one code point on its own. */
export function codePointWidth(codePoint: number): number {
  if (codePoint < 0x7f) return codePoint < 0x20 ? 0 : 1;
  if (codePoint < 0xa0) return 0;
  if (codePoint < 0x300) return codePoint === 0xad ? 0 : 1;
  const text = String.fromCodePoint(codePoint);
  if (ZERO_WIDTH.test(text)) return 0;
  for (let i = 0; i < WIDE.length && codePoint >= (WIDE[i] as number); i += 2) {
    if (codePoint <= (WIDE[i + 1] as number)) return 2;
  }
  return EMOJI_WIDE.test(text) ? 2 : 1;
}

/** Cells that the text takes on the screen. */
export function stringWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  if (SIMPLE.test(text)) {
    for (let i = 0; i < text.length; i++) width += unitWidth(text.charCodeAt(i));
    return width;
  }
  for (const cluster of graphemes(text)) width += measuredCluster(cluster).width;
  return width;
}

let segmenter: Intl.Segmenter | undefined;

/** The text's grapheme clusters as they are: what a user sees, moves over and deletes as one character. */
export function graphemes(text: string): string[] {
  if (ASCII_LINES.test(text) || SIMPLE.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const clusters: string[] = [];
  for (const { segment } of segmenter.segment(text)) clusters.push(segment);
  return clusters;
}

/** Cells of one grapheme cluster: 0, 1 or 2. */
export function clusterWidth(cluster: string): number {
  if (cluster.length === 1) {
    const code = cluster.charCodeAt(0);
    if (code < 0x300) return codePointWidth(code);
  }
  return measuredCluster(cluster).width;
}

/** Measured clusters repeat a lot within a text; the cache is emptied when a hostile text fills it. */
const measuredClusters = new Map<string, Cluster>();
const MEASURED_MAX = 2000;

/** How a grapheme cluster is shown. */
export function measuredCluster(segment: string): Cluster {
  const known = measuredClusters.get(segment);
  if (known !== undefined) return known;
  const text = safeCluster(segment);
  let width = 0;
  for (const character of text) width += codePointWidth(character.codePointAt(0) as number);
  const cluster = { text, width: Math.min(width, 2) };
  if (measuredClusters.size >= MEASURED_MAX) measuredClusters.clear();
  measuredClusters.set(segment, cluster);
  return cluster;
}

/**
 * The nearest text on whose width terminals agree: a family becomes its first person, a flag its two letters, a keycap its digit, a skin
 * tone and a variation selector are dropped; letters keep at most two marks and two cells.
 */
export function safeCluster(cluster: string): string {
  const text = cluster.length > 1 ? cluster.normalize('NFC') : cluster;
  const first = text.codePointAt(0) ?? 0;
  const firstLength = first > 0xffff ? 2 : 1;
  if (first >= REGIONAL_A && first <= REGIONAL_Z) return regionalLetters(text);
  if (text.length === firstLength) return text;
  if (PICTOGRAPH.test(text) || text.includes('\u20e3')) return text.slice(0, firstLength);
  let safe = '';
  let marks = 0;
  let width = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    if (codePoint >= 0xfe00 && codePoint <= 0xfe0f) continue;
    const cells = codePointWidth(codePoint);
    if (cells === 0 && ++marks > MARKS_MAX) continue;
    if (width + cells > 2) break;
    width += cells;
    safe += character;
  }
  return safe;
}

function regionalLetters(text: string): string {
  let letters = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    if (codePoint >= REGIONAL_A && codePoint <= REGIONAL_Z)
      letters += String.fromCharCode(65 + codePoint - REGIONAL_A);
  }
  return letters;
}
