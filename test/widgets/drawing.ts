import { expect } from '@jest/globals';
import type { Row, Size } from '../../widgets/text/span.js';
import { stringWidth } from '../../widgets/text/width.js';
import type { View } from '../../widgets/widget.js';

/** The text of rows without trailing blanks. */
export function texts(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    row.spans
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}

/** The tokens of the spans that hold a text. */
export function tokensOf(rows: readonly Row[], text: string): string[] {
  return rows.flatMap((row) =>
    row.spans.filter((span) => span.text.includes(text)).map(({ token }) => token),
  );
}

export function expectWithin(view: View, size: Size): void {
  expect(view.rows.length).toBeLessThanOrEqual(Math.max(0, size.height));
  for (const row of view.rows) {
    const text = row.spans.map((span) => span.text).join('');
    expect(stringWidth(text)).toBeLessThanOrEqual(Math.max(0, size.width));
    expect(text).not.toMatch(/[\n\t\r]/);
  }
  if (view.cursor) {
    expect(view.cursor.x).toBeLessThan(Math.max(1, size.width));
    expect(view.cursor.y).toBeLessThan(Math.max(1, size.height));
  }
}

export const SIZES: readonly Size[] = [0, 1, 2, 5, 9, 20, 36, 60, 80, 124, 200].flatMap((width) =>
  [0, 1, 3, 24].map((height) => ({ width, height })),
);
