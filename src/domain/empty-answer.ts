/** What is said of an answer without text, by its backend: once. */
export const EMPTY_ANSWER = {
  nothing: 'The answer is empty.',
  onlyThought: 'The model thought and gave no answer.',
  cutOff: 'The limit was used up by thinking before an answer came.',
} as const;

/** Whether one of these notes says that there is no text. */
export function isToldEmpty(notes: readonly string[]): boolean {
  const told: readonly string[] = Object.values(EMPTY_ANSWER);
  return notes.some((note) => told.includes(note));
}
