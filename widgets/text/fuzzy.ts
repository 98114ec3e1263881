/** A fuzzy match: the higher the score the better; positions are UTF-16 offsets in the text, ascending. */
export interface FuzzyMatch {
  readonly score: number;
  readonly positions: readonly number[];
}

const HIT = 16;
const WORD_START = 12;
const CAMEL_START = 8;
const NEIGHBOUR = 10;
const GAP = 1;
const MAX_TEXT = 512;
/** A longer query (a paste into the filter) is matched by its beginning: the work is query times text. */
const MAX_QUERY = 64;

/**
 * Whether the characters of every word of `query` occur in `text` in order, ignoring case. Starts of words and runs score higher; short
 * texts win over long ones at equal hits. An empty query matches everything with score 0.
 */
export function fuzzyMatch(query: string, text: string): FuzzyMatch | null {
  const words = query.slice(0, MAX_QUERY).toLowerCase().split(/\s+/).filter(Boolean);
  const positions = new Set<number>();
  const subject = text.slice(0, MAX_TEXT);
  let score = 0;
  for (const word of words) {
    const match = matchWord(word, subject);
    if (match === null) return null;
    score += match.score;
    for (const position of match.positions) positions.add(position);
  }
  if (words.length > 0) score -= Math.min(subject.length, 100) / 100;
  return { score, positions: [...positions].sort((a, b) => a - b) };
}

/** Best alignment of the word's characters by dynamic programming over (character of the word, character of the text). */
function matchWord(word: string, text: string): FuzzyMatch | null {
  const lower = lowerSameLength(text);
  if (!isSubsequence(word, lower)) return null;
  const width = text.length;
  // best[i][j]: score with word[i] placed at text[j]; from[i][j]: where word[i-1] stood.
  const best: number[][] = [];
  const from: number[][] = [];
  for (let i = 0; i < word.length; i++) {
    const scores = new Array<number>(width).fill(-Infinity);
    const origins = new Array<number>(width).fill(-1);
    let reach = -Infinity;
    let reachFrom = -1;
    for (let j = 0; j < width; j++) {
      if (i > 0 && j > 0) {
        // A predecessor loses a point for each character between.
        reach -= GAP;
        const previous = (best[i - 1]?.[j - 2] ?? -Infinity) - GAP;
        if (previous > reach) [reach, reachFrom] = [previous, j - 2];
      }
      if (word[i] !== lower[j]) continue;
      const bonus = HIT + boundaryBonus(text, j);
      if (i === 0) {
        scores[j] = bonus - Math.min(j, 15) * 0.5;
        continue;
      }
      const neighbour = (best[i - 1]?.[j - 1] ?? -Infinity) + NEIGHBOUR;
      scores[j] = bonus + Math.max(neighbour, reach);
      origins[j] = neighbour >= reach ? j - 1 : reachFrom;
    }
    best.push(scores);
    from.push(origins);
  }
  const last = best[word.length - 1] ?? [];
  let end = -1;
  for (let j = 0; j < last.length; j++) if ((last[j] ?? -Infinity) > (last[end] ?? -Infinity)) end = j;
  if (end < 0) return null;
  const positions: number[] = [];
  for (let i = word.length - 1, j = end; i >= 0 && j >= 0; i--) {
    positions.unshift(j);
    j = from[i]?.[j] ?? -1;
  }
  return { score: last[end] ?? 0, positions };
}

function boundaryBonus(text: string, at: number): number {
  if (at === 0) return WORD_START;
  const before = text.charAt(at - 1);
  const here = text.charAt(at);
  if (!/[\p{L}\p{N}]/u.test(before)) return WORD_START;
  if (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(here)) return CAMEL_START;
  return /\p{L}/u.test(before) !== /\p{L}/u.test(here) ? CAMEL_START / 2 : 0;
}

/** Lower case by unit: a few letters change their length (İ), which would shift the positions. */
function lowerSameLength(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from({ length: text.length }, (_, i) => {
    const unit = text.charAt(i);
    const small = unit.toLowerCase();
    return small.length === 1 ? small : unit;
  }).join('');
}

function isSubsequence(word: string, text: string): boolean {
  let at = 0;
  for (let i = 0; i < text.length && at < word.length; i++) if (text[i] === word[at]) at++;
  return at === word.length;
}
