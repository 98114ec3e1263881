/** Shorter ones are words like `none` that servers without keys are given. */
const SHORTEST_IN_WORDS = 6;
/** A whole answer is data: only what can be nothing but the key is taken out of it. */
const SHORTEST_IN_ANSWERS = 12;
const HIDDEN = '••••';

/** A message without the key, which servers like to repeat in errors and redirects. */
export function withoutKey(text: string, key: string | null | undefined): string {
  return hidden(text, key, SHORTEST_IN_WORDS);
}

/** The same for the body of an answer: what is read of it goes on the screen, into logs and to disk. */
export function answerWithoutKey(text: string, key: string | null | undefined): string {
  return hidden(text, key, SHORTEST_IN_ANSWERS);
}

function hidden(text: string, key: string | null | undefined, shortest: number): string {
  if (typeof key !== 'string' || key.length < shortest) return text;
  const forms = new Set([key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1)]);
  let clean = text;
  for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, HIDDEN);
  return clean;
}
