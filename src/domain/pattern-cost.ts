/** How many ways a regular expression may have to match, as an upper bound. */
export interface PatternCost {
  /** Ways to choose among alternatives, optional parts and counted repeats. */
  readonly choices: number;
  /** Open-ended repeats (`*`, `+`, `{3,}`): each may end at every character. */
  readonly repeats: number;
  /** Why it must not be run at all; completes "the filter is not used: …". */
  readonly refused: string | null;
}

/** A wider counted repeat is taken for an open-ended one: more than that it cannot cost on lines of the usual length. */
const SMALL_REPEAT = 16;
/** Beyond it, counting on has no use. */
const MANY = 1e12;

interface Part {
  choices: number;
  repeats: number;
}

interface Group {
  /** The alternatives before the present one, added up. */
  readonly before: Part;
  present: Part;
  /** The last atom and the present alternative without it, for a repeat behind it. */
  last: { readonly atom: Part; readonly without: Part } | null;
}

/**
 * Reads an expression from left to right and multiplies the ways in which its parts may match. What backtracks exponentially, a repeat
 * without end of something that has several ways itself, is refused. Wrong syntax is left to RegExp.
 */
export function costOf(text: string): PatternCost {
  const groups: Group[] = [newGroup()];
  let refused: string | null = null;
  const refuse = (reason: string): void => void (refused ??= reason);

  const take = (group: Group, atom: Part): void => {
    group.last = { atom, without: group.present };
    group.present = together(group.present, atom);
  };

  const repeat = (group: Group, least: number, most: number): void => {
    const { last } = group;
    group.last = null;
    if (!last) return;
    const { atom, without } = last;
    const branching = atom.choices > 1 || atom.repeats > 0;
    if (most - least > SMALL_REPEAT || (most > SMALL_REPEAT && branching)) {
      if (branching) refuse('it repeats a group that itself repeats or chooses, which may never end');
      group.present = together(without, { choices: 1, repeats: 1 });
      return;
    }
    const choices = Math.min(MANY, atom.choices ** most * (most - least + 1));
    group.present = together(without, { choices, repeats: atom.repeats * most });
  };

  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const group = groups.at(-1) ?? newGroup();
    const quantifier = quantifierAt(text, i);
    if (quantifier) {
      repeat(group, quantifier.least, quantifier.most);
      i += quantifier.length - 1;
      // Lazy: the same ways in another order.
      if (text[i + 1] === '?') i++;
      continue;
    }
    if (c === '\\') {
      if (/[1-9k]/.test(text[i + 1] ?? '')) refuse('it refers back to a group, which may take very long');
      i++;
      take(group, { choices: 1, repeats: 0 });
    } else if (c === '[') {
      i = endOfClass(text, i);
      take(group, { choices: 1, repeats: 0 });
    } else if (c === '|') {
      group.before.choices += group.present.choices;
      group.before.repeats = Math.max(group.before.repeats, group.present.repeats);
      group.present = { choices: 1, repeats: 0 };
      group.last = null;
    } else if (c === '(') {
      groups.push(newGroup());
      // (?: (?= (?! (?<= (?<! and (?<name> : the ? is no repeat.
      if (text[i + 1] === '?') i++;
    } else if (c === ')' && groups.length > 1) {
      const closed = groups.pop() ?? newGroup();
      take(groups.at(-1) ?? newGroup(), wholeOf(closed));
    } else {
      take(group, { choices: 1, repeats: 0 });
    }
  }
  // A group that is not closed yet counts, too.
  const all = groups.map(wholeOf);
  return {
    choices: all.reduce((product, { choices }) => Math.min(MANY, product * choices), 1),
    repeats: all.reduce((sum, { repeats }) => sum + repeats, 0),
    refused,
  };
}

function together(a: Part, b: Part): Part {
  return { choices: Math.min(MANY, a.choices * b.choices), repeats: a.repeats + b.repeats };
}

function newGroup(): Group {
  return { before: { choices: 0, repeats: 0 }, present: { choices: 1, repeats: 0 }, last: null };
}

function wholeOf({ before, present }: Group): Part {
  return {
    choices: Math.min(MANY, before.choices + present.choices),
    repeats: Math.max(before.repeats, present.repeats),
  };
}

function quantifierAt(
  text: string,
  at: number,
): { readonly length: number; readonly least: number; readonly most: number } | null {
  const c = text[at];
  if (c === '*' || c === '+') return { length: 1, least: c === '*' ? 0 : 1, most: Infinity };
  if (c === '?') return { length: 1, least: 0, most: 1 };
  if (c !== '{') return null;
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(text.slice(at, at + 24));
  if (!counted) return null;
  const least = Number(counted[1]);
  const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3]);
  return { length: counted[0].length, least, most };
}

function endOfClass(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ']') return i;
  }
  return text.length;
}
