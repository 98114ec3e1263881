import type { Row, Span } from './span.js';

/** The row with what was searched for set off. `needle` in lower case. */
export function withMatches(row: Row, needle: string): Row {
  // In every frame of an answer, and nothing is searched for.
  if (needle === '') return row;
  const text = row.spans
    .map((each) => each.text)
    .join('')
    .toLowerCase();
  let next = text.indexOf(needle);
  if (next === -1) return row;
  const spans: Span[] = [];
  let at = 0;
  for (const each of row.spans) {
    const end = at + each.text.length;
    let from = at;
    const add = (to: number, token: Span['token']): void => {
      if (to > from) spans.push({ text: each.text.slice(from - at, to - at), token });
      from = Math.max(from, to);
    };
    while (next !== -1 && next < end) {
      add(Math.max(from, next), each.token);
      add(Math.min(end, next + needle.length), 'match');
      if (next + needle.length > end) break;
      next = text.indexOf(needle, next + needle.length);
    }
    add(end, each.token);
    at = end;
  }
  return { ...row, spans };
}
