import type { Terminal as XtermTerminal } from '@xterm/headless';

/**
 * A whole screen as text: its cells, then for each row its styles as runs of a letter, then what the letters mean. The second half of a
 * wide character is left out of the cells, so that a row reads as it looks.
 */
export function screenText(xterm: XtermTerminal): string {
  const letters = new Map<string, string>();
  const cells: string[] = [];
  const styles: string[] = [];
  for (let y = 0; y < xterm.rows; y++) {
    const line = xterm.buffer.active.getLine(xterm.buffer.active.viewportY + y);
    let text = '';
    const runs: { letter: string; count: number }[] = [];
    for (let x = 0; x < xterm.cols; x++) {
      const cell = line?.getCell(x);
      if (!cell || cell.getWidth() === 0) continue;
      text += cell.getChars() || ' ';
      const style = [
        cell.isFgDefault() ? '' : `fg ${colour(cell.isFgRGB(), cell.getFgColor())}`,
        cell.isBgDefault() ? '' : `bg ${colour(cell.isBgRGB(), cell.getBgColor())}`,
        cell.isBold() ? 'bold' : '',
        cell.isDim() ? 'dim' : '',
        cell.isItalic() ? 'italic' : '',
        cell.isUnderline() ? 'underline' : '',
        cell.isInverse() ? 'inverse' : '',
      ]
        .filter((part) => part !== '')
        .join(', ');
      const last = runs.at(-1);
      // The colour of a blank is not seen, and depends on what was the cheapest to send.
      const seen =
        cell.getChars().trim() !== '' || !cell.isBgDefault() || cell.isUnderline() || cell.isInverse();
      const letter = seen || !last ? letterOf(letters, style) : last.letter;
      if (last?.letter === letter) last.count += cell.getWidth();
      else runs.push({ letter, count: cell.getWidth() });
    }
    cells.push(text.trimEnd());
    styles.push(runs.map(({ letter, count }) => `${letter}${count}`).join(' '));
  }
  const { cursorX, cursorY } = xterm.buffer.active;
  const legend = [...letters].map(([style, letter]) => `${letter} ${style || 'plain'}`);
  return [
    ...cells,
    `--- styles, cursor at ${cursorX},${cursorY}`,
    ...styles,
    '--- letters',
    ...legend,
    '',
  ].join('\n');
}

function letterOf(letters: Map<string, string>, style: string): string {
  const known = letters.get(style);
  if (known !== undefined) return known;
  const letter = String.fromCharCode(97 + letters.size);
  letters.set(style, letter);
  return letter;
}

const colour = (rgb: boolean, value: number): string =>
  rgb ? `#${value.toString(16).padStart(6, '0')}` : String(value);
