import { type FoldedText, foldedText } from '../../widgets/text/folded.js';
import { formatCount } from '../../widgets/text/format.js';
import type { PromptState } from '../state/prompt.js';

/** The message as it stands in its box: a long pasted text is one chip. */
export function shownPrompt({ text, pasted }: PromptState): FoldedText {
  return foldedText(
    text,
    pasted.map(({ start, end, lines }) => ({ start, end, label: `[pasted: ${formatCount(lines)} lines]` })),
  );
}
