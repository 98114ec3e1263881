import { span, type Size } from '../../widgets/text/span.js';
import { stringWidth } from '../../widgets/text/width.js';
import type { View } from '../../widgets/widget.js';
import type { Glyphs } from '../../widgets/widget.js';
import { fitRow } from '../../widgets/rows.js';
import type { FilterInput } from '../state/state.js';

/** The line in which a filter or a search is typed; it takes the place of the phase bar. */
export function filterLine(input: FilterInput, size: Size, glyphs: Glyphs): View {
  const label = input.pane === 'log' ? (input.inverse ? ' hide lines !' : ' show lines /') : ' search /';
  const { text, cursor } = input.prompt;
  const hint =
    text === ''
      ? `  a ${input.pane === 'log' ? 'regular expression' : 'text'} ${glyphs.dot} Enter keeps it, Esc leaves`
      : '';
  const row = fitRow([span(label, 'accent'), span(text), span(hint, 'muted')], size.width, glyphs.ellipsis);
  const x = Math.min(size.width - 1, stringWidth(label) + stringWidth(text.slice(0, cursor)));
  return { rows: [row], cursor: { x, y: 0 } };
}
