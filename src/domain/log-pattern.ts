/**
 * A regular expression that is safe to run on log lines while somebody types it. JavaScript cannot stop an expression once it runs, so
 * what may take exponential time is refused, and what may take polynomial time sees only so much of a line that it ends in a blink.
 */
export interface LogPattern {
  readonly source: string;
  readonly expression: RegExp;
  /** Only so much of a line is looked at. */
  readonly lineLimit: number;
}

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: LogPattern }
  /** `reason` completes "the filter is not used: …". */
  | { readonly ok: false; readonly reason: string };

/** Characters of a line that are looked at, by number of open-ended repeats: time grows with limit^(repeats + 1) in the worst case. */
const LINE_LIMITS: readonly number[] = [16_384, 4096, 600, 200, 100];
const MOST_REPEATS = LINE_LIMITS.length - 1;
/** A counted repeat above this bound costs as much as an open-ended one. */
const SMALL_REPEAT = 16;
const LONGEST_SOURCE = 500;

/** Compiles what was typed. Letters match both cases unless one of them is upper case. */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > LONGEST_SOURCE)
    return { ok: false, reason: `it is longer than ${LONGEST_SOURCE} characters` };
  // A search finds the rest anywhere in the line; a leading .* only makes it slower.
  const text = source.replace(/^(?:\.[*]\??)+(?![?+*{])/, '');
  const check = checkRepeats(text);
  if (check.reason !== null) return { ok: false, reason: check.reason };
  try {
    const expression = new RegExp(text, /\p{Lu}/u.test(text.replace(/\\./g, '')) ? '' : 'i');
    return { ok: true, pattern: { source, expression, lineLimit: LINE_LIMITS[check.repeats] ?? 100 } };
  } catch {
    return { ok: false, reason: 'it is not a regular expression yet' };
  }
}

export function matchesPattern(pattern: LogPattern, text: string): boolean {
  return pattern.expression.test(text.length > pattern.lineLimit ? text.slice(0, pattern.lineLimit) : text);
}

interface Group {
  /** Holds a repeat or a choice: repeating it may try exponentially many ways. */
  branching: boolean;
}

/** Reads an expression from left to right; wrong syntax is left to RegExp. */
function checkRepeats(text: string): { readonly repeats: number; readonly reason: string | null } {
  const groups: Group[] = [{ branching: false }];
  let repeats = 0;
  let closed: Group | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const group = groups.at(-1) ?? { branching: false };
    const quantifier = quantifierAt(text, i);
    if (quantifier) {
      if (closed?.branching && quantifier.most > 1)
        return { repeats, reason: 'it repeats a group that itself repeats or chooses, which may never end' };
      if (quantifier.most > 1) group.branching = true;
      if (quantifier.most > SMALL_REPEAT) repeats++;
      i += quantifier.length - 1;
      if (text[i + 1] === '?') i++;
      closed = null;
      continue;
    }
    closed = null;
    if (c === '\\') {
      if (/[1-9k]/.test(text[i + 1] ?? ''))
        return { repeats, reason: 'it refers back to a group, which may take very long' };
      i++;
    } else if (c === '[') {
      i = endOfClass(text, i);
    } else if (c === '|') {
      group.branching = true;
    } else if (c === '(') {
      groups.push({ branching: false });
      // (?: (?= (?! (?<= (?<! and (?<name> : the ? is no repeat.
      if (text[i + 1] === '?') i++;
    } else if (c === ')' && groups.length > 1) {
      closed = groups.pop() ?? null;
      const parent = groups.at(-1);
      if (parent && closed?.branching) parent.branching = true;
    }
  }
  if (repeats > MOST_REPEATS)
    return { repeats, reason: `it has more than ${MOST_REPEATS} open-ended repeats` };
  return { repeats, reason: null };
}

function quantifierAt(text: string, at: number): { readonly length: number; readonly most: number } | null {
  const c = text[at];
  if (c === '*' || c === '+') return { length: 1, most: Infinity };
  if (c === '?') return { length: 1, most: 1 };
  if (c !== '{') return null;
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(text.slice(at, at + 24));
  if (!counted) return null;
  const most =
    counted[2] === undefined ? Number(counted[1]) : counted[3] === '' ? Infinity : Number(counted[3]);
  return { length: counted[0].length, most };
}

function endOfClass(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ']') return i;
  }
  return text.length;
}
