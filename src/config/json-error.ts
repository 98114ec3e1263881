/** Where a text stops being JSON. Line and column count from 1; the column counts UTF-16 units. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

class Stop {
  constructor(
    readonly at: number,
    readonly message: string,
  ) {}
}

/**
 * Finds the first fault of a text that JSON.parse refused. (V8 tells no position in many of its messages.) Null when there is none.
 */
export function findJsonError(text: string): JsonError | null {
  try {
    const end = afterSpace(text, readValue(text, afterSpace(text, 0)));
    if (end < text.length) throw new Stop(end, 'there is more after the end');
    return null;
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    const before = text.slice(0, stop.at).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1, message: stop.message };
  }
}

function readValue(text: string, at: number): number {
  const first = text[at];
  if (first === '{') return readMembers(text, at, '}');
  if (first === '[') return readMembers(text, at, ']');
  if (first === '"') return readString(text, at);
  const word = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y;
  word.lastIndex = at;
  if (word.test(text)) return word.lastIndex;
  if (first === undefined) throw new Stop(at, 'the file ends too early');
  if (first === "'") throw new Stop(at, 'a text stands in double quotes');
  if (first === '/') throw new Stop(at, 'comments are not allowed');
  throw new Stop(at, 'a value was expected: a text in quotes, a number, true, false, null, [ or {');
}

/** The members of an object or array, from its opening bracket to behind its closing one. */
function readMembers(text: string, start: number, close: '}' | ']'): number {
  let at = afterSpace(text, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    if (close === '}') at = readName(text, at);
    at = afterSpace(text, readValue(text, at));
    if (text[at] === close) return at + 1;
    if (text[at] === undefined) throw new Stop(at, `the file ends before the closing ${close}`);
    if (text[at] !== ',') throw new Stop(at, `a comma or ${close} was expected`);
    const comma = at;
    at = afterSpace(text, at + 1);
    if (text[at] === close) throw new Stop(comma, `there is a comma before ${close}`);
  }
}

function readName(text: string, at: number): number {
  if (text[at] === undefined) throw new Stop(at, 'the file ends before the closing }');
  if (text[at] !== '"')
    throw new Stop(
      at,
      text[at] === '/' ? 'comments are not allowed' : 'a name in double quotes was expected',
    );
  const colon = afterSpace(text, readString(text, at));
  if (text[colon] !== ':') throw new Stop(colon, 'a colon was expected');
  return afterSpace(text, colon + 1);
}

function readString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '"') return at + 1;
    if (char === '\\') {
      const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
      escape.lastIndex = at;
      if (!escape.test(text)) throw new Stop(at, 'this escape is not known; a backslash is written \\\\');
      at = escape.lastIndex - 1;
    } else if (char < ' ') throw new Stop(at, 'the text has no closing quote on its line');
  }
  throw new Stop(start, 'the text has no closing quote');
}

function afterSpace(text: string, start: number): number {
  const space = /[ \t\r\n]*/y;
  space.lastIndex = start;
  space.test(text);
  return space.lastIndex;
}
