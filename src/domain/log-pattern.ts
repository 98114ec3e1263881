import { costOf } from './pattern-cost.js';

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

/** A found piece of a text: from the first to behind the last character. */
export type Mark = readonly [start: number, end: number];

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: LogPattern }
  /** `reason` completes "the filter is not used: …"; `wrong`: whether it cannot be read, or could take too long. */
  | { readonly ok: false; readonly wrong: 'syntax' | 'cost'; readonly reason: string };

/** Steps that one line may cost in the worst case: some 60 ms, so that no key waits longer. */
const MOST_STEPS = 1e7;
/** Going back to another choice costs several steps. */
const STEPS_OF_CHOICE = 8;
/** Characters of a line that are looked at: the most, and what is too little to be of use. */
const LINE_LIMITS = { most: 16_384, least: 60 } as const;
/** With an open-ended repeat a line costs the square of its length. */
const MOST_WITH_REPEATS = 4096;
const LONGEST_SOURCE = 500;
const MOST_MARKS = 100;

/** Compiles what was typed. Letters match both cases unless one of them is upper case. */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > LONGEST_SOURCE)
    return { ok: false, wrong: 'cost', reason: `it is longer than ${LONGEST_SOURCE} characters` };
  // A search finds the rest anywhere in the line; a leading .* only makes it slower.
  const text = source.replace(/^(?:\.[*]\??)+(?![?+*{])/, '');
  const cost = costOf(text);
  if (cost.refused !== null) return { ok: false, wrong: 'cost', reason: cost.refused };
  const lineLimit = lineLimitOf(cost.choices, cost.repeats);
  if (lineLimit < LINE_LIMITS.least)
    return { ok: false, wrong: 'cost', reason: 'it can match in too many ways, which may take very long' };
  try {
    const expression = new RegExp(text, /\p{Lu}/u.test(text.replace(/\\./g, '')) ? '' : 'i');
    return { ok: true, pattern: { source, expression, lineLimit } };
  } catch (error) {
    return { ok: false, wrong: 'syntax', reason: `it is not a regular expression${syntaxFault(error)}` };
  }
}

/** What stands behind the expression in `Invalid regular expression: /(/i: Unterminated group`. */
function syntaxFault(error: unknown): string {
  const fault = /: ([^:]+)$/.exec(error instanceof SyntaxError ? error.message : '')?.[1];
  return fault === undefined ? '' : `: ${fault.toLowerCase()}`;
}

/** Each open-ended repeat may end anywhere behind the one before it: choices · n^(repeats+1) / (repeats+1)! steps for n characters. */
function lineLimitOf(choices: number, repeats: number): number {
  let factorial = 1;
  for (let i = 2; i <= repeats + 1; i++) factorial *= i;
  const steps = choices > 1 ? choices * STEPS_OF_CHOICE : 1;
  const most = repeats === 0 ? LINE_LIMITS.most : MOST_WITH_REPEATS;
  return Math.floor(Math.min(most, ((MOST_STEPS * factorial) / steps) ** (1 / (repeats + 1))));
}

export function matchesPattern(pattern: LogPattern, text: string): boolean {
  return pattern.expression.test(seenOf(pattern, text));
}

/** What the pattern finds in a text, from left to right; empty finds are left out. */
export function marksOf(pattern: LogPattern, text: string): readonly Mark[] {
  const seen = seenOf(pattern, text);
  const every = new RegExp(pattern.expression.source, `${pattern.expression.flags}g`);
  const marks: Mark[] = [];
  for (let found = every.exec(seen); found && marks.length < MOST_MARKS; found = every.exec(seen)) {
    if (found[0] === '') every.lastIndex++;
    else marks.push([found.index, found.index + found[0].length]);
  }
  return marks;
}

function seenOf(pattern: LogPattern, text: string): string {
  return text.length > pattern.lineLimit ? text.slice(0, pattern.lineLimit) : text;
}
