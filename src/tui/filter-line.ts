import { span, type Size, type Span } from '../../widgets/text/span.js';
import { stringWidth } from '../../widgets/text/width.js';
import type { View } from '../../widgets/widget.js';
import type { Glyphs } from '../../widgets/widget.js';
import { fitRow } from '../../widgets/rows.js';
import { readJump } from '../domain/log-jump.js';
import { compilePattern } from '../domain/log-pattern.js';
import type { FilterInput } from '../state/state.js';

/** The line in which a filter or a search is typed; it takes the place of the phase bar. `now`: epoch ms. */
export function filterLine(input: FilterInput, now: number, size: Size, glyphs: Glyphs): View {
  const label = input.asksTime
    ? ' go to '
    : input.pane === 'log'
      ? input.inverse
        ? ' hide lines !'
        : ' show lines /'
      : ' search /';
  const { text, cursor } = input.prompt;
  const row = fitRow(
    [span(label, 'accent'), span(text), hintOf(input, now, glyphs)],
    size.width,
    glyphs.ellipsis,
  );
  const x = Math.min(size.width - 1, stringWidth(label) + stringWidth(text.slice(0, cursor)));
  return { rows: [row], cursor: { x, y: 0 } };
}

/** What can be typed; or why what was typed does not filter. */
function hintOf(input: FilterInput, now: number, glyphs: Glyphs): Span {
  const { text } = input.prompt;
  if (input.asksTime) {
    const unread = text !== '' && readJump(text, now) === null;
    return span(
      `  ${unread ? 'no time yet: ' : ''}12:03, 12:03:10, -5m, 11-23 20:48`,
      unread ? 'warn' : 'muted',
    );
  }
  const log = input.pane === 'log';
  if (text === '')
    return span(
      `  a ${log ? 'regular expression' : 'text'} ${glyphs.dot} Enter keeps it, Esc leaves`,
      'muted',
    );
  const compiled = log ? compilePattern(text) : null;
  return compiled?.ok === false ? span(`  not used: ${compiled.reason}`, 'warn') : span('');
}
